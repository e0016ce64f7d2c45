package compile_test

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/exospherehost/orbit/cluster"
	"github.com/exospherehost/orbit/internal/compile"
	"github.com/exospherehost/orbit/placement"
	"github.com/exospherehost/orbit/satellite/catalog"
)

// BenchmarkCompile is a file from its text to its plan, with the real satellites, as a gateway compiles it: it has the
// satellites' schemas at hand, and has seen the jq programs before but in the last. The aim is 2 ms for the first published
// example and 20 ms for a file of 200 satellites, on one core of 2020.
func BenchmarkCompile(b *testing.B) {
	satellites, err := catalog.Specs()
	if err != nil {
		b.Fatal(err)
	}
	options := compile.Options(satellites, placement.DefaultClasses())
	for _, c := range []struct {
		name, text string
		anew       bool // each time with other programs
	}{{"first example", firstExample(b), false}, {"200 satellites", head + manySteps(200), false}, {"200 with new programs", head + manySteps(200), true}} {
		b.Run(c.name, func(b *testing.B) {
			if r := cluster.Compile("f.yml", []byte(c.text), options); r.Plan == nil {
				b.Fatal(r.Errors())
			}
			b.SetBytes(int64(len(c.text)))
			b.ReportAllocs()
			for i := 0; b.Loop(); i++ {
				text := c.text
				if c.anew {
					text = strings.ReplaceAll(text, "total: (map", fmt.Sprintf("sum_%d: (map", i))
				}
				cluster.Compile("f.yml", []byte(text), options)
			}
		})
	}
}

// firstExample is the first published one, with all of its secrets declared.
func firstExample(b *testing.B) string {
	text, err := os.ReadFile("../../cluster/testdata/first-example.mended.yml")
	if err != nil {
		b.Fatal(err)
	}
	return strings.Replace(string(text), "  secrets:\n",
		"  secrets:\n    - PAGERDUTY_API_KEY: {env: PAGERDUTY_API_KEY}\n    - PAGERDUTY_SERVICE_ID: {vault: pagerduty/service}\n", 1)
}

// manySteps are files that are parsed and shaped, and calls for each, one after another and side by side.
func manySteps(n int) string {
	var b strings.Builder
	b.WriteString("    - {uses: exospherehost/get-files, identifier: files, config: {provider: file, folder-path: /tmp, allowed-extensions: [.pdf]}}\n")
	b.WriteString("    - {uses: exospherehost/parse-pdf-with-docling, identifier: parse}\n")
	for i := 2; i < n; i++ {
		parent := "parse"
		if i > 2 && i%4 != 0 {
			parent = fmt.Sprintf("step-%d", i-1)
		}
		if i%4 == 1 {
			fmt.Fprintf(&b, `    - name: Tell of %d
      uses: satellite/exospherehost/call-webhook
      identifier: step-%d
      parents: [%s]
      retries: {max: 3, strategy: fixed, delay: 10s}
      config:
        url: http://localhost:8080/${{ cluster.identifier }}/%d
        headers:
          - Content-Type: application/json
        body:
          file: $${{ satellites.files.output.file-name }}
          total: ${{ satellites.%s.output.total }}
`, i, i, parent, i, parent)
			continue
		}
		fmt.Fprintf(&b, `    - uses: satellite/exospherehost/jq
      identifier: step-%d
      parents: [%s]
      timeout: 30s
      config:
        query: |
          .lines | map(select(.amount > %d)) | group_by(.kind)[] | {kind: .[0].kind, total: (map(.amount) | add)}
      input: {lines: "${{ satellites.parse.output.markdown }}", pages: "${{ satellites.parse.output.pages }}", run: "${{ run.id }}"}
`, i, parent, i)
	}
	return b.String()
}
