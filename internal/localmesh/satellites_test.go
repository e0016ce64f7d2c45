package localmesh

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/exospherehost/orbit/internal/cli"
)

func TestAClusterRunsASatelliteOfOnesOwn(t *testing.T) {
	dir := t.TempDir()
	for name, text := range map[string]string{
		"satellite.yml": "name: acme/double\ntitle: Double a number\npreset:\n  uses: exospherehost/jq\n  config: {query: '{n: (.n * 2)}'}\n",
		"cluster.yml":   "version: 0.0.1b\ncluster:\n  identifier: acme/double\n  sla: 6h\n  trigger: api-call\n  satellites:\n    - uses: acme/double\n",
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	var stdout, stderr bytes.Buffer
	args := []string{"run", "--local", "--satellites", dir, "--payload", `{"n": 21}`, filepath.Join(dir, "cluster.yml")}
	code := cli.Main(context.Background(), args, strings.NewReader(""), &stdout, &stderr, func(string) (string, bool) { return "", false }, cli.Deps{StartMesh: Starter("test")})
	if code != 0 || stdout.String() != "{\"n\":42}\n" {
		t.Errorf("exit code %d\n%s%s", code, stdout.String(), stderr.String())
	}
}
