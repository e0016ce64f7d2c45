package files_test

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/exospherehost/orbit/satellite/files"
)

func ExampleOpener_Open() {
	folder, err := os.MkdirTemp("", "example")
	if err != nil {
		panic(err)
	}
	defer os.RemoveAll(folder)
	if err := os.WriteFile(filepath.Join(folder, "a b.txt"), []byte("hello"), 0o600); err != nil {
		panic(err)
	}

	opener := files.NewOpener(map[string]string{"s3": "http://127.0.0.1:9000"})
	defer opener.Close()
	rc, size, err := opener.Open(context.Background(), "file://"+folder+"/a%20b.txt")
	if err != nil {
		panic(err)
	}
	defer rc.Close()
	data, err := io.ReadAll(rc)
	fmt.Println(string(data), size, err)
	// Output: hello 5 <nil>
}
