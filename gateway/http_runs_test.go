package gateway

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/exospherehost/orbit"
)

func TestRunIsAcceptedAndShown(t *testing.T) {
	inBubble(t, func(b *bench) {
		a := b.apply("acme/a")
		w := b.send("POST", "/v1/clusters/acme/a/runs", `{"payload": {"n": 1}}`)
		run := into[orbit.Run](b, w, 202)
		if w.Header().Get("Location") != "/v1/runs/"+run.ID || !orbit.ValidID(run.ID) {
			b.Errorf("Location: %s of run %s", w.Header().Get("Location"), run.ID)
		}
		if run.State != orbit.RunRunning || run.Version != a.Version || run.Round != 1 || run.Deadline.Sub(run.Trigger.At) != 6*time.Hour || run.StartedAt == nil {
			b.Errorf("%+v", run)
		}
		if text, _ := run.Trigger.Payload.MarshalJSON(); string(text) != `{"n":1}` || run.Trigger.Type != "api-call" {
			b.Errorf("the trigger is %s with payload %s", run.Trigger.Type, text)
		}
		time.Sleep(5 * time.Second) // the leader looks several times
		got := into[orbit.Run](b, b.get("/v1/runs/"+run.ID), 200)
		if len(got.Satellites) != 1 || got.Satellites[0].Items.Of(orbit.ItemWaiting) != 1 || got.State != orbit.RunRunning {
			b.Errorf("%+v", got)
		}
	})
}

func TestRunPastItsDeadlineGoesOnAndSaysSo(t *testing.T) {
	inBubble(t, func(b *bench) {
		into[Applied](b, b.send("PUT", "/v1/clusters/acme/a", strings.Replace(file("acme/a", "."), "6h", "1m", 1)), 201)
		run := b.start("acme/a", "")
		time.Sleep(70 * time.Second)
		got := into[orbit.Run](b, b.get("/v1/runs/"+run.ID), 200)
		if !got.DeadlineMissed || got.State != orbit.RunRunning {
			b.Errorf("%+v", got)
		}
	})
}

func TestFaultyRunRequestsAreRefused(t *testing.T) {
	inBubble(t, func(b *bench) {
		b.apply("acme/a")
		deep := strings.Repeat("[", 500) + strings.Repeat("]", 500)
		for _, c := range []struct {
			name, target, body string
			status             int
			sentence           string
		}{
			{"no such cluster", "acme/b", "", 404, "there is no cluster acme/b"},
			{"no JSON", "acme/a", "{", 400, "not JSON"},
			{"two values", "acme/a", "{} {}", 400, "not JSON"},
			{"a list", "acme/a", "[]", 400, "not JSON"},
			{"a payload too deep", "acme/a", `{"payload": ` + deep + `}`, 400, "nested"},
			{"a number too large", "acme/a", `{"payload": 1e999}`, 400, "1e999"},
			{"too large", "acme/a", `{"payload": "` + strings.Repeat("a", maxBody) + `"}`, 413, "bytes"},
		} {
			b.refused(b.send("POST", "/v1/clusters/"+c.target+"/runs", c.body), c.status, c.sentence)
		}
		if p := into[page[orbit.Run]](b, b.get("/v1/runs"), 200); len(p.Data) != 0 {
			b.Errorf("a refused request left a run: %+v", p.Data)
		}
	})
}

func TestIdempotencyKeyStartsOneRun(t *testing.T) {
	inBubble(t, func(b *bench) {
		b.apply("acme/a")
		b.apply("acme/b")
		key := "Idempotency-Key: monday"
		first := b.start("acme/a", `{"payload": {"a": 1, "b": 2}}`, key)
		if again := b.start("acme/a", `{"payload": {"b": 2, "a": 1}}`, key); again.ID != first.ID {
			b.Errorf("the same request started %s and %s", first.ID, again.ID)
		}
		b.refused(b.send("POST", "/v1/clusters/acme/a/runs", `{"payload": {"a": 2}}`, key), 409, first.ID)
		b.refused(b.send("POST", "/v1/clusters/acme/a/runs", "", key), 409, first.ID)
		if other := b.start("acme/b", `{"payload": {"a": 2}}`, key); other.ID == first.ID {
			b.Error("the key of another cluster is taken for ours")
		}
		if other := b.start("acme/a", "", "Idempotency-Key: tuesday"); other.ID == first.ID {
			b.Error("another key gives the same run")
		}
		if x, y := b.start("acme/a", ""), b.start("acme/a", ""); x.ID == y.ID {
			b.Error("without a key, two requests gave one run")
		}
		if p := into[page[orbit.Run]](b, b.get("/v1/runs"), 200); len(p.Data) != 5 {
			b.Errorf("%d runs, want 5", len(p.Data))
		}
		into[orbit.Run](b, b.send("POST", "/v1/runs/"+first.ID+"/cancel", ""), 200)
		if again := b.start("acme/a", `{"payload": {"a": 1, "b": 2}}`, key); again.ID != first.ID || again.State != orbit.RunCancelled {
			b.Errorf("once it has ended, the key gives %s in state %s", again.ID, again.State)
		}
	})
}

