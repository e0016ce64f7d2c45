package orbittest_test

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/nats-io/nats.go"

	"github.com/exospherehost/orbit"
	"github.com/exospherehost/orbit/internal/fault"
	"github.com/exospherehost/orbit/internal/orbittest"
)

// startedBy is a cluster of one step that starts by what TRIGGER says.
const startedBy = `
version: 0.0.1b
cluster:
  identifier: test/started
  sla: 6h
  trigger: TRIGGER
  secrets: {HOOK: word}
  satellites:
    - {uses: test/single, identifier: a, timeout: 1h}
`

func trigger(what string) string { return strings.Replace(startedBy, "TRIGGER", what, 1) }

// ticksOf gives the ticks of the runs of a cluster, in the order in which they were made, as hours and minutes.
func ticksOf(o *orbittest.Orbit, name string) (ticks []string) {
	for _, run := range o.Runs(name) {
		ticks = append(ticks, run.Trigger.At.Format("15:04"))
	}
	return ticks
}

// wantTicks fails the test where there are other runs than those of the given ticks. No more of them come.
func wantTicks(o *orbittest.Orbit, name string, want ...string) {
	o.T.Helper()
	defer time.Sleep(5 * time.Second)
	o.Call("POST", "/v1/triggers/"+name+"/cron/pause", "", nil)
	if diff := cmp.Diff(want, ticksOf(o, name)); diff != "" {
		o.T.Errorf("ticks (-want +got):\n%s", diff)
	}
}

func TestEachTickMakesOneRun(t *testing.T) {
	orbittest.Test(t, orbittest.Options{Gateways: 3}, func(o *orbittest.Orbit) {
		name := o.Apply(trigger(`{cron: "* * * * *"}`))
		time.Sleep(210 * time.Second)
		tr := o.Triggers(name)[0]
		wantTicks(o, name, "00:01", "00:02", "00:03")
		for _, run := range o.Runs(name) {
			if run.State != orbit.RunSucceeded || run.Trigger.Type != "cron" || !run.Deadline.Equal(run.Trigger.At.Add(6*time.Hour)) || run.CreatedAt.Sub(run.Trigger.At) > 2*time.Second {
				t.Errorf("%+v", run)
			}
		}
		if tr.Name != "test/started/cron" || len(tr.Next) != 3 || tr.Next[0].Format("15:04") != "00:04" || tr.LastRun != o.Runs(name)[2].ID {
			t.Errorf("%+v", tr)
		}
	})
}

func TestTickMakesOneRunWhereverItsGatewayCrashes(t *testing.T) {
	for _, point := range []string{"tick.due", "launch.stored", "launch.created", "launch.published", "tick.launched"} {
		t.Run(point, func(t *testing.T) {
			orbittest.Test(t, orbittest.Options{Gateways: 2}, func(o *orbittest.Orbit) {
				name := o.Apply(trigger(`{cron: "* * * * *"}`))
				time.Sleep(50 * time.Second)
				stop := crashNext(o, point)
				time.Sleep(100 * time.Second)
				stop()
				wantTicks(o, name, "00:01", "00:02")
			})
		})
	}
}

// crashNext crashes whoever first passes a point, and has it replaced.
func crashNext(o *orbittest.Orbit, at string) (stop func()) {
	crashed := false
	o.SetFaults(func(p *orbittest.Process, _ int, point string) error {
		if point != at || crashed {
			return nil
		}
		crashed = true
		p.Crash()
		return fault.ErrCrash
	})
	stopped := o.Replace(time.Second)
	return func() {
		if !crashed {
			o.T.Errorf("nobody came to %s", at)
		}
		stopped()
	}
}

func TestTicksThatWereMissedAreCaughtUpWithAsTheTriggerSays(t *testing.T) {
	for catchUp, want := range map[string][]string{
		"none": {"00:01", "00:05", "00:06"}, "latest": {"00:01", "00:04", "00:05", "00:06"}, "all": {"00:01", "00:02", "00:03", "00:04", "00:05", "00:06"},
	} { // that of 00:05 is late, and not missed
		t.Run(catchUp, func(t *testing.T) {
			orbittest.Test(t, orbittest.Options{}, func(o *orbittest.Orbit) {
				name := o.Apply(trigger(`{cron: "* * * * *", catch-up: ` + catchUp + `}`))
				time.Sleep(90 * time.Second)
				o.KillGateway(0)
				time.Sleep(4 * time.Minute)
				o.StartGateway()
				time.Sleep(45 * time.Second)
				wantTicks(o, name, want...)
			})
		})
	}
}

