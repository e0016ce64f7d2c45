package jq

import (
	"fmt"
	"strings"
	"testing"
)

// TestACheckerSaysWhatCompilingSays: of every function that jq has, with as many arguments as it takes and others, and of
// programs of each form, right and wrong. It is asked twice, since it remembers.
func TestACheckerSaysWhatCompilingSays(t *testing.T) {
	checker := NewChecker()
	for _, program := range append(calls(t), forms...) {
		for range 2 {
			agrees(t, checker, program)
		}
	}
}

// FuzzACheckerSaysWhatCompilingSays of any program.
func FuzzACheckerSaysWhatCompilingSays(f *testing.F) {
	for _, program := range forms {
		f.Add(program)
	}
	checker := NewChecker()
	f.Fuzz(func(t *testing.T, program string) { agrees(t, checker, program) })
}

func agrees(t *testing.T, checker *Checker, program string) {
	t.Helper()
	_, want := compile(program)
	if got := checker.Check(program); fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("of %s the checker says %v, and compiling it says %v", program, got, want)
	}
}

// TestACheckerRemembersNothingThatIsNotThere: what it holds is bounded by what jq has.
func TestACheckerRemembersNothingThatIsNotThere(t *testing.T) {
	checker := NewChecker()
	for _, program := range []string{"no_such", "no_such(.)", "map(.; .)", "$x", "input", "def own: 1; own", "map(no_such)"} {
		_ = checker.Check(program)
	}
	if len(checker.has) > 0 || len(checker.right) != 1 { // def own: 1; own
		t.Errorf("it remembers %v and %v", checker.has, checker.right)
	}
	_ = checker.Check("map(length) | add")
	if len(checker.has) != 3 {
		t.Errorf("it remembers %v", checker.has)
	}
}

func TestACheckerRemembersProgramsUpToABound(t *testing.T) {
	checker := NewChecker()
	for i := range 300 {
		program := fmt.Sprintf(`"%d%s"`, i, strings.Repeat("x", 10_000))
		if err := checker.Check(program); err != nil || !checker.right[program] {
			t.Fatalf("program %d: %v", i, err)
		}
		held := 0
		for p := range checker.right {
			held += len(p)
		}
		if held != checker.size || held > maxRemembered {
			t.Fatalf("it holds %d bytes and counts %d", held, checker.size)
		}
	}
}

// calls are of all functions that jq has, with 0 to 4 arguments.
func calls(t *testing.T) (programs []string) {
	code, err := compile("builtins")
	if err != nil {
		t.Fatal(err)
	}
	all, _ := code.Run(nil).Next()
	for _, f := range all.([]any) {
		name, _, _ := strings.Cut(f.(string), "/")
		for n := range 5 {
			program := name
			if n > 0 {
				program += "(" + strings.Repeat(".; ", n-1) + ".)"
			}
			programs = append(programs, program, "[.[] | {a: "+program+"}]")
		}
	}
	return programs
}

// forms are programs of each form that the language has.
var forms = []string{
	"", ".", "..", ".a", `."a"`, `."a\(.b)"`, ".[0]", ".[1:]", ".[:2]", ".[1:2]", ".[no_such]", ".[1:no_such]", ".a.b[]?", ".a[no_such]", ".a[\"x\\(no_such)\"]",
	"null", "true", "-1", "-no_such", "1e1000", "[]", "[1, no_such]", "{}", "{a}", "{a: 1, \"b\": 2, (.c): 3}", "{(no_such): 1}", "{a: no_such}", `{"a\(no_such)": 1}`, `{"a\(.b)"}`,
	"{$x}", "{$x: 1}", "{$__loc__}", "{@base64}", "{\"a\"}", "{if: 1}",
	`"a"`, `"a\(.b)"`, `"a\(no_such)"`, "@base64", "@json \"a\\(.b)\"", "@no_such", "@text",
	"if . then 1 end", "if no_such then 1 end", "if . then no_such end", "if . then 1 else no_such end", "if . then 1 elif no_such then 2 end", "if . then 1 elif . then no_such else 3 end",
	"try .a", "try no_such", "try .a catch no_such", ".a?", "(.a)", "(no_such)", ". as $x | $x", ". as [$a, {b: $c}] | $a + $c", ". as $x | $y", ". as [$a] ?// $a | $a",
	"reduce .[] as $x (0; . + $x)", "reduce .[] as $x (0; no_such)", "foreach .[] as $x (0; . + $x; .)", "label $out | break $out", "break $out", "label $a | break $b",
	"def f: .; f", "def f(g): g; f(.a)", "def f: no_such; .", "def f: 1; map(f)", "map(def f: 1; f)", ".a = 1", ".a |= no_such", ".a += 1", ".a //= 2", ".a // no_such", "1, no_such", ". and no_such", ". or .", ". == no_such",
	"$ENV", "env", "$__loc__", "$__prog_args", "input", "inputs", "input_line_number", "debug", "debug(no_such)", "error(no_such)", "limit(1; no_such)", "import \"a\" as a; .", "include \"a\"; .", "module {}; .", "modulemeta", "get_search_list",
	"map(select(.a > 1)) | group_by(.b)[] | {c: (map(.d) | add)}", "a::b", "$a::b", "]", "(", "\"", ".a |", "_plus(1; 2)", "_no_such", "not", "empty", "recurse(.a; .b)", "ltrimstr(1)", "tojson|fromjson", "splits(\"a\"; null)",
}
