package gateway

import (
	"encoding/json"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/exospherehost/orbit"
	"github.com/exospherehost/orbit/streams"
	"github.com/exospherehost/orbit/vault"
)

// withSecret is a cluster file whose webhook step uses one secret, written in the file.
func withSecret(name, value string) string {
	return "version: 0.0.1b\ncluster:\n  identifier: acme/a\n  sla: 6h\n  trigger: api-call\n  secrets:\n    - " + name + ": " + value + "\n" +
		"  satellites:\n    - uses: satellite/exospherehost/call-webhook\n      identifier: hook\n      config: {url: 'http://127.0.0.1:1/', headers: {X: '${{ secrets." + name + " }}'}}\n"
}

// granted asks for the secrets of a run's webhook step, as a node does.
func (b *bench) granted(run string) map[string]string {
	b.Helper()
	return b.asked(run).Values
}

// beat says that node n1 is here, with pools.
func (b *bench) beat(pools ...string) {
	b.Helper()
	body, err := json.Marshal(orbit.Heartbeat{Node: orbit.NodeDoc{Name: "n1", State: "alive", Class: "cpu", Pools: pools}})
	if err == nil {
		_, err = b.conn.Request(streams.NodeSubject("n1"), body, time.Second)
	}
	if err != nil {
		b.Fatal(err)
	}
}

// held takes the bundle of a run's webhook step as node n1, unless that has it, and gives the question for its secrets.
func (b *bench) held(run string) vault.Request {
	b.Helper()
	b.beat(orbit.CorePool)
	if b.taken == nil {
		b.taken = map[string]vault.Request{}
	}
	if req, ok := b.taken[run]; ok {
		return req
	}
	for tries := 0; b.taken[run].Run == "" && tries < 50; tries++ { // a consumer learns of what is stored in its own time
		b.takeAll()
		time.Sleep(10 * time.Millisecond)
	}
	if b.taken[run].Run == "" {
		b.Fatalf("there is no bundle of run %s", run)
	}
	return b.taken[run]
}

// takeAll takes every bundle that waits.
func (b *bench) takeAll() {
	b.Helper()
	for _, q := range b.g.topology.Queues() {
		c, err := b.g.js.Consumer(b.Context(), streams.StreamName(0), q.Consumer())
		if err != nil {
			b.Fatal(err)
		}
		batch, err := c.FetchNoWait(100)
		if err != nil {
			b.Fatal(err)
		}
		for m := range batch.Messages() {
			bundle, err := orbit.DecodeBundle(m.Data())
			if err != nil {
				b.Fatal(err)
			}
			meta, err := m.Metadata()
			if err != nil {
				b.Fatal(err)
			}
			b.taken[bundle.Run] = vault.Request{Run: bundle.Run, Bundle: bundle.ID, Step: bundle.Step, Seq: meta.Sequence.Stream, Node: "n1"}
		}
	}
}

// asked is granted with the reasons for what there is not.
func (b *bench) asked(run string) *vault.Answer {
	b.Helper()
	keys, err := vault.NewKeys()
	if err != nil {
		b.Fatal(err)
	}
	req := b.held(run)
	req.Key = keys.Public()
	sender, box, err := b.g.grant(req)
	if err != nil {
		b.Fatal(err)
	}
	values, err := keys.Open(req, sender, box, time.Now())
	if err != nil {
		b.Fatal(err)
	}
	return values
}

func TestARunKeepsTheSecretsOfItsOwnVersion(t *testing.T) {
	inBubble(t, func(b *bench) {
		into[Applied](b, b.send("PUT", "/v1/clusters/acme/a", withSecret("OLD", "first-value")), 201)
		run := b.start("acme/a", "")
		into[Applied](b, b.send("PUT", "/v1/clusters/acme/a", withSecret("NEW", "second-value")), 201)
		if got := b.granted(run.ID); got["OLD"] != "first-value" {
			b.Errorf("once another version is there, the run's satellite gets %v", got)
		}
		if got := b.granted(b.start("acme/a", "").ID); got["NEW"] != "second-value" || len(got) != 1 {
			b.Errorf("a run of the new version gets %v", got)
		}
		// The same version with another value: that is how a value is changed.
		into[Applied](b, b.send("PUT", "/v1/clusters/acme/a", withSecret("NEW", "third-value")), 200)
		if got := b.granted(b.start("acme/a", "").ID); got["NEW"] != "third-value" {
			b.Errorf("after the value was changed: %v", got)
		}
	})
}

func TestARefusedRequestChangesNoSecretOfTheRunThatIsThere(t *testing.T) {
	inBubble(t, func(b *bench) {
		into[Applied](b, b.send("PUT", "/v1/clusters/acme/a", withSecret("TOKEN", "of-the-file")), 201)
		key := "Idempotency-Key: k"
		run := b.start("acme/a", `{"payload": 1, "secrets": {"TOKEN": "of-the-run"}}`, key)
		b.refused(b.send("POST", "/v1/clusters/acme/a/runs", `{"payload": 2, "secrets": {"TOKEN": "of-another"}}`, key), 409, run.ID)
		if got := b.granted(run.ID); got["TOKEN"] != "of-the-run" {
			b.Errorf("after a refused request the run has %v", got)
		}
		if same := b.start("acme/a", `{"payload": 1, "secrets": {"TOKEN": "of-a-repetition"}}`, key); same.ID != run.ID {
			b.Errorf("%s and %s", run.ID, same.ID)
		}
		if got := b.granted(run.ID); got["TOKEN"] != "of-the-run" {
			b.Errorf("after a repeated request the run has %v", got)
		}
	})
}