func TestTickDuringTheRunBeforeIsTakenAsTheTriggerSays(t *testing.T) {
	for overlap, want := range map[string]struct {
		made   []string // ticks
		states map[orbit.RunState]int
	}{ // of runs that last 160 seconds, in four and a half
		"skip":   {[]string{"00:01", "00:04"}, map[orbit.RunState]int{orbit.RunSucceeded: 1, orbit.RunRunning: 1}},
		"queue":  {[]string{"00:01", "00:02"}, map[orbit.RunState]int{orbit.RunSucceeded: 1, orbit.RunRunning: 1}},
		"cancel": {[]string{"00:01", "00:02", "00:03", "00:04"}, map[orbit.RunState]int{orbit.RunCancelled: 3, orbit.RunRunning: 1}},
		"allow":  {[]string{"00:01", "00:02", "00:03", "00:04"}, map[orbit.RunState]int{orbit.RunSucceeded: 1, orbit.RunRunning: 3}},
	} {
		t.Run(overlap, func(t *testing.T) {
			orbittest.Test(t, orbittest.Options{}, func(o *orbittest.Orbit) {
				o.Script.On("a", orbittest.Sleep(160*time.Second, orbittest.Pass))
				name := o.Apply(trigger(`{cron: "* * * * *", overlap: ` + overlap + `}`))
				time.Sleep(270 * time.Second)
				wantTicks(o, name, want.made...)
				states := map[orbit.RunState]int{}
				for _, run := range o.Runs(name) {
					states[run.State]++
				}
				if diff := cmp.Diff(want.states, states); diff != "" {
					t.Errorf("states (-want +got):\n%s", diff)
				}
				for _, run := range o.Runs(name) {
					o.Cancel(run.ID)
				}
			})
		})
	}
}

func TestPausedTriggerStartsNothingAndGoesOnFromWhenItIsResumed(t *testing.T) {
	orbittest.Test(t, orbittest.Options{Gateways: 2}, func(o *orbittest.Orbit) {
		name := o.Apply(trigger(`[{cron: "* * * * *"}, {event: orders}]`))
		time.Sleep(66 * time.Second)
		for _, tr := range []string{"cron", "event"} {
			if a := o.Call("POST", "/v1/triggers/"+name+"/"+tr+"/pause", "", nil); a.Status != http.StatusOK {
				t.Errorf("pause %s: %d %s", tr, a.Status, a.Body)
			}
		}
		time.Sleep(2 * time.Minute)
		o.Publish("orders", nil)
		time.Sleep(20 * time.Second)
		o.KillGateway(0)
		for _, tr := range []string{"cron", "event"} {
			if a := o.Call("POST", "/v1/triggers/"+name+"/"+tr+"/resume", "", nil); a.Status != http.StatusOK {
				t.Errorf("resume %s: %d %s", tr, a.Status, a.Body)
			}
		}
		time.Sleep(time.Minute)
		wantTicks(o, name, "00:01", "00:04")
	})
}

func TestTriggerOfADeletedClusterStartsNothingAndComesBackAnew(t *testing.T) {
	orbittest.Test(t, orbittest.Options{}, func(o *orbittest.Orbit) {
		name := o.Apply(trigger(`{cron: "* * * * *"}`))
		time.Sleep(66 * time.Second)
		o.Call("DELETE", "/v1/clusters/"+name, "", nil)
		time.Sleep(3 * time.Minute)
		o.Apply(trigger(`{cron: "* * * * *"}`))
		time.Sleep(time.Minute)
		wantTicks(o, name, "00:01", "00:05")
	})
}

