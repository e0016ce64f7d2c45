package orbittest_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/exospherehost/orbit"
	"github.com/exospherehost/orbit/internal/fault"
	"github.com/exospherehost/orbit/internal/orbittest"
)

// execution is an answer about a satellite that is called alone.
func execution(o *orbittest.Orbit, a orbittest.Answer, status int) (x orbit.Execution) {
	o.T.Helper()
	if a.Status != status {
		o.T.Fatalf("answered %d: %s", a.Status, a.Body)
	}
	if err := json.Unmarshal(a.Body, &x); err != nil {
		o.T.Fatal(err)
	}
	return x
}

// call runs a satellite alone.
func call(o *orbittest.Orbit, satellite, key string, body any) orbit.Execution {
	o.T.Helper()
	x := execution(o, o.Call("POST", "/v1/satellites/"+satellite, key, body), http.StatusAccepted)
	o.Accepted(x.ID)
	return x
}

func look(o *orbittest.Orbit, satellite, id string) orbit.Execution {
	o.T.Helper()
	return execution(o, o.Call("GET", "/v1/satellites/"+satellite+"/"+id, "", nil), http.StatusOK)
}

// waitCall waits for the end of an execution.
func waitCall(o *orbittest.Orbit, satellite, id string) orbit.Execution {
	o.T.Helper()
	o.Wait(id)
	return look(o, satellite, id)
}