func TestLongPayloadsComeBackWhole(t *testing.T) {
	inBubble(t, func(b *bench) {
		b.apply("acme/a")
		payload, _ := json.Marshal(map[string]string{"text": strings.Repeat("long ", orbit.MaxInline)})
		run := b.start("acme/a", `{"payload": `+string(payload)+`}`)
		for _, target := range []string{"/v1/runs/" + run.ID, "/v1/runs", "/v1/runs/" + run.ID + "/items"} {
			if !bytes.Contains(b.get(target).Body.Bytes(), payload) {
				b.Errorf("%s does not show the payload", target)
			}
		}
	})
}

func TestRunsAreListedLatestFirstAndNarrowed(t *testing.T) {
	inBubble(t, func(b *bench) {
		b.apply("acme/a")
		b.apply("acme/b")
		var want []string
		for i := range 5 {
			time.Sleep(time.Second)
			want = append([]string{b.start([]string{"acme/a", "acme/b"}[i%2], "").ID}, want...)
		}
		into[orbit.Run](b, b.send("POST", "/v1/runs/"+want[0]+"/cancel", ""), 200)
		for query, ids := range map[string][]string{
			"":                want,
			"cluster=acme/b":  {want[1], want[3]},
			"state=cancelled": {want[0]},
			"state=cancelled&state=running&cluster=acme/a": {want[0], want[2], want[4]},
			"state=running&cluster=acme/a":                 {want[2], want[4]},
			"cluster=acme/nobody":                          nil,
		} {
			var got []string
			for _, r := range into[page[orbit.Run]](b, b.get("/v1/runs?"+query), 200).Data {
				got = append(got, r.ID)
			}
			if fmt.Sprint(got) != fmt.Sprint(ids) {
				b.Errorf("%q lists %v, want %v", query, got, ids)
			}
		}
	})
}

func TestAPageOfRunsBeginsWhereTheLastOneEnded(t *testing.T) {
	inBubble(t, func(b *bench) {
		b.apply("acme/a")
		var want []string
		for range 5 {
			time.Sleep(time.Second)
			want = append([]string{b.start("acme/a", "").ID}, want...)
		}
		var got []string
		for cursor := ""; ; {
			p := into[page[orbit.Run]](b, b.get("/v1/runs?limit=2&cursor="+cursor), 200)
			for _, r := range p.Data {
				got = append(got, r.ID)
			}
			time.Sleep(time.Second)
			b.start("acme/a", "") // a later run moves nothing
			if p.Next == nil {
				break
			}
			cursor = *p.Next
		}
		if !slices.Equal(got, want) {
			b.Errorf("listed %v, want %v", got, want)
		}
		for _, cursor := range []string{"1", "zz", "1-2", "-" + want[0]} {
			b.refused(b.get("/v1/runs?cursor="+cursor), 400, "cursor="+cursor)
		}
		deleted := want[4]
		if err := b.g.store.Runs.Delete(b.Context(), deleted); err != nil {
			b.Fatal(err)
		}
		for _, r := range into[page[orbit.Run]](b, b.get("/v1/runs"), 200).Data {
			if r.ID == deleted {
				b.Error("a deleted run is listed")
			}
		}
	})
}

func TestWaitingForARunEndsWithItOrWithTheTime(t *testing.T) {
	inBubble(t, func(b *bench) {
		b.apply("acme/a")
		run := b.start("acme/a", "")
		for _, wait := range []string{"soon", "-1s", "10", "5 s"} {
			b.refused(b.get("/v1/runs/"+run.ID+"?wait="+strings.ReplaceAll(wait, " ", "%20")), 400, "wait="+wait)
		}
		for wait, want := range map[string]time.Duration{"5s": 5 * time.Second, "10m": maxWait, "0s": 0} {
			began := time.Now()
			got := into[orbit.Run](b, b.get("/v1/runs/"+run.ID+"?wait="+wait), 200)
			if took := time.Since(began); took < want || took > want+100*time.Millisecond || got.State != orbit.RunRunning {
				b.Errorf("wait=%s took %s and gave %s", wait, took, got.State)
			}
		}
		go func() {
			time.Sleep(3 * time.Second)
			_, _ = b.g.cancelRun(b.Context(), run.ID)
		}()
		began := time.Now()
		got := into[orbit.Run](b, b.get("/v1/runs/"+run.ID+"?wait=20s"), 200)
		if took := time.Since(began); took > 3100*time.Millisecond || got.State != orbit.RunCancelled {
			b.Errorf("the run was cancelled after 3 s; the answer came after %s and says %s", took, got.State)
		}
	})
}

