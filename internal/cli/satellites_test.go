package cli_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/exospherehost/orbit"
	"github.com/exospherehost/orbit/internal/cli"
)

// doubler is a folder with a preset over jq.
func doubler(t *testing.T, examples map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	if err := os.Mkdir(filepath.Join(dir, "examples"), 0o700); err != nil {
		t.Fatal(err)
	}
	files := map[string]string{"satellite.yml": "name: acme/double\ntitle: Double a number\npreset:\n  uses: exospherehost/jq\n  config: {query: '{n: (.n * 2)}'}\n"}
	for name, text := range examples {
		files["examples/"+name+".json"] = text
	}
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// doubling is a cluster file that uses it.
func doubling(t *testing.T) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "double.yml")
	text := "version: 0.0.1b\ncluster:\n  identifier: acme/double\n  sla: 6h\n  trigger: api-call\n  satellites:\n    - uses: acme/double\n"
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

func TestASatelliteOfOnesOwnIsTested(t *testing.T) {
	dir := doubler(t, map[string]string{"two": `{"input": {"n": 2}, "output": {"n": 4}}`, "word": `{"input": {"n": {}}, "error": {"retry": false}}`})
	invoke(call{args: []string{"satellites", "test", dir, "--items", "20"}}).expect(t, 0, `ok    spec
ok    example two
ok    example word
ok    the same again
ok    end of the context
ok    what does not fit
ok    large input (the input of the first example has no text that could be made longer)
ok    many items
ok    at once
ok    secrets (it has no field for secrets that takes a text or a map)
`, "")
}

func TestASatelliteThatBreaksTheContractEndsWith1(t *testing.T) {
	dir := doubler(t, map[string]string{"two": `{"input": {"n": 2}, "output": {"n": 5}}`})
	got := invoke(call{args: []string{"satellites", "test", dir}})
	if got.code != 1 || !strings.Contains(got.stdout, "FAIL  example two: it returned [{\"n\":4}], and [{\"n\":5}] is expected\n") || got.stderr != "" {
		t.Errorf("exit code %d\n%s%s", got.code, got.stdout, got.stderr)
	}
	got = invoke(call{args: []string{"satellites", "test", dir, "-o", "json"}})
	var checks []struct {
		Name  string
		OK    bool
		Error string
	}
	if err := json.Unmarshal([]byte(got.stdout), &checks); err != nil || got.code != 1 || len(checks) < 3 || !checks[0].OK || checks[1].OK || checks[1].Error == "" {
		t.Errorf("exit code %d, %v\n%s", got.code, err, got.stdout)
	}
	got = invoke(call{args: []string{"satellites", "test", t.TempDir()}})
	if got.code != 1 || !strings.Contains(got.stderr, "satellite.yml: there is no such file") {
		t.Errorf("exit code %d, %s", got.code, got.stderr)
	}
}

func TestSatellitesAreRegisteredByTheirDescription(t *testing.T) {
	dir := doubler(t, nil)
	api := &fakeAPI{}
	invoke(call{args: []string{"satellites", "register", dir}, api: api}).expect(t, 0, "acme/double registered, version 0123456789\n", "")
	var spec orbit.SatelliteSpec
	if err := json.Unmarshal([]byte(api.described), &spec); err != nil || spec.Name != "acme/double" || spec.Pool != "project-acme" || spec.Kind != "configured" {
		t.Errorf("%v: %s", err, api.described)
	}
	if strings.Contains(api.described, ".n * 2") {
		t.Errorf("the preset's config was sent: %s", api.described)
	}
	list, err := json.Marshal([]orbit.SatelliteSpec{spec}) // what a node with satellites in Go prints
	if err != nil {
		t.Fatal(err)
	}
	again := &fakeAPI{}
	invoke(call{args: []string{"satellites", "register", "-"}, stdin: string(list), api: again}).expect(t, 0, "acme/double registered, version 0123456789\n", "")
	if d := cmp.Diff(api.described, again.described); d != "" {
		t.Errorf("by a list (-folder +list):\n%s", d)
	}
	for stdin, want := range map[string]string{"[": "stdin holds no descriptions of satellites", "[null]": "holds a null", `{"name": "a"}`: "the satellite a in stdin cannot be registered: name:"} {
		if got := invoke(call{args: []string{"satellites", "register", "-"}, stdin: stdin, api: api}); got.code != 1 || !strings.Contains(got.stderr, want) {
			t.Errorf("%s: exit code %d, %s", stdin, got.code, got.stderr)
		}
	}
}

