package cluster_test

import (
	"fmt"
	"io"
	"maps"
	"runtime"
	"strings"
	"testing"

	"github.com/exospherehost/orbit/cluster"
)

const head = "version: 0.0.1b\ncluster:\n  identifier: aikin/test\n  sla: 6h\n  trigger: api-call\n  satellites:\n"

// hostile inputs are as large as a file may be, or larger, each in another direction.
func hostile() map[string]string {
	const full = 250 << 10
	fill := func(s string) string { return strings.Repeat(s, full/len(s)) }
	step := "    - {uses: exospherehost/jq, config: {query: .}, input: %s}\n"
	keys := func(n int) string {
		var b strings.Builder
		for i := range n {
			fmt.Fprintf(&b, "k%d: 1\n", i)
		}
		return b.String()
	}
	block := func(s string) string {
		return head + "    - uses: exospherehost/gemma\n      input:\n        prompt: |\n          " + s + "\n"
	}
	var chain strings.Builder
	for i := range 200 {
		fmt.Fprintf(&chain, "    - {uses: exospherehost/jq, identifier: s%d, config: {query: .}, parents: [", i)
		for j := range min(i, 40) {
			fmt.Fprintf(&chain, "s%d, ", i-1-j)
		}
		chain.WriteString("]}\n")
	}
	return map[string]string{
		"40,000 keys":                   keys(40_000),
		"keys up to the size limit":     keys(28_000),
		"a body of 300 KB":              head + fmt.Sprintf(step, `"`+strings.Repeat("x", 300_000)+`"`),
		"a body of 250 KB":              head + fmt.Sprintf(step, `"`+fill("x")+`"`),
		"a body of many lines":          block(fill("line\n          ")),
		"a list of many numbers":        head + fmt.Sprintf(step, "["+strings.Repeat("1,", 19_900)+"]"),
		"many expressions in one text":  block(fill("${{ run.id }} ")),
		"many wrong expressions":        block(fill("${{x}}")),
		"many wrong names":              block(fill("${{run.idd}} ")),
		"many unclosed expressions":     block(fill("${{ ")),
		"many quotes in expressions":    block(fill("${{ '")),
		"many expressions on one line":  head + fmt.Sprintf(step, "["+strings.Repeat("'${{ x }}',", 19_000)+"]"),
		"many expressions behind ä":     head + fmt.Sprintf(step, "["+strings.Repeat("'ä${{ x }}',", 17_000)+"]"),
		"deep brackets":                 fill("["),
		"deep braces":                   fill("{a: "),
		"deep dashes":                   fill("- "),
		"deep parentheses":              block("${{ " + fill("(") + " }}"),
		"a long chain of operators":     block("${{ " + fill("1||") + "1 }}"),
		"many exclamation marks":        block("${{ " + fill("!") + "1 }}"),
		"a long path":                   block("${{ trigger.payload" + fill(".a") + " }}"),
		"quotes":                        fill("'"),
		"an open quote":                 head + fill("x: y\n") + "\"",
		"a late syntax error":           head + strings.Repeat("    - {uses: exospherehost/jq, config: {query: .}}\n", 4_000) + "   - x\n",
		"a wrong indentation far below": "a:\n" + strings.Repeat("  b: 1\n", 30_000) + " c: 2\n",
		"unknown keys":                  strings.ReplaceAll(keys(9_000), "k", "clust"),
		"unknown keys of a config":      head + "    - uses: exospherehost/jq\n      config:\n        " + strings.ReplaceAll(keys(9_000), "\n", "\n        ") + "query: .\n",
		"one key again and again":       strings.Repeat("a: 1\n", 9_000),
		"anchors":                       "a: &a [x]\n" + strings.Repeat("b: *a\n", 9_000),
		"comments":                      fill("# x\n"),
		"empty lines":                   fill("\n"),
		"carriage returns":              fill("a: b\r"),
		"200 satellites, 40 parents":    head + chain.String(),
		"10,000 parents":                head + "    - {uses: exospherehost/jq, config: {query: .}, parents: [" + strings.Repeat("other, ", 10_000) + "]}\n",
		"a long word":                   head + "    - {uses: " + fill("x") + "}\n",
		"a line of tabs":                "a:\n" + fill("\t") + "b: 1\n",
		"not UTF-8":                     fill("a") + "\xff",
	}
}

// TestAnyInputIsCompiledInLittleMemory: what is allocated in all bounds what is held at once, and goes with the time, which
// depends on the machine. The aim is 200 ms and 64 MiB.
func TestAnyInputIsCompiledInLittleMemory(t *testing.T) {
	inputs := hostile()
	maps.Copy(inputs, crowded())
	for name, text := range inputs {
		t.Run(name, func(t *testing.T) {
			var r *cluster.Result
			compiling := allocated(func() { r = compile(text) })
			showing := allocated(func() { cluster.Render(io.Discard, r.Diagnostics, false) })
			t.Logf("%d KiB, %d diagnostics; compiling %d MiB, showing %d MiB", len(text)>>10, len(r.Diagnostics), compiling>>20, showing>>20)
			if compiling > 64<<20 || showing > 64<<20 {
				t.Errorf("compiling allocated %d MiB, showing %d MiB", compiling>>20, showing>>20)
			}
			if r.Plan == nil && len(r.Errors()) == 0 {
				t.Error("neither a plan nor an error")
			}
			if r.Plan != nil {
				if encoding := allocated(func() { r.Plan.Encode() }); encoding > 64<<20 {
					t.Errorf("encoding the plan allocated %d MiB", encoding>>20)
				}
			}
		})
	}
}

// allocated gives the bytes that f allocates in all.
func allocated(f func()) uint64 {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	f()
	runtime.ReadMemStats(&after)
	return after.TotalAlloc - before.TotalAlloc
}
