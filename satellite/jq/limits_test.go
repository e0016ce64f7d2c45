package jq_test

import (
	"errors"
	"fmt"
	"runtime"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/exospherehost/orbit/satellite/jq"
)

// TestEachLimitOfAProgramIsToldOnePastIt: a program at a limit is checked, and one past it told where and what to do.
func TestEachLimitOfAProgramIsToldOnePastIt(t *testing.T) {
	repeat := strings.Repeat
	for name, c := range map[string]struct {
		limit   int
		program func(n int) string
		offset  int
		want    string
	}{
		"length": {16 << 10, func(n int) string { return `"` + repeat("x", n-2) + `"` }, 16 << 10,
			"the jq program is longer than 16 KiB; split the program over several jq satellites"},
		"length behind ä": {16 << 10, func(n int) string { return `"x` + repeat("ä", (n-4)/2) + `" ` + repeat(" ", n%2) }, 16 << 10,
			"the jq program is longer than 16 KiB; split the program over several jq satellites"},
		"symbols": {3000, func(n int) string { return "[" + repeat("1,", n/2-2) + repeat("-", 1+n%2) + "1]" }, 3000,
			"the jq program holds more than 3000 names, values and signs; split the program over several jq satellites"},
		"nesting": {100, func(n int) string {
			return repeat("([", n/2) + repeat("[", n%2) + "1" + repeat("]", n%2) + repeat("])", n/2)
		}, 100,
			"the jq program is nested more than 100 levels deep; split the program over several jq satellites"},
		"nesting of texts": {100, func(n int) string { return repeat(`"\(`, n) + "1" + repeat(`)"`, n) }, 300,
			"the jq program is nested more than 100 levels deep; split the program over several jq satellites"},
	} {
		t.Run(name, func(t *testing.T) {
			if err := jq.NewChecker().Check(c.program(c.limit)); err != nil {
				t.Errorf("at the limit: %v", err)
			}
			err := jq.NewChecker().Check(c.program(c.limit + 1))
			var large *jq.TooLarge
			if !errors.As(err, &large) {
				t.Fatalf("past the limit: %v", err)
			}
			if large.Offset != c.offset {
				t.Errorf("it is told at byte %d, not %d", large.Offset, c.offset)
			}
			if diff := cmp.Diff(c.want, err.Error()); diff != "" {
				t.Errorf("past the limit (-want +got):\n%s", diff)
			}
			if n := jq.Symbols(c.program(c.limit + 1)); n != 0 {
				t.Errorf("%d symbols of a program that is not compiled", n)
			}
		})
	}
}

func TestSymbolsAreNamesValuesAndSigns(t *testing.T) {
	for program, want := range map[string]int{
		"":                             0,
		" \n\t# .a.b\n":                0,
		"# a\r.":                       1,
		".a":                           2,
		".pages[] | {page: .}":         10,
		`"a \" b # c"`:                 1,
		`"a \(.b + "\(1)") c" | .`:     10,
		"$x as [$y] | @json 1.5e3":     13,
		"not closed \" ( [ {":          3,
		`map(select(.a == "x") | .b?)`: 15,
	} {
		if got := jq.Symbols(program); got != want {
			t.Errorf("%s has %d symbols, not %d", program, got, want)
		}
	}
}

// hostile programs are as large as one may be, each in another direction.
func hostile() map[string]string {
	const length, symbols, nesting = 16 << 10, 3000, 100
	repeat := strings.Repeat
	fill := func(s string, last string) string { // with as many as fit
		n := min((length-len(last))/len(s), (symbols-jq.Symbols(last))/jq.Symbols(s))
		return repeat(s, n) + last
	}
	number := func(first, format, last string) string {
		var b strings.Builder
		for i := range symbols/jq.Symbols(format) - 2 {
			fmt.Fprintf(&b, format, i)
		}
		return first + b.String() + last
	}
	nest := func(open, middle, end string) string { return repeat(open, nesting) + middle + repeat(end, nesting) }
	return map[string]string{
		"sums":                    fill("1+", "1"),
		"products":                fill(".*", "."),
		"sums of a function":      "def f:.;" + fill("f+", "1")[len("f+f+f+f+f+"):],
		"sums of a variable":      ". as $x|" + fill("$x+", "1")[len("$x+$x+$x+$x+$x+"):],
		"updates":                 fill(".+=1|", "."),
		"divisions that update":   fill(".%=1|", "."),
		"alternatives":            fill(".//", "."),
		"signs":                   fill("-", "1"),
		"pipes":                   fill(".|", "."),
		"lists":                   fill("[]+", "1"),
		"all below":               fill("..+", "1"),
		"question marks":          "." + fill("?", "")[1:],
		"optional fields":         fill(".?+", "1"),
		"fields":                  "." + fill("[.a]", "")[4:],
		"interpolations":          `"` + repeat(`\(.)`, 700) + `"`,
		"or":                      fill("1 or ", "1"),
		"variables":               number("", ". as $v%d|", "."),
		"functions":               number("", "def f%d:.;", "."),
		"patterns":                number(". as ", "[$a%d]?//", "[$z]|."),
		"brackets":                nest("[", "", "]"),
		"parentheses":             repeat("(1+", nesting) + "1" + repeat(")", nesting),
		"brackets that stay open": repeat("[", nesting),
		"functions of functions":  "def f(g): g; " + nest("f(", ".", ")"),
		"loops":                   nest("reduce .[] as $x (", ".", ";.)"),
		"tries":                   fill("try ", "."),
		"conditions":              repeat("if . then ", 740) + "." + repeat(" end", 740),
		"definitions":             repeat("def f:", 590) + "." + repeat(";.", 590),
		"a long number":           repeat("9", length),
		"a long name":             repeat("x", length),
		"a long comment":          repeat("#", length),
		"a long text":             `"` + repeat("x", length-2) + `"`,
		"blanks":                  repeat(" ", length),
		"an open text":            `"` + repeat(`\u00e9`, 2000),
		"calls": fill("gsub(.;.)|sub(.;.;.)|gsub(.;.;.)|nth(.;.)|fromstream(.)|combinations(.)|splits(.;.)|walk(.)|to_entries|with_entries(.)|"+
			"limit(1;.)|first(.)|until(.;.)|test(.)|match(.)|capture(.)|scan(.)|paths(.)|del(.)|pick(.)|IN(.)|INDEX(.)|tostream|min_by(.)|any(.)|all(.)|", "."),
	}
}

// TestAnyProgramIsCheckedInLittleMemory: what is allocated in all goes with the time. The aim is 50 ms and 16 MiB.
func TestAnyProgramIsCheckedInLittleMemory(t *testing.T) {
	for name, program := range hostile() {
		t.Run(name, func(t *testing.T) {
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			err := jq.NewChecker().Check(program)
			runtime.ReadMemStats(&after)
			if symbols := jq.Symbols(program); symbols == 0 && strings.Trim(program, " #") != "" {
				t.Error("it is past a limit, and shows nothing")
			}
			allocated := after.TotalAlloc - before.TotalAlloc
			t.Logf("%d bytes, %d symbols: %d KiB, %.80v", len(program), jq.Symbols(program), allocated>>10, err)
			if allocated > 16<<20 {
				t.Errorf("checking it allocated %d KiB", allocated>>10)
			}
		})
	}
}
