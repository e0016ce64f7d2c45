package cli_test

import (
	"encoding/json"
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/exospherehost/orbit"
)

func (f *fakeAPI) setSecret(w http.ResponseWriter, r *http.Request) {
	var request struct{ Value string }
	if json.Unmarshal([]byte(body(r)), &request) != nil {
		problem(w, orbit.Problem{Title: "Bad Request", Status: 400})
		return
	}
	if f.secrets == nil {
		f.secrets = map[string]string{}
	}
	f.secrets[r.PathValue("project")+"/"+r.PathValue("name")] = request.Value
	w.WriteHeader(http.StatusCreated)
	give(w, orbit.SecretDoc{Name: r.PathValue("name"), Version: 1})
}

func (f *fakeAPI) removeSecret(w http.ResponseWriter, r *http.Request) {
	name := r.PathValue("project") + "/" + r.PathValue("name")
	if _, ok := f.secrets[name]; !ok {
		problem(w, orbit.Problem{Title: "Not found", Status: 404, Detail: "the vault of " + r.PathValue("project") + " has no secret " + r.PathValue("name")})
		return
	}
	delete(f.secrets, name)
	w.WriteHeader(http.StatusNoContent)
}

func (f *fakeAPI) listSecrets(w http.ResponseWriter, r *http.Request) {
	var all []orbit.SecretDoc
	for _, name := range slices.Sorted(maps.Keys(f.secrets)) {
		if rest, ok := strings.CutPrefix(name, r.PathValue("project")+"/"); ok {
			at := time.Date(1999, 12, 31, 23, 0, 0, 0, time.UTC)
			all = append(all, orbit.SecretDoc{Name: rest, Version: 2, CreatedAt: at, UpdatedAt: at.Add(30 * time.Minute)})
		}
	}
	page(w, r, all)
}

func TestSecretsAreSetListedAndRemoved(t *testing.T) {
	bubble(t, func(t *testing.T) {
		api := &fakeAPI{}
		invoke(call{args: orbitArgs("secrets set acme api-token"), stdin: "line one\nline two\n", api: api}).expect(t, 0, "api-token of acme stored, version 1\n", "")
		if got := api.secrets["acme/api-token"]; got != "line one\nline two" {
			t.Errorf("stored: %q", got)
		}
		invoke(call{args: orbitArgs("secrets set acme api-token"), stdin: "windows\r\n", api: api}).expect(t, 0, "api-token of acme stored, version 1\n", "")
		if got := api.secrets["acme/api-token"]; got != "windows" {
			t.Errorf("stored: %q", got)
		}
		invoke(call{args: orbitArgs("secrets list acme"), api: api}).expect(t, 0, "NAME       VERSION  CREATED     UPDATED\napi-token        2  1999-12-31  1999-12-31\n", "")
		got := invoke(call{args: orbitArgs("secrets list acme -o json"), api: api})
		if got.code != 0 || strings.Contains(got.stdout, "windows") || !strings.Contains(got.stdout, `"name": "api-token"`) {
			t.Errorf("%+v", got)
		}
		invoke(call{args: orbitArgs("secrets rm acme api-token"), api: api}).expect(t, 0, "api-token of acme removed\n", "")
		invoke(call{args: orbitArgs("secrets rm acme api-token"), api: api}).expect(t, 1, "", "orbit: the vault of acme has no secret api-token\n")
		invoke(call{args: orbitArgs("secrets list acme"), api: api}).expect(t, 0, "", "the vault of acme is empty; store a secret with `orbit secrets set acme NAME`\n")
	})
}

func TestAValueIsNeverAnArgument(t *testing.T) {
	api := &fakeAPI{}
	for line, want := range map[string]string{
		"secrets set acme api-token hunter2": "unexpected argument hunter2",
		"secrets set acme":                   `an argument is missing: expected "<name>"`,
		"secrets":                            `an argument is missing: expected one of "set", "list", "rm"`,
	} {
		if got := invoke(call{args: orbitArgs(line), stdin: "x", api: api}); got.code != 2 || !strings.HasPrefix(got.stderr, "orbit: "+want) || len(api.requests) != 0 {
			t.Errorf("%s: %+v", line, got)
		}
	}
	invoke(call{args: orbitArgs("secrets set acme api-token"), stdin: "\n", api: api}).expect(t, 1, "", "orbit: stdin holds no value; write it like `orbit secrets set acme api-token <FILE`\n")
	if got := invoke(call{args: orbitArgs("secrets set acme api-token"), stdin: strings.Repeat("x", 2<<20), api: api}); got.code != 1 || !strings.Contains(got.stderr, "64 KiB") {
		t.Errorf("%d, %s", got.code, got.stderr)
	}
}

func TestApplyTellsWhatOnlyTheGatewayKnows(t *testing.T) {
	api := &fakeAPI{warn: []any{map[string]any{"file": "cluster.yml", "line": 3, "column": 3, "severity": "warning", "code": "ORB-C085", "message": "the vault of demo has no secret token yet", "hint": "store it"}}}
	got := invoke(call{args: orbitArgs("apply testdata/reports.yml"), api: api})
	if got.code != 0 || !strings.Contains(got.stderr, "testdata/reports.yml:3:3: warning[ORB-C085]: the vault of demo has no secret token yet") || !strings.Contains(got.stderr, "1 warning") {
		t.Errorf("%+v", got)
	}
}
