package cli_test

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/exospherehost/orbit/cluster"
)

func TestExplainShowsACodeWithAnExampleAndItsCorrection(t *testing.T) {
	const want = `ORB-C012
  The wrong type of value

WHAT
  The key wants another type of value: a map, a list, text, a number, or true or false.

WHY
  A value of another type is not guessed at: that the guess was wrong would show in the middle of a
  run.

FAILS
    5 |   trigger: api-call
    6 |   retries: three
    7 |   satellites:

WHAT ORBIT LINT SAYS
cluster.yml:6:12: error[ORB-C012]: retries must be a whole number, not the text "three"
    6 |   retries: three
                   ^

MENDED
    5 |   trigger: api-call
    6 |   retries: 3
    7 |   satellites:
`
	for _, code := range []string{"ORB-C012", "orb-c012", "C012", "c012"} {
		got := invoke(call{args: []string{"explain", code}})
		if d := cmp.Diff(strings.Join(strings.Fields(want), " "), strings.Join(strings.Fields(got.stdout), " ")); d != "" || got.code != 0 || got.stderr != "" {
			t.Errorf("%s: exit code %d, stderr %q, stdout (-want +got):\n%s", code, got.code, got.stderr, d)
		}
	}
}

func TestExplainInJSONHasTheWholeFiles(t *testing.T) {
	got := invoke(call{args: orbitArgs("explain c041 -o json")})
	var doc map[string]string
	if err := json.Unmarshal([]byte(got.stdout), &doc); err != nil {
		t.Fatal(err)
	}
	if keys := slices.Sorted(maps.Keys(doc)); !slices.Equal(keys, []string{"code", "fails", "mended", "text", "title", "why"}) {
		t.Errorf("its keys are %v", keys)
	}
	if doc["code"] != "ORB-C041" || !strings.HasPrefix(doc["fails"], "version: 0.0.1b\n") || !strings.HasSuffix(doc["mended"], "parents: [first]\n") {
		t.Errorf("%q", doc)
	}
}

func TestExplainWithoutACodeListsAll(t *testing.T) {
	got := invoke(call{args: orbitArgs("explain")})
	lines := strings.Split(got.stdout, "\n")
	if got.code != 0 || len(lines) != len(cluster.Explanations())+2 || lines[1] != "ORB-C001  The file is too large" {
		t.Errorf("exit code %d, stdout:\n%s", got.code, got.stdout)
	}
	var all []cluster.Explanation
	if err := json.Unmarshal([]byte(invoke(call{args: orbitArgs("explain -o json")}).stdout), &all); err != nil || len(all) != len(cluster.Explanations()) {
		t.Errorf("%d in JSON: %v", len(all), err)
	}
}

func TestExplainKnowsNoOtherCode(t *testing.T) {
	for code, want := range map[string]string{
		"c999":     "orbit: there is no code \"c999\"; the nearest is ORB-C085; `orbit explain` lists all of them\n",
		"79":       "orbit: there is no code \"79\"; the nearest is ORB-C080; `orbit explain` lists all of them\n",
		"timeouts": "orbit: there is no code \"timeouts\"; `orbit explain` lists all of them\n",
	} {
		invoke(call{args: []string{"explain", code}}).expect(t, 1, "", want)
	}
}
