package orbittest_test

import (
	"context"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"html"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/exospherehost/orbit"
	"github.com/exospherehost/orbit/internal/orbittest"
)

const secretive = `
version: 0.0.1b
cluster:
  identifier: test/secretive
  sla: 6h
  trigger: api-call
  retries: {max: 2, delay: 1s}
  secrets:
    - TOKEN: "CANARY-9f3a77c1"
  satellites:
    - {uses: test/single, identifier: a, config: {token: "${{ secrets.TOKEN }}"}}
    - {uses: test/single, identifier: b}
    - {uses: test/few, identifier: c, config: {token: "Bearer${{ secrets.TOKEN }}"}}
`

// encodings are the forms in which programs write a secret.
func encodings(s string) (out []string) {
	for _, e := range []*base64.Encoding{base64.StdEncoding, base64.RawStdEncoding, base64.URLEncoding, base64.RawURLEncoding} {
		for shift := range 3 {
			out = append(out, e.EncodeToString([]byte("abc"[:shift]+s+"xyz")))
		}
	}
	out = append(out, hex.EncodeToString([]byte(s)), strings.ToUpper(hex.EncodeToString([]byte(s))), url.QueryEscape(s), url.PathEscape(s), html.EscapeString(s))
	for _, format := range []string{"%%%02x", "%%%02X", `\u%04x`, "&#%d;"} {
		text := ""
		for _, c := range []byte(s) {
			text += fmt.Sprintf(format, c)
		}
		out = append(out, text, fmt.Sprintf("%q", text))
	}
	return out
}

// blab says its secret wherever it can: in the log, in its outputs, and at its first attempt in an error.
func blab(_ context.Context, x *orbittest.Execution) error {
	token, _ := x.Config["token"].(string)
	if !strings.Contains(token, "CANARY-9f3a77c1") {
		return orbit.Permanent(orbit.CodeSecret, "%s has no secret", x.Item())
	}
	encoded := encodings(token)
	x.Log.Warn().Str("token", token).Msg("logging in with " + token)
	x.Log.Debug().Strs("encoded", encoded).Msg(strings.Join(encoded, " "))
	if x.Attempt == 1 {
		return orbit.Transient(orbit.CodeDenied, "%s: the service refused the token %s, %s", x.Item(), token, strings.Join(encoded, " "))
	}
	list := make([]any, len(encoded))
	for i := range encoded {
		list[i] = encoded[i]
	}
	return x.Emit(map[string]any{"encoded": list, "echo": token, token: true, "nested": []any{map[string]any{"deep": "x" + token + "y"}}})
}

func TestSecretReachesItsSatelliteAndNobodyElse(t *testing.T) {
	orbittest.Test(t, orbittest.Options{Nodes: 2, Wiretap: true}, func(o *orbittest.Orbit) {
		o.Script.On("a", blab)
		o.Script.On("c", blab)
		run := o.Wait(o.Run(o.Apply(secretive), nil))
		wantRun(t, run, orbit.RunSucceeded, "c", map[orbit.ItemState]int{orbit.ItemSucceeded: 1})
		out := o.Outputs(run.ID)
		var got struct{ Encoded []string }
		if len(out) != 1 || json.Unmarshal([]byte(out[0]), &got) != nil || len(got.Encoded) < 20 || !slices.ContainsFunc(got.Encoded, func(s string) bool { return s == "Bearer***" }) {
			t.Errorf("outputs %v", out)
		}
		for _, s := range got.Encoded {
			if !strings.Contains(s, "***") {
				t.Errorf("%q is not masked", s)
			}
		}
		if len(out) != 1 || !strings.HasPrefix(out[0], `{"Bearer***":true,"echo":"Bearer***","encoded":[`) || !strings.HasSuffix(out[0], `],"nested":[{"deep":"xBearer***y"}]}`) {
			t.Errorf("outputs %v; the secret should be masked and the rest be there", out)
		}
	})
}

func TestSecretStaysSecretThroughFailurePanicAndRestart(t *testing.T) {
	orbittest.Test(t, orbittest.Options{Nodes: 2, Wiretap: true}, func(o *orbittest.Orbit) {
		o.Script.On("a", onExecution(
			orbittest.KillNode,
			func(_ context.Context, x *orbittest.Execution) error {
				return fmt.Errorf("cannot log in with %q", x.Config["token"])
			},
			func(_ context.Context, x *orbittest.Execution) error { panic(x.Config["token"]) }))
		stop := o.Replace(time.Second)
		name := o.Apply(secretive)
		o.RestartServer(time.Second)
		run := o.Wait(o.Run(name, nil))
		stop()
		wantRun(t, run, orbit.RunFailed, "a", map[orbit.ItemState]int{orbit.ItemFailed: 1})
		_ = o.Items(run.ID, "") // answers are searched too
	})
}