func TestVersionThatKeepsATriggerLosesNoTick(t *testing.T) {
	orbittest.Test(t, orbittest.Options{}, func(o *orbittest.Orbit) {
		name := o.Apply(trigger(`{cron: "* * * * *"}`))
		time.Sleep(50 * time.Second)
		o.KillGateway(0)
		time.Sleep(20 * time.Second)
		o.StartGateway()
		o.Apply(trigger(`[{cron: "* * * * *", overlap: queue}, webhook]`))
		time.Sleep(30 * time.Second)
		wantTicks(o, name, "00:01")
	})
}

func TestFiredTriggerStartsARunAtOnce(t *testing.T) {
	orbittest.Test(t, orbittest.Options{Gateways: 2}, func(o *orbittest.Orbit) {
		name := o.Apply(trigger(`{cron: "0 0 29 2 *"}`))
		time.Sleep(time.Minute)
		a := o.Call("POST", "/v1/triggers/"+name+"/cron/fire", "once", map[string]any{"payload": map[string]any{"n": 3}})
		var run orbit.Run
		if err := json.Unmarshal(a.Body, &run); a.Status != http.StatusAccepted || err != nil {
			t.Fatalf("%d %s", a.Status, a.Body)
		}
		if run = o.Wait(run.ID); run.State != orbit.RunSucceeded || run.Trigger.Type != "cron" {
			t.Errorf("%+v", run)
		}
		if again := o.Call("POST", "/v1/triggers/"+name+"/cron/fire", "once", map[string]any{"payload": map[string]any{"n": 3}}); !strings.Contains(string(again.Body), run.ID) {
			t.Errorf("the same key made another run: %s", again.Body)
		}
		for path, status := range map[string]int{"/v1/triggers/" + name + "/hook/fire": 404, "/v1/triggers/test/nobody/cron/fire": 404} {
			if a := o.Call("POST", path, "", nil); a.Status != status {
				t.Errorf("%s: %d %s", path, a.Status, a.Body)
			}
		}
	})
}

// hookOf gives the URL of a cluster's webhook trigger.
func hookOf(o *orbittest.Orbit, name string) string {
	time.Sleep(2 * time.Second)
	for _, tr := range o.Triggers(name) {
		if tr.Type == "webhook" {
			return tr.URL
		}
	}
	o.T.Fatal("there is no hook")
	return ""
}

func TestHookStartsARunWithWhatItWasSent(t *testing.T) {
	orbittest.Test(t, orbittest.Options{Gateways: 2}, func(o *orbittest.Orbit) {
		var got []any
		o.Script.On("a", func(c ctx, x *orbittest.Execution) error {
			got = append(got, x.Input)
			return orbittest.Pass(c, x)
		})
		name := o.Apply(trigger("webhook"))
		url := hookOf(o, name)
		for _, body := range []any{map[string]any{"n": 1}, "no JSON at all"} {
			a := o.Call("POST", url, "", body)
			var answer struct{ Run string }
			if err := json.Unmarshal(a.Body, &answer); a.Status != http.StatusAccepted || err != nil || answer.Run == "" {
				t.Fatalf("%d %s", a.Status, a.Body)
			}
			o.Wait(answer.Run)
		}
		if diff := cmp.Diff([]any{map[string]any{"n": 1}, map[string]any{"text": "no JSON at all"}}, got); diff != "" {
			t.Error(diff)
		}
		o.KillGateway(0)
		time.Sleep(10 * time.Second)
		if again := hookOf(o, name); again != url {
			t.Errorf("the URL was %s and is %s", url, again)
		}
		if a := o.Call("POST", url, "", nil); a.Status != http.StatusAccepted {
			t.Errorf("%d %s", a.Status, a.Body)
		}
		if a := o.Call("POST", url+"x", "", nil); a.Status != http.StatusNotFound {
			t.Errorf("%d %s", a.Status, a.Body)
		}
		o.Call("POST", "/v1/triggers/"+name+"/webhook/pause", "", nil)
		if a := o.Call("POST", url, "", nil); a.Status != http.StatusConflict {
			t.Errorf("%d %s", a.Status, a.Body)
		}
	})
}

