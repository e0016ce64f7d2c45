package gateway

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/exospherehost/orbit"
)

// fromVault is a cluster file whose webhook step uses one secret of the project's vault.
const fromVault = "version: 0.0.1b\ncluster:\n  identifier: acme/a\n  sla: 6h\n  trigger: api-call\n  secrets:\n    - TOKEN: {vault: api.token}\n" +
	"  satellites:\n    - uses: satellite/exospherehost/call-webhook\n      identifier: hook\n      config: {url: 'http://127.0.0.1:1/', headers: {X: '${{ secrets.TOKEN }}'}}\n"

func TestSecretsAreStoredListedAndRemovedAndNeverShown(t *testing.T) {
	inBubble(t, func(b *bench) {
		if doc := into[orbit.SecretDoc](b, b.send("PUT", "/v1/secrets/acme/b", `{"value": "CANARY-1"}`), 201); doc.Name != "b" || doc.Version != 1 || doc.CreatedAt.IsZero() {
			b.Errorf("%+v", doc)
		}
		into[orbit.SecretDoc](b, b.send("PUT", "/v1/secrets/acme/a.b-c_d", `{"value": "CANARY-2"}`), 201)
		into[orbit.SecretDoc](b, b.send("PUT", "/v1/secrets/acme-2/b", `{"value": "CANARY-3"}`), 201)
		if doc := into[orbit.SecretDoc](b, b.send("PUT", "/v1/secrets/acme/b", `{"value": "CANARY-4"}`), 200); doc.Version != 2 {
			b.Errorf("%+v", doc)
		}
		w := b.get("/v1/secrets/acme")
		if p := into[page[orbit.SecretDoc]](b, w, 200); len(p.Data) != 2 || p.Data[0].Name != "a.b-c_d" || p.Data[1].Name != "b" || strings.Contains(w.Body.String(), "CANARY") {
			b.Errorf("%s", w.Body)
		}
		if w := b.send("DELETE", "/v1/secrets/acme/b", ""); w.Code != 204 {
			b.Errorf("%d", w.Code)
		}
		b.refused(b.send("DELETE", "/v1/secrets/acme/b", ""), 404, "the vault of acme has no secret b; `orbit secrets list acme`")
		if doc := into[orbit.SecretDoc](b, b.send("PUT", "/v1/secrets/acme/b", `{"value": "x"}`), 201); doc.Version != 1 {
			b.Errorf("set again: %+v", doc)
		}
	})
}

func TestWhatIsNoSecretIsRefusedWithoutShowingIt(t *testing.T) {
	inBubble(t, func(b *bench) {
		for _, c := range []struct {
			path, body string
			status     int
			sentence   string
		}{
			{"acme/a", "CANARY", 400, "the body is not JSON with the value"},
			{"acme/a", `{"value": 12}`, 400, "the body is not JSON with the value"},
			{"acme/a", `{"values": "CANARY"}`, 400, "the body is not JSON with the value"},
			{"acme/a", `{"value": ""}`, 422, "orbit secrets rm acme a"},
			{"acme/a", "{\"value\": \"CANARY\xff\"}", 422, "no text"},
			{"acme/a", `{"value": "` + strings.Repeat("x", 64<<10+1) + `"}`, 413, "64 KiB"},
			{"acme/a", `{"value": "` + strings.Repeat("x", 1<<20) + `"}`, 413, "bytes"},
			{"acme/a..b", `{"value": "CANARY"}`, 400, "no name of a secret"},
			{"acme/a.", `{"value": "CANARY"}`, 400, "no name of a secret"},
			{"acme/*", `{"value": "CANARY"}`, 400, "no name of a secret"},
			{"acme/" + strings.Repeat("x", 129), `{"value": "CANARY"}`, 400, "128 characters"},
			{"Acme/a", `{"value": "CANARY"}`, 400, "no name of a project"},
			{"a.b/a", `{"value": "CANARY"}`, 400, "no name of a project"},
		} {
			w := b.send("PUT", "/v1/secrets/"+c.path, c.body)
			b.refused(w, c.status, c.sentence)
			if strings.Contains(w.Body.String(), "CANARY") {
				b.Errorf("%s shows what was sent", w.Body)
			}
		}
		b.refused(b.get("/v1/secrets/a.b"), 400, "no name of a project")
		if p := into[page[orbit.SecretDoc]](b, b.get("/v1/secrets/acme"), 200); len(p.Data) != 0 {
			b.Errorf("%+v", p)
		}
	})
}

