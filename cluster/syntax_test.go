package cluster_test

import (
	"fmt"
	"strings"
	"testing"
)

// TestASyntaxErrorFarBelowIsToldAsOneAbove: what stands above a problem is left out when its line is looked for.
func TestASyntaxErrorFarBelowIsToldAsOneAbove(t *testing.T) {
	const steps = 500
	above := map[string]string{
		"steps in braces":     "    - {uses: exospherehost/jq, config: {query: .}}\n",
		"steps of three keys": "    - name: x\n      uses: exospherehost/jq\n      config: {query: .}\n",
		"steps with texts":    "    - uses: exospherehost/gemma\n      input:\n        prompt: |\n          - a: b\n\n          c: {d\n         # no comment\n",
		"nothing but blanks":  "\n  \n# a comment\n",
	}
	below := map[string]string{
		"a dash too far left":  "    - uses: x\n   - x\n",
		"a key too far left":   "    - name: x\n     uses: y\n      config: 1\n",
		"a key too far right":  "    - name: x\n        uses: y\n",
		"an open bracket":      "    - uses: x\n      parents: [a, b\n    - uses: y\n",
		"an open brace":        "    - {uses: x, config: {query: .}\n    - {uses: y}\n",
		"a key after a text":   "    - uses: x\n      input: |\n        a\n        b\n     c: 1\n",
		"a dash among the top": "    - uses: x\n- y\n",
		"a key far left":       "    - uses: x\n      input: {}\n sla: 6h\n",
	}
	for nameAbove, step := range above {
		for nameBelow, tail := range below {
			t.Run(nameBelow+" below "+nameAbove, func(t *testing.T) {
				first := compile(head + step + tail + strings.Repeat(step, 20)).Diagnostics[0]
				far := compile(head + strings.Repeat(step, steps+1) + tail + strings.Repeat(step, 20)).Diagnostics[0]
				want := fmt.Sprintf("%d:%d %s", first.Line+steps*strings.Count(step, "\n"), first.Column, first.Message)
				if got := fmt.Sprintf("%d:%d %s", far.Line, far.Column, far.Message); got != want {
					t.Errorf("got  %s\nwant %s", got, want)
				}
			})
		}
	}
}