// outputOf is the output of an execution as JSON.
func outputOf(t *testing.T, x orbit.Execution) string {
	t.Helper()
	text, err := json.Marshal(x.Output)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func TestSatelliteCalledAloneReturnsItsList(t *testing.T) {
	orbittest.Test(t, orbittest.Options{}, func(o *orbittest.Orbit) {
		o.Script.On("single", orbittest.Sleep(time.Minute/2, orbittest.FanOut(3)))
		x := call(o, "test/single", "", map[string]any{"sla": "12h"})
		if x = look(o, "test/single", x.ID); x.Status != orbit.RunRunning || x.Output != nil || x.Error != nil {
			t.Errorf("while it runs: %+v", x)
		}
		x = waitCall(o, "test/single", x.ID)
		if x.Status != orbit.RunSucceeded || outputOf(t, x) != `[{"n":0},{"n":1},{"n":2}]` || x.Error != nil || x.Retries != 0 || x.SLA.String() != "12h" || x.UpdatedAt.Sub(x.CreatedAt) < time.Minute/2 {
			t.Errorf("%+v", x)
		}
		o.Script.On("single", orbittest.FanOut(0))
		if x = waitCall(o, "test/single", call(o, "test/single", "", nil).ID); outputOf(t, x) != "[]" || x.SLA.String() != "24h" {
			t.Errorf("an empty list: %+v", x)
		}
	})
}

func TestInputOfACallIsDataInWhichNothingIsLookedFor(t *testing.T) {
	orbittest.Test(t, orbittest.Options{}, func(o *orbittest.Orbit) {
		for _, text := range []string{"${{ secrets.TOKEN }} ${{ run.id }} $${{", strings.Repeat("${{ ", 50<<10)} { // the second goes where large payloads go
			x := waitCall(o, "test/single", call(o, "test/single", "", map[string]any{"input": map[string]any{"text": text}}).ID)
			if len(x.Output) != 1 {
				t.Fatalf("%s: %v", x.Status, x.Error)
			}
			v, err := x.Output[0].Value()
			if err != nil || v.(map[string]any)["text"] != text {
				t.Errorf("%d bytes came back as %.60v, %v", len(text), v, err)
			}
		}
	})
}

func TestInputOfACallReachesTheSatelliteAsItsInput(t *testing.T) {
	orbittest.Test(t, orbittest.Options{}, func(o *orbittest.Orbit) {
		o.Script.On("single", func(_ context.Context, x *orbittest.Execution) error {
			return x.Emit(map[string]any{"given": x.HasInput, "input": x.Input, "item": x.Item()})
		})
		for body, want := range map[string]string{
			`{"input": [1, {"a": "b"}]}`: `[{"given":true,"input":[1,{"a":"b"}],"item":"single/0"}]`,
			`{"input": null}`:            `[{"given":false,"input":null,"item":"single/0"}]`,
			``:                           `[{"given":false,"input":null,"item":"single/0"}]`,
		} {
			if got := outputOf(t, waitCall(o, "test/single", call(o, "test/single", "", body).ID)); got != want {
				t.Errorf("%s: %s, want %s", body, got, want)
			}
		}
	})
}

func TestSecretsOfACallReachTheSatelliteAndNobodyElse(t *testing.T) {
	orbittest.Test(t, orbittest.Options{}, func(o *orbittest.Orbit) {
		o.Script.On("single", func(_ context.Context, x *orbittest.Execution) error {
			secrets, _ := x.Config["secrets"].(map[string]any)
			if x.Config["token"] != "Bearer CANARY-vault" || secrets["KEY"] != "CANARY-"+x.Input.(string) || x.Config["note"] != "a ${{ b" {
				return orbit.Permanent(orbit.CodeSecret, "%s has other secrets", x.Item())
			}
			return x.Emit(map[string]any{"said": secrets["KEY"]})
		})
		if a := o.Call("PUT", "/v1/secrets/test/TOKEN", "", map[string]any{"value": "CANARY-vault"}); a.Status != 201 {
			t.Fatalf("%d %s", a.Status, a.Body)
		}
		ask := func(key, value string) orbit.Execution {
			return call(o, "test/single", key, map[string]any{"input": value, "config": map[string]any{
				"token": "Bearer ${{ secrets.TOKEN }}", "secrets": []any{map[string]any{"KEY": "CANARY-" + value}}, "note": "a ${{ '${{' }} b"}})
		}
		// The plan is the same for both, and what is sealed is not.
		first, second := ask("one", "first"), ask("two", "second")
		for _, x := range []orbit.Execution{first, second} {
			if x = waitCall(o, "test/single", x.ID); x.Status != orbit.RunSucceeded {
				t.Errorf("%s: %s", x.Status, *x.Error)
			}
		}
		if o.Document(first.ID).Plan != o.Document(second.ID).Plan {
			t.Error("the value of a secret is part of the plan")
		}
		if again := ask("one", "first"); again.ID != first.ID || again.Status != orbit.RunSucceeded {
			t.Errorf("the same call again: %+v", again)
		}
	})
}

func TestExecutionThatFailsSaysWhyAndHowOftenItWasTried(t *testing.T) {
	orbittest.Test(t, orbittest.Options{}, func(o *orbittest.Orbit) {
		o.Script.On("single", orbittest.FailFirst(2))
		if x := waitCall(o, "test/single", call(o, "test/single", "", nil).ID); x.Status != orbit.RunSucceeded || x.Retries != 2 || x.Error != nil || outputOf(t, x) != "[{}]" {
			t.Errorf("at the third attempt: %+v", x)
		}
		o.Script.On("single", orbittest.FailForGood)
		id := call(o, "test/single", "", nil).ID
		if x := waitCall(o, "test/single", id); x.Status != orbit.RunFailed || x.Retries != 0 || x.Output != nil || x.Error == nil || *x.Error != "single/0: cannot be read" {
			t.Errorf("failed for good: %+v", x)
		}
		o.Script.On("single", orbittest.Pass)
		if a := o.Call("POST", "/v1/runs/"+id+"/retry", "", nil); a.Status != http.StatusOK {
			t.Fatalf("retry: %d %s", a.Status, a.Body)
		}
		if x := waitCall(o, "test/single", id); x.Status != orbit.RunSucceeded || x.Retries != 1 || x.Error != nil || outputOf(t, x) != "[{}]" {
			t.Errorf("done again: %+v", x)
		}
		o.Script.On("single", orbittest.FailFirst(100))
		if x := waitCall(o, "test/single", call(o, "test/single", "", nil).ID); x.Status != orbit.RunFailed || x.Retries != 5 || *x.Error != "single/0: not yet, this is attempt 6" {
			t.Errorf("tried until the end: %+v", x)
		}
	})
}

func TestExecutionIsARunOfTheOrdinaryAPI(t *testing.T) {
	orbittest.Test(t, orbittest.Options{}, func(o *orbittest.Orbit) {
		o.Script.On("single", orbittest.Sleep(time.Hour, orbittest.Pass))
		id := call(o, "test/single", "k", map[string]any{"sla": "1m"}).ID
		time.Sleep(10 * time.Second)
		if runs := o.Runs("satellite/test/single"); len(runs) != 1 || runs[0].ID != id || runs[0].Version == "" {
			t.Errorf("%+v", runs)
		}
		if a := o.Call("GET", "/v1/runs/"+id+"/why", "", nil); a.Status != 200 || !strings.Contains(string(a.Body), "runs on node") {
			t.Errorf("why: %d %s", a.Status, a.Body)
		}
		if a := o.Call("POST", "/v1/runs/"+id+"/cancel", "", nil); a.Status != 200 {
			t.Fatalf("cancel: %d %s", a.Status, a.Body)
		}
		if x := look(o, "test/single", id); x.Status != orbit.RunCancelled || x.Output != nil || x.Error != nil {
			t.Errorf("cancelled: %+v", x)
		}
		if again := call(o, "test/single", "k", map[string]any{"sla": "1m"}); again.ID != id || again.Status != orbit.RunCancelled {
			t.Errorf("the same key: %+v", again)
		}
		if a := o.Call("POST", "/v1/runs/"+id+"/retry", "", nil); a.Status != 409 || !strings.Contains(string(a.Body), "call the satellite test/single once more") {
			t.Errorf("retry: %d %s", a.Status, a.Body)
		}
		for _, path := range []string{"test/few/" + id, "test/single/" + strings.Repeat("0", 20), "test/single/x", "test/none/" + id} {
			if a := o.Call("GET", "/v1/satellites/"+path, "", nil); a.Status != 404 {
				t.Errorf("%s: %d %s", path, a.Status, a.Body)
			}
		}
		name := o.Apply(chain)
		run := o.Run(name, nil)
		o.Wait(run)
		if a := o.Call("GET", "/v1/satellites/test/single/"+run, "", nil); a.Status != 404 {
			t.Errorf("a cluster's run: %d %s", a.Status, a.Body)
		}
	})
}

func TestExecutionWaitsForAModelThatNobodyHosts(t *testing.T) {
	orbittest.Test(t, orbittest.Options{}, func(o *orbittest.Orbit) {
		id := call(o, "test/model", "", nil).ID
		time.Sleep(time.Minute)
		if x := look(o, "test/model", id); x.Status != orbit.RunRunning || x.UpdatedAt.After(x.CreatedAt.Add(time.Minute/2)) {
			t.Errorf("%+v", x)
		}
		if a := o.Call("GET", "/v1/runs/"+id+"/why", "", nil); a.Status != 200 || !strings.Contains(string(a.Body), "test/model") {
			t.Errorf("why: %d %s", a.Status, a.Body)
		}
		o.Call("POST", "/v1/runs/"+id+"/cancel", "", nil)
	})
}

func TestSameKeyCallsOnceAndAnotherBodyIsRefused(t *testing.T) {
	orbittest.Test(t, orbittest.Options{Gateways: 2}, func(o *orbittest.Orbit) {
		body := `{"input": {"a": 1, "b": 2}, "config": {"note": 1}}`
		id := call(o, "test/single", "k", body).ID
		for i, same := range []string{body, `{"sla":"24h","config":{"note":1.0},"input":{"b":2,"a":1}}`} {
			if x := execution(o, o.CallOn(o.Gateway(i), "POST", "/v1/satellites/test/single", "k", same), 202); x.ID != id {
				t.Errorf("%s made another execution", same)
			}
		}
		for _, other := range []string{``, `{"input": {"a": 1, "b": 2}}`, `{"input": {"a": 1}, "config": {"note": 1}}`, `{"input": {"a": 1, "b": 2}, "config": {"note": 1}, "sla": "6h"}`} {
			if a := o.Call("POST", "/v1/satellites/test/single", "k", other); a.Status != 409 || !strings.Contains(string(a.Body), id) {
				t.Errorf("%s: %d %s", other, a.Status, a.Body)
			}
		}
		if x := call(o, "test/few", "k", body); x.ID == id {
			t.Error("a key holds for another satellite too")
		}
		o.Wait(id)
		if n := o.Script.Count(id, "single/0"); n != 1 {
			t.Errorf("it ran %d times", n)
		}
	})
}

func TestCallSettlesOnceWhereverItsGatewayCrashes(t *testing.T) {
	for _, point := range []string{"call.planned", "launch.stored", "launch.created", "launch.published"} {
		t.Run(point, func(t *testing.T) {
			orbittest.Test(t, orbittest.Options{}, func(o *orbittest.Orbit) {
				crashed := 0
				o.SetFaults(func(p *orbittest.Process, _ int, at string) error {
					if at == point && crashed == 0 {
						crashed++
						p.Crash()
						return fault.ErrCrash
					}
					return nil
				})
				body := map[string]any{"input": map[string]any{"text": strings.Repeat("x", 50<<10)}, "config": map[string]any{"secrets": map[string]any{"KEY": "CANARY-of-a-call"}}}
				if a := o.Call("POST", "/v1/satellites/test/single", "once", body); a.Status != 0 || crashed != 1 {
					t.Fatalf("the gateway died %d times and answered %d", crashed, a.Status)
				}
				o.StartGateway()
				time.Sleep(time.Minute)
				x := call(o, "test/single", "once", body)
				if x = waitCall(o, "test/single", x.ID); x.Status != orbit.RunSucceeded || len(x.Output) != 1 {
					t.Errorf("%+v", x)
				}
				if n := len(o.Runs("satellite/test/single")); n != 1 || o.Script.Total() != 1 {
					t.Errorf("%d executions, which ran %d times", n, o.Script.Total())
				}
			})
		})
	}
}

func TestExecutionIsShownAsBeforeWhenItIsPutAway(t *testing.T) {
	orbittest.Test(t, soon, func(o *orbittest.Orbit) {
		o.Script.On("single", orbittest.FailFirst(1))
		good := call(o, "test/single", "k", map[string]any{"input": map[string]any{"a": 1}}).ID
		o.Script.On("few", orbittest.FailForGood)
		bad := call(o, "test/few", "", nil).ID
		before := fmt.Sprintf("%+v", []string{show(o, "test/single", good), show(o, "test/few", bad)})
		time.Sleep(20 * time.Minute)
		if !o.Document(good).Purged || !o.Document(bad).Purged {
			t.Error("they are not put away")
		}
		if after := fmt.Sprintf("%+v", []string{show(o, "test/single", good), show(o, "test/few", bad)}); after != before {
			t.Errorf("before: %s\nafter: %s", before, after)
		}
		if x := call(o, "test/single", "k", map[string]any{"input": map[string]any{"a": 1}}); x.ID != good || outputOf(t, x) != `[{"a":1}]` {
			t.Errorf("the same key: %+v", x)
		}
		o.StopGateway(0)
		o.DrainNode(0)
		o.RestartServer(8 * 24 * time.Hour)
		o.StartGateway()
		time.Sleep(2 * time.Minute)
		x := look(o, "test/single", good)
		if x.Status != orbit.RunSucceeded || x.Output != nil || !strings.Contains(x.Hint, "were kept for their time") {
			t.Errorf("forgotten: %+v", x)
		}
		if x := look(o, "test/few", bad); x.Status != orbit.RunFailed || x.Error == nil || *x.Error != "few/0: cannot be read" {
			t.Errorf("forgotten: %+v", x)
		}
	})
}

// show is what the API shows of an ended execution.
func show(o *orbittest.Orbit, satellite, id string) string {
	o.T.Helper()
	o.Wait(id)
	return string(o.Call("GET", "/v1/satellites/"+satellite+"/"+id, "", nil).Body)
}

func TestOutputThatIsTooLongIsLeftOutAndSaidWhereToFind(t *testing.T) {
	orbittest.Test(t, orbittest.Options{}, func(o *orbittest.Orbit) {
		o.Script.On("single", func(_ context.Context, x *orbittest.Execution) error {
			for range 10 {
				if err := x.Emit(map[string]any{"text": strings.Repeat("x", 1<<20)}); err != nil {
					return err
				}
			}
			return nil
		})
		x := waitCall(o, "test/single", call(o, "test/single", "", nil).ID)
		if x.Status != orbit.RunSucceeded || x.Output != nil || !strings.Contains(x.Hint, "/v1/runs/"+x.ID+"/outputs") {
			t.Errorf("%d objects, %q", len(x.Output), x.Hint)
		}
		if n := len(o.Outputs(x.ID)); n != 10 {
			t.Errorf("outputs streams %d objects", n)
		}
	})
}