func TestARegisteredSatelliteIsRemoved(t *testing.T) {
	api := &fakeAPI{}
	invoke(call{args: orbitArgs("satellites remove satellite/acme/double"), api: api}).expect(t, 0, "acme/double removed\n", "")
	if got := api.requests[0]; got != "DELETE /v1/satellites/acme/double" {
		t.Error(got)
	}
	if got := invoke(call{args: orbitArgs("satellites remove double"), api: api}); got.code != 1 || !strings.Contains(got.stderr, "write it like project/name") {
		t.Errorf("exit code %d, %s", got.code, got.stderr)
	}
}

func TestClustersUseSatellitesOfFoldersAndOfTheGateway(t *testing.T) {
	dir, file := doubler(t, nil), doubling(t)
	if got := invoke(call{args: []string{"lint", file}}); got.code != 1 || !strings.Contains(got.stdout, "ORB-C030") {
		t.Errorf("unknown: exit code %d, %s", got.code, got.stdout)
	}
	for _, args := range [][]string{{"lint", "--satellites", dir, file}, {"plan", "--satellites", dir, file}} {
		if got := invoke(call{args: args}); got.code != 0 {
			t.Errorf("%v: exit code %d, %s%s", args, got.code, got.stdout, got.stderr)
		}
	}
	known := &fakeAPI{registered: []orbit.SatelliteSpec{{Name: "acme/double", Kind: "custom", Title: "Double a number", Pool: "project-acme"}}}
	if got := invoke(call{args: []string{"apply", file}, api: known}); got.code != 0 || !strings.Contains(got.stdout, "acme/double registered") {
		t.Errorf("known to the gateway: exit code %d, %s%s", got.code, got.stdout, got.stderr)
	}
	if got := invoke(call{args: []string{"apply", file}, api: &fakeAPI{}}); got.code != 1 || !strings.Contains(got.stderr, "ORB-C030") {
		t.Errorf("known to nobody: exit code %d, %s", got.code, got.stderr)
	}
	if got := invoke(call{args: orbitArgs("satellites --mesh"), api: known}); got.code != 0 || !strings.Contains(got.stdout, "acme/double") || strings.Contains(got.stdout, "exospherehost/jq") {
		t.Errorf("listed: exit code %d, %s%s", got.code, got.stdout, got.stderr)
	}
	if got := invoke(call{args: orbitArgs("satellites --mesh double"), api: known}); got.code != 0 || !strings.Contains(got.stdout, "In the pool project-acme") {
		t.Errorf("shown: exit code %d, %s%s", got.code, got.stdout, got.stderr)
	}
}

func TestAPrivateMeshIsToldOfTheFolders(t *testing.T) {
	dir, file := doubler(t, nil), doubling(t)
	mesh := &fakeMesh{}
	api := &fakeAPI{runs: []orbit.Run{ended(orbit.RunSucceeded, 1)}}
	got := invoke(call{args: []string{"run", "--local", "--satellites", dir, file}, api: api, deps: cli.Deps{StartMesh: mesh.start}})
	if got.code != 0 || len(mesh.options.Satellites) != 1 || mesh.options.Satellites[0] != dir {
		t.Errorf("exit code %d, %+v\n%s", got.code, mesh.options, got.stderr)
	}
}
