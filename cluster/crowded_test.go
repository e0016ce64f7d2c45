package cluster_test

import (
	"fmt"
	"strings"
)

// crowded inputs are full of what the compiler brings together: steps, edges, names, expressions and numbers.
func crowded() map[string]string {
	const full = 250 << 10
	h := map[string]string{}
	names := func(n int, f string) string {
		var b strings.Builder
		for i := range n {
			fmt.Fprintf(&b, f, i)
		}
		return b.String()
	}
	jq := func(i int, more string) string {
		return fmt.Sprintf("    - {uses: exospherehost/jq, identifier: s%d, config: {query: .}%s}\n", i, more)
	}
	var unknown, wide, reads, wideReads, big, bighook, kids strings.Builder
	for i := range 200 {
		unknown.WriteString(jq(i, ", parents: ["+names(90, fmt.Sprintf("x%dy%%d, ", i))+"]"))
		wide.WriteString(jq(i, ", parents: ["+names(min(i, 90), "s%d, ")+"]"))
		kids.WriteString(jq(i, ", parents: [], children: ["+func() string {
			var b strings.Builder
			for j := i + 1; j < min(200, i+90); j++ {
				fmt.Fprintf(&b, "s%d, ", j)
			}
			return b.String()
		}()+"]"))
		var e strings.Builder
		for j := range min(i, 60) {
			fmt.Fprintf(&e, "${{satellites.s%d.output.f%d}}", j, j*200+i)
		}
		reads.WriteString(jq(i, ", input: '"+e.String()+"'"))
		e.Reset()
		for j := range min(i, 22) {
			fmt.Fprintf(&e, "${{satellites.s%d.output.f%d}}", j, j*200+i)
		}
		wideReads.WriteString(jq(i, ", parents: ["+names(min(i, 85), "s%d,")+"], input: '"+e.String()+"'"))
		big.WriteString("    - uses: exospherehost/gemma\n      identifier: g" + fmt.Sprint(i) + "\n      config: {output-schema: {" + names(80, "k%d: 1, ") + "}}\n      input: {prompt: x}\n")
		bighook.WriteString("    - {uses: exospherehost/call-webhook, identifier: g" + fmt.Sprint(i) + ", config: {url: x, body: [" + strings.Repeat("{},", 85) + "]}}\n")
	}
	h["unknown parents"] = head + unknown.String()
	h["unknown parents and an unknown identifier"] = head + strings.Replace(unknown.String()[:unknown.Len()/2], "identifier: s0", "identifier: [s0]", 1) + "]}\n"
	h["wide parents"] = head + wide.String()
	h["wide children"] = head + kids.String()
	h["many reads"] = head + reads.String()
	h["wide parents with reads"] = head + wideReads.String()
	h["200 with large configs"] = head + big.String()
	h["200 with large bodies"] = head + bighook.String()
	var un, dec strings.Builder
	for i := range 6000 {
		fmt.Fprintf(&un, "${{secrets.A%dB}}", i)
	}
	for i := range 6000 {
		fmt.Fprintf(&dec, "A%dC: {env: A}, ", i)
	}
	h["secrets nearly declared"] = "version: 0.0.1b\ncluster:\n  identifier: aikin/test\n  sla: 6h\n  trigger: api-call\n  secrets: {" + dec.String()[:len(dec.String())-2] + "}\n  satellites:\n    - uses: exospherehost/gemma\n      input:\n        prompt: '" + un.String() + "'\n"
	var unk strings.Builder
	for i := range 5000 {
		fmt.Fprintf(&unk, "${{satellites.x%dy.output}}", i)
	}
	h["unknown satellites"] = head + names(199, "    - {uses: exospherehost/jq, identifier: s%d, config: {query: .}}\n") + "    - uses: exospherehost/gemma\n      input:\n        prompt: '" + unk.String() + "'\n"
	long := strings.Repeat("abcdefghij", 9)
	h["unknown satellites with long names"] = head + func() string {
		var b strings.Builder
		for i := range 199 {
			fmt.Fprintf(&b, "    - {uses: exospherehost/jq, identifier: s%d-%s, config: {query: .}}\n", i, long[:55])
		}
		b.WriteString("    - uses: exospherehost/gemma\n      input:\n        prompt: '")
		for i := range 2000 {
			fmt.Fprintf(&b, "${{satellites.x%d-%s.output}}", i, long[:58])
		}
		b.WriteString("'\n")
		return b.String()
	}()
	block := func(s string) string {
		return head + "    - uses: exospherehost/gemma\n      input:\n        prompt: |\n          " + s + "\n"
	}
	rep := func(s string) string { return strings.Repeat(s, full/len(s)) }
	h["one long expression of names"] = block("${{ " + rep("run.id == ") + "1 }}")
	h["nested functions"] = block("${{ " + strings.Repeat("length(", 39) + "1" + strings.Repeat(")", 39) + " }}")
	h["nested functions beyond"] = block("${{ " + rep("length(") + " }}")
	h["many nested"] = block(rep("${{ " + strings.Repeat("!(", 19) + "1" + strings.Repeat(")", 19) + " }}"))
	h["many arguments"] = block("${{ format(" + rep("1,") + "1) }}")
	h["many brackets"] = block("${{ trigger.payload" + rep("[0]") + " }}")
	h["huge index"] = block("${{ trigger.payload[" + rep("9") + "] }}")
	h["huge number"] = head + "    - {uses: exospherehost/jq, config: {query: .}, input: " + rep("9") + "}\n"
	h["huge exponent"] = head + "    - {uses: exospherehost/jq, config: {query: .}, input: 1e" + rep("9") + "}\n"
	h["huge numbers"] = head + "    - {uses: exospherehost/jq, config: {query: .}, input: [" + rep("1e308,") + "]}\n"
	h["huge number in expression"] = block("${{ " + rep("9") + " == 1 }}")
	h["hex number"] = head + "    - {uses: exospherehost/jq, config: {query: .}, input: 0x" + rep("f") + "}\n"
	h["long quoted in expression"] = block("${{ '" + rep("''") + "' }}")
	h["long condition"] = head + "    - {uses: exospherehost/jq, config: {query: .}, if: '" + rep("1||") + "1'}\n"
	h["long sla"] = strings.Replace(head, "6h", rep("1h"), 1) + step("a", "")
	h["long cron"] = strings.Replace(head, "api-call", "{cron: '"+rep("1,")+"1 * * * *'}", 1) + step("a", "")
	h["long zone"] = strings.Replace(head, "api-call", "{cron: '@daily', timezone: "+rep("a/")+"}", 1) + step("a", "")
	h["many cron"] = strings.Replace(head, "api-call", "["+strings.Repeat("{cron: '0 0 30 2 *'},", 4900)+"]", 1) + step("a", "")
	h["many secrets"] = strings.Replace(head, "  satellites:\n", "  secrets: {"+names(9000, "S%d: x, ")+"}\n  satellites:\n", 1) + step("a", "")
	h["long keys"] = head + "    - {" + rep("x") + ": 1}\n"
	h["many triggers"] = strings.Replace(head, "api-call", "["+strings.Repeat("api-call,", 19000)+"]", 1) + step("a", "")
	h["folded"] = head + "    - uses: exospherehost/gemma\n      input:\n        prompt: >\n" + strings.Repeat("          ${{ x }}\n", 13000)
	h["plain multi"] = head + "    - uses: exospherehost/gemma\n      input:\n        prompt: a\n" + strings.Repeat("          ${{ x }}\n", 13000)
	h["steps of text"] = head + strings.Repeat("    - x\n", 19000)
	h["empty steps"] = head + strings.Repeat("    - {}\n", 19000)
	return h
}
