package orbittest_test

import (
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/exospherehost/orbit/internal/orbittest"
)

func TestACanaryIsFoundInEveryEncoding(t *testing.T) {
	dir := t.TempDir()
	secret := orbittest.Canary + "0815"
	texts := append(encodings(secret), "a "+secret+" b", hex.EncodeToString([]byte("x"+secret)))
	for before := range 3 {
		texts = append(texts, base64.StdEncoding.EncodeToString([]byte("xyz"[:before]+secret)))
	}
	for i, text := range texts {
		file := filepath.Join(dir, fmt.Sprint(i))
		if err := os.WriteFile(file, []byte(strings.Repeat("-", i)+text), 0o600); err != nil {
			t.Fatal(err)
		}
		if !orbittest.ShowsSecret([]byte(text)) {
			t.Errorf("%q is not found", text)
		}
	}
	if wrong := orbittest.SecretsIn(dir); len(wrong) != len(texts) {
		t.Errorf("%d of %d files are found", len(wrong), len(texts))
	}
	if orbittest.ShowsSecret([]byte("a canary - a CANARY, and no secret")) {
		t.Error("found where there is none")
	}
}