func TestAClusterTakesItsSecretsFromTheVaultOfItsProjectWhenTheyAreNeeded(t *testing.T) {
	inBubble(t, func(b *bench) {
		into[orbit.SecretDoc](b, b.send("PUT", "/v1/secrets/other/api.token", `{"value": "of-another-project"}`), 201)
		a := into[Applied](b, b.send("PUT", "/v1/clusters/acme/a", fromVault), 201)
		if len(a.Diagnostics) != 1 || a.Diagnostics[0].Code != "ORB-C085" || a.Diagnostics[0].Line != 7 || !strings.Contains(a.Diagnostics[0].Hint, "orbit secrets set acme api.token") {
			b.Errorf("%+v", a.Diagnostics)
		}
		b.refused(b.send("POST", "/v1/clusters/acme/a/runs", ""), 422, "no value for TOKEN: the vault of acme has no secret api.token; store it with `orbit secrets set acme api.token`")
		into[orbit.SecretDoc](b, b.send("PUT", "/v1/secrets/acme/api.token", `{"value": "first-value"}`), 201)
		if a := into[Applied](b, b.send("PUT", "/v1/clusters/acme/a", fromVault), 200); len(a.Diagnostics) != 0 {
			b.Errorf("%+v", a.Diagnostics)
		}
		run := b.start("acme/a", "")
		if got := b.granted(run.ID); got["TOKEN"] != "first-value" || len(got) != 1 {
			b.Errorf("%v", got)
		}
		into[orbit.SecretDoc](b, b.send("PUT", "/v1/secrets/acme/api.token", `{"value": "second-value"}`), 200)
		if got := b.granted(run.ID); got["TOKEN"] != "second-value" {
			b.Errorf("after it was changed: %v", got)
		}
		if w := b.send("DELETE", "/v1/secrets/acme/api.token", ""); w.Code != 204 {
			b.Errorf("%d", w.Code)
		}
		if got := b.asked(run.ID); len(got.Values) != 0 || !strings.Contains(got.Lacks["TOKEN"], "has no secret api.token; store it with") {
			b.Errorf("after it was removed: %+v", got)
		}
		if other := b.start("acme/a", `{"secrets": {"TOKEN": "of-the-run"}}`); b.granted(other.ID)["TOKEN"] != "of-the-run" {
			b.Error("a run's own value does not come first")
		}
	})
}

// elsewhere is a vault that is not Orbit's.
type elsewhere struct {
	values map[string]string
	err    error
}

func (e *elsewhere) String() string { return "a vault elsewhere" }

func (e *elsewhere) Value(_ context.Context, project, name string) (string, error) {
	if e.err != nil {
		return "", e.err
	}
	v, ok := e.values[project+"/"+name]
	if !ok {
		return "", orbit.Permanent(orbit.CodeSecret, "a vault elsewhere has nothing at %s/%s", project, name)
	}
	return v, nil
}

func TestAVaultElsewhereTakesThePlaceOfOrbitsOwn(t *testing.T) {
	inBubble(t, func(b *bench) {
		into[orbit.SecretDoc](b, b.send("PUT", "/v1/secrets/acme/api.token", `{"value": "of-orbit"}`), 201)
		there := &elsewhere{values: map[string]string{}}
		b.g.opts.Backend = there
		b.refused(b.send("PUT", "/v1/secrets/acme/api.token", `{"value": "x"}`), 409, "kept in a vault elsewhere; store api.token of acme there")
		if a := into[Applied](b, b.send("PUT", "/v1/clusters/acme/a", fromVault), 201); len(a.Diagnostics) != 1 {
			b.Errorf("%+v", a.Diagnostics)
		}
		b.refused(b.send("POST", "/v1/clusters/acme/a/runs", ""), 422, "no value for TOKEN: a vault elsewhere has nothing at acme/api.token")
		there.err = errors.New("it does not answer")
		run := b.start("acme/a", "") // accepted: its items wait
		there.values["acme/api.token"], there.err = "of-the-other", nil
		if got := b.granted(run.ID); got["TOKEN"] != "of-the-other" {
			b.Errorf("%v", got)
		}
	})
}