const vaulted = `
version: 0.0.1b
cluster:
  identifier: test/vaulted
  sla: 6h
  trigger: api-call
  retries: {max: 3, delay: 1s, jitter: none}
  secrets:
    - TOKEN: {vault: api-token}
  satellites:
    - {uses: test/single, identifier: a, config: {token: "${{ secrets.TOKEN }}"}}
    - {uses: test/single, identifier: b, config: {token: "${{ secrets.TOKEN }}"}}
`

func setSecret(t *testing.T, o *orbittest.Orbit, value string) {
	t.Helper()
	if a := o.Call("PUT", "/v1/secrets/test/api-token", "", map[string]string{"value": value}); a.Status/100 != 2 {
		t.Fatalf("%d %s", a.Status, a.Body)
	}
}

func TestASecretThatIsChangedReachesTheNextAttemptAfterARefusal(t *testing.T) {
	orbittest.Test(t, orbittest.Options{Nodes: 1, Gateways: 2, Wiretap: true}, func(o *orbittest.Orbit) {
		setSecret(t, o, orbittest.Canary+"old")
		o.Script.On("a", func(_ context.Context, x *orbittest.Execution) error {
			token, _ := x.Config["token"].(string)
			if strings.HasSuffix(token, "new") {
				return x.Emit(map[string]any{"ok": true})
			}
			setSecret(t, o, orbittest.Canary+"new")
			return orbit.Transient(orbit.CodeDenied, "the service refused %s", token)
		})
		run := o.Wait(o.Run(o.Apply(vaulted), nil))
		wantRun(t, run, orbit.RunSucceeded, "b", map[orbit.ItemState]int{orbit.ItemSucceeded: 1})
		if items := o.Items(run.ID, "satellite=a"); len(items) != 1 || items[0].Attempts != 2 {
			t.Errorf("%+v", items)
		}
	})
}

func TestASecretThatIsRemovedFailsTheItemsThatNeedItUntilItIsThereAgain(t *testing.T) {
	orbittest.Test(t, orbittest.Options{Nodes: 1, Wiretap: true}, func(o *orbittest.Orbit) {
		setSecret(t, o, orbittest.Canary+"old")
		o.Script.On("a", func(_ context.Context, x *orbittest.Execution) error {
			if a := o.Call("DELETE", "/v1/secrets/test/api-token", "", nil); a.Status != 204 {
				t.Errorf("%d %s", a.Status, a.Body)
			}
			return x.Emit(map[string]any{"ok": true})
		})
		run := o.Wait(o.Run(o.Apply(vaulted), nil))
		wantRun(t, run, orbit.RunFailed, "b", map[orbit.ItemState]int{orbit.ItemFailed: 1})
		items := o.Items(run.ID, "satellite=b")
		if len(items) != 1 || items[0].Error == nil || items[0].Error.Code != orbit.CodeSecret ||
			!strings.Contains(items[0].Error.Message, "the secret TOKEN has no value: the vault of test has no secret api-token; store it with `orbit secrets set test api-token`") {
			t.Fatalf("%+v", items)
		}
		setSecret(t, o, orbittest.Canary+"new")
		if a := o.Call("POST", "/v1/runs/"+run.ID+"/retry", "", nil); a.Status != 200 && a.Status != 202 {
			t.Fatalf("%d %s", a.Status, a.Body)
		}
		wantRun(t, o.Wait(run.ID), orbit.RunSucceeded, "b", map[orbit.ItemState]int{orbit.ItemSucceeded: 1})
	})
}

func TestAValueUnderTheSecretsOfAStepIsStoredNowhere(t *testing.T) {
	orbittest.Test(t, orbittest.Options{Nodes: 1, Wiretap: true}, func(o *orbittest.Orbit) {
		o.Script.On("a", func(_ context.Context, x *orbittest.Execution) error {
			return x.Emit(map[string]any{"key": x.Invocation.Secrets()["KEY"], "fits": x.Invocation.Secrets()["KEY"] == orbittest.Canary+"literal"})
		})
		run := o.Wait(o.Run(o.Apply(`
version: 0.0.1b
cluster:
  identifier: test/literal
  sla: 6h
  trigger: api-call
  satellites:
    - {uses: test/single, identifier: a, config: {secrets: [{KEY: "CANARY-literal"}]}}
`), nil))
		wantRun(t, run, orbit.RunSucceeded, "a", map[orbit.ItemState]int{orbit.ItemSucceeded: 1})
		if out := o.Outputs(run.ID); len(out) != 1 || out[0] != `{"fits":true,"key":"***"}` {
			t.Errorf("outputs %v", out)
		}
	})
}
