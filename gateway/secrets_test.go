package gateway

import (
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/exospherehost/orbit"
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

// asked is granted with the reasons for what there is not.
func (b *bench) asked(run string) *vault.Answer {
	b.Helper()
	keys, err := vault.NewKeys()
	if err != nil {
		b.Fatal(err)
	}
	req := vault.Request{Run: run, Step: "hook", Node: "n1", Key: keys.Public()}
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
		run := b.start("acme/a", "")
		keys, err := vault.NewKeys()
		if err != nil {
			b.Fatal(err)
		}
		ask := func(change func(*vault.Request)) string {
			req := vault.Request{Run: run.ID, Step: "hook", Node: "n1", Key: keys.Public()}
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
			"no such run":        func(r *vault.Request) { r.Run = ">" },
			"no such key":        func(r *vault.Request) { r.Run = strings.Repeat("0", 20) },
			"has no satellite":   func(r *vault.Request) { r.Step = "other" },
			"sent no usable key": func(r *vault.Request) { r.Key = "" },
		} {
			if got := ask(change); !strings.Contains(got, want) {
				b.Errorf("%q, want %q", got, want)
			}
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
