package gateway

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/exospherehost/orbit"
	"github.com/exospherehost/orbit/streams"
)

// sealedKeys gives the keys in orbit_secrets, a cluster's without the hash of its plan.
func (b *bench) sealedKeys() (keys []string) {
	b.Helper()
	s := b.g.store.Secrets
	if err := streams.ReadAll(b.Context(), b.conn, s.Stream(), s.Keys(), 1, func(m streams.Stored) error {
		key := s.Key(m.Subject)
		if name, plan := planOfKey(key); strings.HasPrefix(key, "cluster.") {
			if key = name; len(plan) != 32 {
				b.Errorf("%q is no plan", plan)
			}
		}
		keys = append(keys, key)
		return nil
	}); err != nil {
		b.Fatal(err)
	}
	slices.Sort(keys)
	return keys
}

func (b *bench) wantKeys(when string, want ...string) {
	b.Helper()
	slices.Sort(want)
	if got := b.sealedKeys(); !slices.Equal(got, want) {
		b.Errorf("%s: %v are stored, want %v", when, got, want)
	}
}

func TestSecretsGoWithTheLastThatNeedsThem(t *testing.T) {
	inBubble(t, func(b *bench) {
		into[orbit.SecretDoc](b, b.send("PUT", "/v1/secrets/acme/kept", `{"value": "of-the-vault"}`), 201)
		into[Applied](b, b.send("PUT", "/v1/clusters/acme/a", withSecret("OLD", "first-value")), 201)
		run := b.start("acme/a", `{"secrets": {"OLD": "of-the-run"}}`)
		into[Applied](b, b.send("PUT", "/v1/clusters/acme/a", withSecret("NEW", "second-value")), 201)
		// What a launch and an apply leave behind that die before their last write.
		orphan := orbit.RandomID()
		if err := b.g.sealSecrets(b.Context(), runSecrets(orphan), map[string]string{"A": "orphan"}); err != nil {
			b.Fatal(err)
		}
		if err := b.g.sealSecrets(b.Context(), "cluster.acme.b."+strings.Repeat("0", 32), map[string]string{"A": "orphan"}); err != nil {
			b.Fatal(err)
		}
		all := []string{"vault.acme.kept", "acme.a", "acme.a", "run." + run.ID, "run." + orphan, "acme.b"}
		s := &secretSweeper{g: b.g}
		look := func() {
			s.next = time.Time{}
			if err := s.pass(b.Context()); err != nil {
				b.Fatal(err)
			}
		}
		look()
		look()
		b.wantKeys("at once", all...)
		time.Sleep(secretsAge + time.Minute)
		look()
		b.wantKeys("after one look", all...)
		look()
		b.wantKeys("when what nobody refers to is swept", "vault.acme.kept", "acme.a", "acme.a", "run."+run.ID)
		if got := b.granted(run.ID); got["OLD"] != "of-the-run" {
			b.Errorf("%v", got)
		}
		into[orbit.Run](b, b.send("POST", "/v1/runs/"+run.ID+"/cancel", ""), 200)
		look()
		look()
		b.wantKeys("when the run has ended, and may be retried", "vault.acme.kept", "acme.a", "acme.a", "run."+run.ID)
		time.Sleep(MinArchiveAfter + 3*time.Minute)
		look()
		look()
		b.wantKeys("when it is put away", "vault.acme.kept", "acme.a")
		if w := b.send("DELETE", "/v1/clusters/acme/a", ""); w.Code != 204 {
			b.Errorf("%d", w.Code)
		}
		look()
		look()
		b.wantKeys("when the cluster is deleted", "vault.acme.kept")
	}, func(o *Options) { o.ArchiveAfter = MinArchiveAfter })
}

func TestSecretsThatAreStoredAgainBetweenTwoLooksStay(t *testing.T) {
	inBubble(t, func(b *bench) {
		into[Applied](b, b.send("PUT", "/v1/clusters/acme/a", withSecret("A", "first-value")), 201)
		if w := b.send("DELETE", "/v1/clusters/acme/a", ""); w.Code != 204 {
			b.Errorf("%d", w.Code)
		}
		s := &secretSweeper{g: b.g}
		time.Sleep(secretsAge + time.Minute)
		if err := s.pass(b.Context()); err != nil || len(s.suspects) != 1 {
			b.Fatal(err, s.suspects)
		}
		into[Applied](b, b.send("PUT", "/v1/clusters/acme/a", withSecret("A", "first-value")), 201)
		s.next = time.Time{}
		if err := s.pass(b.Context()); err != nil || len(s.suspects) != 0 {
			b.Fatal(err, s.suspects)
		}
		b.wantKeys("applied again", "acme.a")
		if got := b.granted(b.start("acme/a", "").ID); got["A"] != "first-value" {
			b.Errorf("%v", got)
		}
	})
}
