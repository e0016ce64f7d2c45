package cluster_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestEachLimitIsToldOnePastIt: a file at the limit is told nothing about it, and one past it one sentence.
func TestEachLimitIsToldOnePastIt(t *testing.T) {
	input := func(text string) string {
		return head + "    - {uses: exospherehost/jq, config: {query: .}, input: " + text + "}\n"
	}
	with := func(line string) string {
		return strings.Replace(head, "  satellites:\n", line+"\n  satellites:\n", 1) + step("a", "")
	}
	expression := func(inner string) string { return input("\"${{ " + inner + " }}\"") }
	repeat := strings.Repeat
	for name, c := range map[string]struct {
		limit int
		file  func(n int) string
		want  string
	}{
		"size": {256 << 10, func(n int) string { return head + step("a", "") + "#" + repeat("x", n-len(head)-len(step("a", ""))-1) },
			"8:261985 error ORB-C001 the file has 257 KiB; at most 256 KiB are read\n    move large data to a file or bucket that a satellite reads\n"},
		"values": {20_000, func(n int) string { return input("[" + repeat("1,", n-22) + "]") },
			"7:40016 error ORB-C008 the file holds more than 20000 values\n    move large data to a file or bucket that a satellite reads\n"},
		"depth": {64, func(n int) string { return input(repeat("[", n-4) + repeat("]", n-4)) },
			"7:119 error ORB-C008 the value is nested more than 64 levels deep\n    move large data to a file or bucket that a satellite reads\n"},
		"expressions": {5_000, func(n int) string { return input("'" + repeat("${{run.id}}", n) + "'") },
			"7:55060 error ORB-C008 the file holds more than 5000 expressions\n    split the cluster, or build long texts in a jq step\n"},
		"length of an expression": {8 << 10, func(n int) string { return expression("'" + repeat("x", n-4) + "'") },
			"7:60 error ORB-C008 the expression is longer than 8 KiB\n    build the value in a jq step\n"},
		"length of a condition": {8 << 10, func(n int) string { return head + step("a", "if: \"'"+repeat("x", n-7)+"' == 1\"") },
			"7:71 error ORB-C008 the expression is longer than 8 KiB\n    build the value in a jq step\n"},
		"nesting of an expression": {40, func(n int) string { return expression(repeat("(", n) + "1" + repeat(")", n)) },
			"7:60 error ORB-C051 in ${{ (((((((((((((((((((((((((((((((((((((((((1)))))))))))))))… }}: the expression is nested too deep\n"},
		"arguments": {20, func(n int) string { return expression("format(''" + repeat(",1", n-1) + ")") },
			"7:60 error ORB-C051 in ${{ format('',1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1) }}: format takes 1 to 20 arguments, not 21\n"},
		"satellites": {200, func(n int) string {
			var b strings.Builder
			for i := range n {
				b.WriteString(step(fmt.Sprintf("s%d", i), ""))
			}
			return head + b.String()
		}, "207:7 error ORB-C017 the list has 201 satellites; at most 200 are allowed\n    split the cluster; one can start another by its trigger\n"},
		"triggers": {100, func(n int) string {
			return strings.Replace(head, "api-call", "["+repeat("api-call,", n)+"]", 1) + step("a", "")
		}, "5:913 error ORB-C017 the list has 101 triggers; at most 100 are allowed\n    one trigger of type event can take the place of many, with * or > in its subject\n"},
		"identifier": {63, func(n int) string { return head + step(repeat("a", n), "") },
			"7:44 error ORB-C015 \"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa…\" is no identifier of a satellite\n    write it of a-z, 0-9, - and _, such as " + repeat("a", 63) + "\n"},
		"name of a secret": {128, func(n int) string {
			return strings.Replace(head, "  satellites:\n", "  secrets: {"+repeat("A", n)+": {env: A}}\n  satellites:\n", 1) +
				"    - {uses: exospherehost/call-webhook, config: {url: 'http://x', headers: {A: '${{ secrets." + repeat("A", n) + " }}'}}}\n"
		}, "6:13 error ORB-C015 \"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA…\" is no name of a secret\n    write it of letters, digits, _ and -, such as API_KEY\n"},
		"retries": {100, func(n int) string { return with(fmt.Sprintf("  retries: %d", n)) }, "6:12 error ORB-C013 retries must be from 0 to 100\n"},
		"factor of retries": {100, func(n int) string { return with(fmt.Sprintf("  retries: {factor: %d}", n)) },
			"6:21 error ORB-C013 retries.factor must be from 1 to 100\n    2 doubles the wait each time\n"},
		"cores": {4096, func(n int) string { return head + step("a", fmt.Sprintf("resources: {cpu: %d}", n)) },
			"7:84 error ORB-C013 resources.cpu must be from 1 to 4096\n"},
		"sla": {168, func(n int) string { return strings.Replace(head, "6h", fmt.Sprintf("%dh", n), 1) + step("a", "") },
			"4:8 error ORB-C013 an sla must be from 1m to 168h\n    write 6h, 12h or 24h\n"},
		"concurrency": {1_000_000, func(n int) string { return head + step("a", fmt.Sprintf("concurrency: %d", n)) },
			"7:80 error ORB-C013 concurrency must be from 1 to 1000000\n"},
	} {
		t.Run(name, func(t *testing.T) {
			if r := compile(c.file(c.limit)); r.Plan == nil {
				t.Errorf("at the limit it is told\n%s", told(r.Errors()))
			}
			if diff := cmp.Diff(c.want, told(compile(c.file(c.limit+1)).Errors())); diff != "" {
				t.Errorf("past the limit (-want +got):\n%s", diff)
			}
		})
	}
}
