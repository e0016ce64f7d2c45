package scripttest

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/exospherehost/orbit/scripts/seed-demo/demo"
)

// The first published cluster, against real servers: demo.Run checks each file's way, and that a mail told of the end: one alone,
// or after a kill the same again.
func TestTheFirstPublishedClusterRuns(t *testing.T) {
	for name, kill := range map[string]bool{"undisturbed": false, "with a node killed in the middle": true} {
		t.Run(name, func(t *testing.T) {
			r, err := demo.Run(t.Context(), demo.Options{Bin: filepath.SplitList(os.Getenv("PATH"))[0], S3: filepath.Join(root, "bin", "versitygw"), File: filepath.Join(root, "examples", "structured-json", "cluster.yml"),
				Mail: filepath.Join(root, "examples", "structured-json", "report.yml"), Dir: t.TempDir(), Kill: kill, Out: t.Output()})
			if err != nil {
				t.Fatal(err)
			}
			if r.Run.Trigger.Type != "cron" {
				t.Errorf("started by %s", r.Run.Trigger.Type)
			}
		})
	}
}