func TestSignedHookRefusesWhatIsNotSigned(t *testing.T) {
	orbittest.Test(t, orbittest.Options{}, func(o *orbittest.Orbit) {
		url := hookOf(o, o.Apply(trigger("{webhook: true, secret: HOOK}")))
		sign := func(key, body string) string {
			mac := hmac.New(sha256.New, []byte(key))
			mac.Write([]byte(body))
			return "sha256=" + hex.EncodeToString(mac.Sum(nil))
		}
		for _, c := range []struct {
			header, value string
			status        int
		}{
			{"X-Orbit-Signature-256", sign("word", "body"), 202},
			{"X-Hub-Signature-256", strings.ToUpper(sign("word", "body")), 202},
			{"X-Hub-Signature-256", sign("other", "body"), 401},
			{"X-Hub-Signature-256", sign("word", "other body"), 401},
			{"X-Hub-Signature-256", "", 401},
		} {
			if a := o.CallWith("POST", url, http.Header{c.header: {c.value}}, "body"); a.Status != c.status {
				t.Errorf("%s: %s: %d %s", c.header, c.value, a.Status, a.Body)
			}
		}
		for range 2 {
			o.CallWith("POST", url, http.Header{"X-Orbit-Signature-256": {sign("word", "body")}, "X-Github-Delivery": {"7"}}, "body")
		}
		if n := len(o.Runs("test/started")); n != 3 {
			t.Errorf("%d runs, want 3", n)
		}
	})
}

func TestMessageStartsARun(t *testing.T) {
	orbittest.Test(t, orbittest.Options{Gateways: 3}, func(o *orbittest.Orbit) {
		name := o.Apply(trigger(`{event: "orders.*", filter: "trigger.payload.total > 3"}`))
		time.Sleep(2 * time.Second)
		for _, m := range []struct{ subject, id, text string }{
			{"orders.created", "", `{"total": 4}`}, {"orders.created", "", `{"total": 4}`}, // two messages
			{"orders.paid", "7", `{"total": 9}`}, {"orders.paid", "7", `{"total": 9}`}, // one, said twice
			{"orders.created", "", `{"total": 3}`}, {"orders", "", `{"total": 4}`}, // not wanted
		} {
			msg := &nats.Msg{Subject: m.subject, Data: []byte(m.text), Header: nats.Header{}}
			if m.id != "" {
				msg.Header.Set(nats.MsgIdHdr, m.id)
			}
			o.PublishMsg(msg)
		}
		time.Sleep(time.Minute)
		if n := len(o.Runs(name)); n != 3 {
			t.Errorf("%d runs, want 3", n)
		}
		o.Publish("orders.created", []byte(`{"sum": 4}`)) // the filter cannot be told
		time.Sleep(time.Minute)
		if tr := o.Triggers(name)[0]; !strings.Contains(tr.Error, "total") || tr.When != "orders.*" {
			t.Errorf("%+v", tr)
		}
		if n := len(o.Runs(name)); n != 3 {
			t.Errorf("%d runs, want 3", n)
		}
	})
}

func TestEndOfARunStartsAnother(t *testing.T) {
	for _, point := range []string{"", "settle.ended", "follow.begin", "launch.created"} {
		t.Run("crash at "+point, func(t *testing.T) {
			orbittest.Test(t, orbittest.Options{Gateways: 2}, func(o *orbittest.Orbit) {
				o.Script.On("a", orbittest.Sleep(10*time.Second, orbittest.Pass))
				next := o.Apply(trigger(`[{cluster: test/chain, on: failed}, {cluster: test/chain, on: succeeded}]`))
				id := o.Run(o.Apply(chain), nil)
				stop := func() {}
				if point != "" {
					time.Sleep(5 * time.Second)
					stop = crashNext(o, point)
				}
				o.Wait(id)
				time.Sleep(time.Minute)
				stop()
				runs := o.Runs(next)
				if len(runs) != 1 || runs[0].Trigger.Type != "cluster" || runs[0].State != orbit.RunSucceeded {
					t.Fatalf("%+v", runs)
				}
				payload, err := runs[0].Trigger.Payload.Value()
				if m, _ := payload.(map[string]any); err != nil || m["run"] != id || m["state"] != "succeeded" {
					t.Errorf("payload %v, %v", payload, err)
				}
			})
		})
	}
}
