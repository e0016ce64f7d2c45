package orbittest_test

import (
	"context"
	"fmt"
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

// blab says its secret wherever it can: in the log, in its outputs, and at its first attempt in an error.
func blab(_ context.Context, x *orbittest.Execution) error {
	token, _ := x.Config["token"].(string)
	if !strings.Contains(token, "CANARY-9f3a77c1") {
		return orbit.Permanent(orbit.CodeSecret, "%s has no secret", x.Item())
	}
	x.Log.Warn().Str("token", token).Msg("logging in with " + token)
	if x.Attempt == 1 {
		return orbit.Transient(orbit.CodeDenied, "%s: the service refused the token %s", x.Item(), token)
	}
	return x.Emit(map[string]any{"echo": token, token: true, "nested": []any{map[string]any{"deep": "x" + token + "y"}}})
}

func TestSecretReachesItsSatelliteAndNobodyElse(t *testing.T) {
	orbittest.Test(t, orbittest.Options{Nodes: 2, Wiretap: true}, func(o *orbittest.Orbit) {
		o.Script.On("a", blab)
		o.Script.On("c", blab)
		run := o.Wait(o.Run(o.Apply(secretive), nil))
		wantRun(t, run, orbit.RunSucceeded, "c", map[orbit.ItemState]int{orbit.ItemSucceeded: 1})
		out := o.Outputs(run.ID)
		if len(out) != 1 || out[0] != `{"Bearer***":true,"echo":"Bearer***","nested":[{"deep":"xBearer***y"}]}` {
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