func TestSecretsAreGivenForOpenRunsAndTheirStepsAlone(t *testing.T) {
	inBubble(t, func(b *bench) {
		into[Applied](b, b.send("PUT", "/v1/clusters/acme/a", withSecret("TOKEN", "of-the-file")), 201)
		run, other := b.start("acme/a", ""), b.start("acme/a", "")
		keys, err := vault.NewKeys()
		if err != nil {
			b.Fatal(err)
		}
		ask := func(change func(*vault.Request)) string {
			req := b.held(run.ID)
			req.Key = keys.Public()
			change(&req)
			_, _, err := b.g.grant(req)
			if err == nil {
				return "given"
			}
			return err.Error()
		}
		if got := ask(func(*vault.Request) {}); got != "given" {
			b.Errorf("%s", got)
		}
		for want, change := range map[string]func(*vault.Request){
			"no such run":                       func(r *vault.Request) { r.Run = ">" },
			"no such key":                       func(r *vault.Request) { r.Run = strings.Repeat("0", 20) },
			"has no satellite":                  func(r *vault.Request) { r.Step = "other" },
			"sent no usable key":                func(r *vault.Request) { r.Key = "" },
			"no node \"n2\" is here":            func(r *vault.Request) { r.Node = "n2" },
			"no node \"\" is here":              func(r *vault.Request) { r.Node = "" },
			"no node \"n.>\" is here":           func(r *vault.Request) { r.Node = "n.>" },
			"does not hold the bundle other of": func(r *vault.Request) { r.Bundle = "other" },
			"does not hold the bundle ":         func(r *vault.Request) { r.Seq++ },
			"hold the bundle " + b.held(run.ID).Bundle + " of run " + other.ID: func(r *vault.Request) { r.Run = other.ID },
		} {
			if got := ask(change); !strings.Contains(got, want) {
				b.Errorf("%q, want %q", got, want)
			}
		}
		b.beat("model-x")
		req := b.taken[run.ID]
		req.Key = keys.Public()
		if _, _, err := b.g.grant(req); err == nil || !strings.Contains(err.Error(), "node n1 does not host the satellite exospherehost/call-webhook (pool core)") {
			b.Errorf("to a node without the satellite: %v", err)
		}
		waits := b.start("acme/a", "")
		b.beat(orbit.CorePool)
		last, err := streams.Last(b.Context(), b.conn, streams.StreamName(0), "orbit.work.*.*.*.0."+waits.ID)
		if err != nil {
			b.Fatal(err)
		}
		bundle, err := orbit.DecodeBundle(last.Data)
		if err != nil {
			b.Fatal(err)
		}
		if _, _, err := b.g.grant(vault.Request{Run: waits.ID, Bundle: bundle.ID, Seq: last.Seq, Step: "hook", Node: "n1", Key: keys.Public()}); err == nil || !strings.Contains(err.Error(), "does not hold the bundle") {
			b.Errorf("for a bundle that waits in its queue: %v", err)
		}
		time.Sleep(nodeSilent + time.Second)
		if _, _, err := b.g.grant(req); err == nil || !strings.Contains(err.Error(), "is here") {
			b.Errorf("to a node that is silent: %v", err)
		}
		into[orbit.Run](b, b.send("POST", "/v1/runs/"+run.ID+"/cancel", ""), 200)
		if got := ask(func(*vault.Request) {}); !strings.Contains(got, "has ended") {
			b.Errorf("of a cancelled run: %s", got)
		}
	})
}

func TestManyEqualRequestsAtOnceDoOneThing(t *testing.T) {
	inBubble(t, func(b *bench) {
		var wg sync.WaitGroup
		var mu sync.Mutex
		created, runs := 0, map[string]int{}
		for range 12 {
			wg.Go(func() {
				w := b.send("PUT", "/v1/clusters/acme/a", file("acme/a", "."))
				mu.Lock()
				defer mu.Unlock()
				if w.Code == 201 {
					created++
				} else if w.Code != 200 {
					b.Errorf("apply: %d %s", w.Code, w.Body)
				}
			})
		}
		wg.Wait()
		if created != 1 {
			b.Errorf("one version was new %d times", created)
		}
		for range 12 {
			wg.Go(func() {
				w := b.send("POST", "/v1/clusters/acme/a/runs", `{"payload": 1}`, "Idempotency-Key: k")
				mu.Lock()
				defer mu.Unlock()
				if w.Code != 202 {
					b.Errorf("start: %d %s", w.Code, w.Body)
				}
				runs[w.Header().Get("Location")]++
			})
		}
		wg.Wait()
		if p := into[page[orbit.Run]](b, b.get("/v1/runs"), 200); len(runs) != 1 || len(p.Data) != 1 || p.Data[0].State != orbit.RunRunning {
			b.Errorf("%v, and %d runs are listed", runs, len(p.Data))
		}
		if n := b.waiting(); n != 1 {
			b.Errorf("%d bundles wait, want 1", n)
		}
	})
}

// waiting counts the bundles in all queues.
func (b *bench) waiting() (n int) {
	b.Helper()
	for _, q := range into[page[orbit.QueueDoc]](b, b.get("/v1/queues"), 200).Data {
		n += q.Waiting
	}
	return n
}
