package cli_test

import (
	"context"
	"fmt"
	"os"
	"strings"

	"github.com/exospherehost/orbit/internal/cli"
)

func Example() {
	document := strings.NewReader(`{"state":"running"}`)
	code := cli.Main(context.Background(), []string{"decode"}, document, os.Stdout, os.Stderr, os.LookupEnv, cli.Deps{})
	fmt.Println("exit code", code)
	// Output:
	// {
	//   "state": "running"
	// }
	// exit code 0
}