func TestCancellingEndsARunOnce(t *testing.T) {
	inBubble(t, func(b *bench) {
		b.apply("acme/a")
		run := b.start("acme/a", "")
		target := "/v1/runs/" + run.ID + "/cancel"
		ended := into[orbit.Run](b, b.send("POST", target, ""), 200)
		if items := ended.Satellites[0].Items; ended.State != orbit.RunCancelled || ended.FinishedAt == nil || items.Of(orbit.ItemCancelled) != 1 || items.Of(orbit.ItemWaiting) != 0 {
			b.Errorf("%+v", ended)
		}
		time.Sleep(time.Minute)
		if again := into[orbit.Run](b, b.send("POST", target, ""), 200); !again.FinishedAt.Equal(*ended.FinishedAt) {
			b.Errorf("cancelled a second time: it ended at %s and then at %s", ended.FinishedAt, again.FinishedAt)
		}
		for _, q := range into[page[orbit.QueueDoc]](b, b.get("/v1/queues"), 200).Data {
			if q.Waiting > 0 {
				b.Errorf("work of the cancelled run waits: %+v", q)
			}
		}
	})
}

func TestWhatIsAskedOfUnknownRunsIsRefused(t *testing.T) {
	inBubble(t, func(b *bench) {
		for _, id := range []string{strings.Repeat("0", 20), "nonsense", "%3E", "..%2f..", strings.Repeat("a", 300)} {
			for _, what := range []string{"", "/items", "/outputs"} {
				b.refused(b.get("/v1/runs/"+id+what), 404, "there is no run")
			}
			b.refused(b.send("POST", "/v1/runs/"+id+"/cancel", ""), 404, "there is no run")
		}
	})
}

func TestItemsOfARunThatNobodyWorksOnWait(t *testing.T) {
	inBubble(t, func(b *bench) {
		b.apply("acme/a")
		run := b.start("acme/a", `{"payload": [1, 2]}`)
		items := "/v1/runs/" + run.ID + "/items"
		p := into[page[orbit.ItemDoc]](b, b.get(items), 200)
		if len(p.Data) != 1 || p.Next != nil {
			b.Fatalf("%+v", p)
		}
		it := p.Data[0]
		if text, _ := it.Input.MarshalJSON(); it.ID != "first/0" || it.State != orbit.ItemWaiting || it.Attempts != 0 || string(text) != "[1,2]" {
			b.Errorf("%+v", it)
		}
		if p := into[page[orbit.ItemDoc]](b, b.get(items+"?state=succeeded"), 200); len(p.Data) != 0 {
			b.Errorf("%+v", p)
		}
		if p := into[page[orbit.ItemDoc]](b, b.get(items+"?satellite=first&state=waiting"), 200); len(p.Data) != 1 {
			b.Errorf("%+v", p)
		}
		b.refused(b.get(items+"?satellite=second"), 404, "no satellite second")
		b.refused(b.get(items+"?state=asleep"), 400, "no state asleep")
		for _, cursor := range []string{"x", "r", "r1", "p-1", "px", "r1.-1", "-1"} {
			b.refused(b.get(items+"?cursor="+cursor), 400, "cursor="+cursor)
		}
		b.refused(b.get(items+"?limit=0"), 400, "limit=0")
		if w := b.get("/v1/runs/" + run.ID + "/outputs"); w.Code != 200 || w.Body.Len() != 0 {
			b.Errorf("outputs: %d %s", w.Code, w.Body)
		}
		b.refused(b.get("/v1/runs/"+run.ID+"/outputs?satellite=second"), 404, "no satellite second")
		into[orbit.Run](b, b.send("POST", "/v1/runs/"+run.ID+"/cancel", ""), 200)
		if p := into[page[orbit.ItemDoc]](b, b.get(items+"?state=cancelled"), 200); len(p.Data) != 1 {
			b.Errorf("cancelled items: %+v", p)
		}
	})
}

func TestRunWithoutAValueForASecretIsRefused(t *testing.T) {
	inBubble(t, func(b *bench) {
		text := "version: 0.0.1b\ncluster:\n  identifier: acme/a\n  sla: 6h\n  trigger: api-call\n  secrets:\n    - TOKEN: {env: NOT_SET}\n" +
			"  satellites:\n    - uses: satellite/exospherehost/call-webhook\n      config: {url: 'http://127.0.0.1:1/', headers: {X: '${{ secrets.TOKEN }}'}}\n"
		into[Applied](b, b.send("PUT", "/v1/clusters/acme/a", text), 201)
		b.refused(b.send("POST", "/v1/clusters/acme/a/runs", ""), 422, "no value for TOKEN")
		b.start("acme/a", `{"secrets": {"TOKEN": "x"}}`)
	})
}
