package gateway

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/exospherehost/orbit/kv"
	"github.com/exospherehost/orbit/streams"
	"github.com/exospherehost/orbit/vault"
)

// The master key is changed while gateways run:
//
//	a new key in every gateway's ring ─► agreed (one CAS) ─► everything sealed anew ─► the old key may go
//
// Which key is sealed under stands in a document, so that no gateway seals what another cannot open, nor under a key that is
// about to go. The leader of partition 0 moves it on, and only when every gateway that answers has the new key. The ring of a
// process loses no key, and a gateway does not start without one that something is sealed under: so dying, or two leaders at
// once, never make anything unreadable.

const (
	agreedKey = "keys" // in orbit_checkpoints: it is found anew from the rings where it is lost
	// keysEvery is the time between two looks of the leader at the ring.
	keysEvery = time.Minute
	// agreedLooks is how often in a row all gateways must have the new key: one may be on its way back to the server.
	agreedLooks = 2
	// answerTime is how long gateways have to say whether they have a key.
	answerTime = 2 * time.Second
	// resealAgain is how often everything is looked through though nothing has changed.
	resealAgain = time.Hour
)

// agreement is the document that names the key.
type agreement struct {
	vault.Ref
	Since time.Time `json:"since"`
}

func (g *Gateway) agreements() *kv.Bucket[agreement] {
	return kv.Open[agreement](g.opts.Conn, g.js, kv.CheckpointsBucket)
}

// seal seals for an owner, under the key that is agreed upon.
func (g *Gateway) seal(ctx context.Context, owner string, plain []byte) (vault.Sealed, error) {
	a, err := g.agreed(ctx)
	if err != nil {
		return vault.Sealed{}, err
	}
	sealed, err := g.opts.Vault.SealUnder(a.Ref, owner, plain)
	if errors.Is(err, vault.ErrNoKey) {
		return sealed, problem(http.StatusServiceUnavailable, "the gateways seal secrets under the key %s, which this one does not have in %s: copy that of another gateway here", a.Key, g.opts.Vault)
	}
	return sealed, err
}

// agreed gives the key that is sealed under; the first one that asks proposes its own.
func (g *Gateway) agreed(ctx context.Context) (*agreement, error) {
	for range 10 {
		a, _, err := g.agreements().Get(ctx, agreedKey)
		if !errors.Is(err, kv.ErrNotFound) {
			return a, err
		}
		first := &agreement{g.opts.Vault.First(), time.Now().UTC()}
		if _, err := g.agreements().Create(ctx, agreedKey, first); !errors.Is(err, kv.ErrConflict) {
			return first, err
		}
	}
	return nil, conflict("the key that secrets are sealed under keeps changing; try again")
}

// checkKeys refuses to start where something is sealed under a key that this gateway does not have. It writes nothing.
func (g *Gateway) checkKeys(ctx context.Context) error {
	unknown, counts := map[string]vault.Ref{}, map[string]int{}
	b := g.store.Secrets
	if _, err := g.js.Stream(ctx, b.Stream()); errors.Is(err, jetstream.ErrStreamNotFound) {
		return nil // nothing was ever stored
	}
	err := streams.ReadAll(ctx, g.opts.Conn, b.Stream(), b.Keys(), 1, func(m streams.Stored) error {
		var doc kv.Secret
		if len(m.Data) == 0 || json.Unmarshal(m.Data, &doc) != nil {
			return nil
		}
		if doc.Key == "" { // sealed when keys had no names
			if _, err := g.opts.Vault.Open(b.Key(m.Subject), doc.Sealed); err != nil {
				unknown[""] = doc.Ref
				counts[""]++
			}
		} else if !g.opts.Vault.Knows(doc.Ref) {
			unknown[doc.Key] = doc.Ref
			counts[doc.Key]++
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("look at the stored secrets: %w", err)
	}
	for key, ref := range unknown {
		have, _, err := g.askKeys(ctx, ref)
		if err != nil {
			return err
		}
		if len(have) > 0 {
			return fmt.Errorf("%s of this Orbit cannot be opened with %s, but by the gateway %s: copy the key file of that one here", plural(counts[key], "secret"), g.opts.Vault, have[0])
		}
		if !g.opts.DiscardSecrets {
			return fmt.Errorf("%s of this Orbit cannot be opened with %s: sealed under another key (%s). Put the right one in its place; if it is lost for good, start once with --discard-secrets, which removes what nobody can open",
				plural(counts[key], "secret"), g.opts.Vault, cmp.Or(key, "of a version that gave it no name"))
		}
	}
	return g.checkAgreed(ctx)
}

// checkAgreed refuses to start beside gateways that seal under a key that this one does not have. Where nobody has it, and
// nothing is sealed under it, it is forgotten.
func (g *Gateway) checkAgreed(ctx context.Context) error {
	a, rev, err := g.agreements().Get(ctx, agreedKey)
	if err != nil || g.opts.Vault.Knows(a.Ref) {
		return nil // none, or no bucket yet: what is wrong with the server is told by what comes next
	}
	have, _, err := g.askKeys(ctx, a.Ref)
	if err != nil {
		return err
	}
	if len(have) > 0 {
		return fmt.Errorf("the gateway %s seals secrets under the key %s, which is not in %s: copy that of the other gateway here", have[0], a.Key, g.opts.Vault)
	}
	return g.agreements().Erase(ctx, agreedKey, rev) // dying after this: the first that seals proposes its own
}

// discard removes what is sealed under keys that are lost.
func (g *Gateway) discard(ctx context.Context) error {
	if !g.opts.DiscardSecrets {
		return nil
	}
	b, n := g.store.Secrets, 0
	err := streams.ReadAll(ctx, g.opts.Conn, b.Stream(), b.Keys(), 1, func(m streams.Stored) error {
		var doc kv.Secret
		if len(m.Data) == 0 || json.Unmarshal(m.Data, &doc) != nil {
			return nil
		}
		if _, err := g.opts.Vault.Open(b.Key(m.Subject), doc.Sealed); err == nil {
			return nil
		}
		n++
		return b.Erase(ctx, b.Key(m.Subject), m.Seq) // dying in the middle: the next start goes on
	})
	if n > 0 {
		g.log.Warn().Int("secrets", n).Msg("secrets that nobody can open are removed; set them again, and apply again the clusters that have some in their files")
	}
	return err
}

// keyAnswer says whether a gateway has a key.
type keyAnswer struct {
	Gateway string `json:"gateway"`
	Has     bool   `json:"has"`
}

// askKeys asks all gateways, this one too, whether they have a key.
func (g *Gateway) askKeys(ctx context.Context, r vault.Ref) (have, lack []string, err error) {
	body, err := json.Marshal(r)
	if err != nil {
		return nil, nil, err
	}
	inbox := nats.NewInbox()
	in := make(chan *nats.Msg, 256) // gateways; there are a few
	sub, err := g.opts.Conn.ChanSubscribe(inbox, in)
	if err != nil {
		return nil, nil, fmt.Errorf("ask the gateways for their keys: %w", err)
	}
	defer func() { _ = sub.Unsubscribe() }()
	if err := g.opts.Conn.PublishRequest(streams.KeysSubject, inbox, body); err != nil {
		return nil, nil, fmt.Errorf("ask the gateways for their keys: %w", err)
	}
	end := time.After(answerTime)
	for {
		select {
		case m := <-in:
			var a keyAnswer
			if m.Header.Get("Status") == "503" { // nobody listens
				return have, lack, nil
			}
			if json.Unmarshal(m.Data, &a) != nil {
				continue
			}
			if a.Has {
				have = append(have, a.Gateway)
			} else {
				lack = append(lack, a.Gateway)
			}
		case <-end:
			return have, lack, nil
		case <-ctx.Done():
			return nil, nil, ctx.Err()
		}
	}
}

// answerKeys says whether this gateway has a key. It reads its file first: a key may have come a moment ago.
func (g *Gateway) answerKeys(m *nats.Msg) {
	if !strings.HasPrefix(m.Reply, "_INBOX.") {
		return
	}
	var r vault.Ref
	if json.Unmarshal(m.Data, &r) != nil {
		return
	}
	g.wg.Go(func() { // making a key of a passphrase takes a while
		if !g.opts.Vault.Knows(r) {
			_ = g.opts.Vault.Refresh() // the leader, and the next start, say what is wrong with the file
		}
		body, _ := json.Marshal(keyAnswer{g.opts.Name, g.opts.Vault.Knows(r)}) // always encodes
		_ = m.Respond(body)                                                    // lost: as if this gateway were not there; it is asked again
	})
}

// keepSecrets does what the leader of partition 0 does for secrets, until ctx ends.
func (g *Gateway) keepSecrets(ctx context.Context) {
	k, s := &keyKeeper{g: g}, &secretSweeper{g: g}
	for wait := time.Duration(0); ; wait = keysEvery {
		if pause(ctx, wait) != nil {
			return
		}
		if err := k.pass(ctx); err != nil && ctx.Err() == nil {
			g.log.Warn().Err(err).Msg("the keys of secrets are not looked after; trying again")
		}
		if err := s.pass(ctx); err != nil && ctx.Err() == nil {
			g.log.Warn().Err(err).Msg("secrets that nothing needs any more are not removed; trying again")
		}
	}
}

// keyKeeper moves the mesh to the newest key. It is the leader's of partition 0.
type keyKeeper struct {
	g       *Gateway
	looks   int       // in a row that found the new key with everybody
	from    uint64    // of orbit_secrets: what comes before is sealed under the agreed key
	under   string    // the key that from speaks of
	since   time.Time // when this process saw it first
	settled time.Time // when all was last looked through and there was nothing to do
	newest  string    // the newest key, when all was seen to be well
	told    bool      // that old keys may go
}

// pass does what is due.
func (k *keyKeeper) pass(ctx context.Context) error {
	v := k.g.opts.Vault
	if err := v.Refresh(); err != nil {
		return err
	}
	if k.newest == v.Newest().Key && time.Since(k.settled) < resealAgain {
		return nil
	}
	a, rev, err := k.g.agreements().Get(ctx, agreedKey)
	if errors.Is(err, kv.ErrNotFound) {
		if v.IsNewest(v.First()) { // nothing was ever sealed, and what will be is under the newest key
			k.newest, k.settled = v.Newest().Key, time.Now()
		}
		return nil
	}
	if err != nil {
		return err
	}
	if v.IsNewest(a.Ref) {
		k.looks = 0
	} else if a, err = k.agree(ctx, a, rev); err != nil {
		return err
	}
	if a.Key != k.under {
		k.under, k.from, k.since, k.told = a.Key, 1, time.Now(), false
	}
	done, err := k.reseal(ctx, a.Ref)
	if err != nil {
		return err
	}
	if !done {
		return nil
	}
	// A gateway that read the agreement before it changed may seal under the old key for a moment.
	if v.IsNewest(a.Ref) && time.Since(k.since) >= keysEvery {
		k.newest, k.settled = v.Newest().Key, time.Now()
		if !k.told && v.First().Key != a.Key {
			k.told = true
			k.g.log.Info().Str("key", a.Key).Msg("every secret is sealed under the newest key: older ones may be removed from the key files; backups made before need them")
		}
	}
	return nil
}

// agree makes the newest key the one that is sealed under, once every gateway has it.
func (k *keyKeeper) agree(ctx context.Context, a *agreement, rev uint64) (*agreement, error) {
	next := &agreement{k.g.opts.Vault.Newest(), time.Now().UTC()}
	_, lack, err := k.g.askKeys(ctx, next.Ref)
	if err != nil {
		return nil, err
	}
	if len(lack) > 0 {
		k.looks = 0
		k.g.log.Info().Str("key", next.Key).Strs("gateways", lack).Msg("there is a new key that not every gateway has; copy the file to them")
		return a, nil
	}
	if k.looks++; k.looks < agreedLooks {
		return a, nil
	}
	k.looks = 0
	// Dying after this: everything stays readable, for all have both keys; whoever leads next seals the rest anew.
	if _, err := k.g.agreements().Update(ctx, agreedKey, next, rev); err != nil {
		if errors.Is(err, kv.ErrConflict) {
			return a, nil // another leader is at it too
		}
		return nil, err
	}
	k.g.log.Info().Str("key", next.Key).Msg("secrets are sealed under a new key from now on")
	return next, k.g.opts.Faults.Point(ctx, "keys.agreed")
}

// reseal seals everything anew that is under another key, and tells whether there was nothing to do.
func (k *keyKeeper) reseal(ctx context.Context, r vault.Ref) (done bool, err error) {
	v, b := k.g.opts.Vault, k.g.store.Secrets
	if time.Since(k.settled) >= resealAgain {
		k.from = 1
	}
	n := 0
	type old struct {
		key string
		doc kv.Secret
		seq uint64
	}
	var all []old
	err = streams.ReadAll(ctx, k.g.opts.Conn, b.Stream(), b.Keys(), max(1, k.from), func(m streams.Stored) error {
		var doc kv.Secret
		if len(m.Data) > 0 && json.Unmarshal(m.Data, &doc) == nil && doc.Key != r.Key {
			all = append(all, old{b.Key(m.Subject), doc, m.Seq})
		}
		k.from = m.Seq + 1
		return nil
	})
	if err != nil {
		k.from = 1
		return false, err
	}
	for _, o := range all {
		plain, err := v.Open(o.key, o.doc.Sealed)
		if err != nil {
			k.g.log.Warn().Str("secret", o.key).Str("key", o.doc.Key).Msg("a secret is sealed under a key that is not here, and stays as it is")
			continue
		}
		if o.doc.Sealed, err = v.SealUnder(r, o.key, plain); err != nil {
			k.from = 1
			return false, err
		}
		// Dying before or after this: the secret is under one key or the other, and both are here.
		if _, err := b.Update(ctx, o.key, &o.doc, o.seq); err != nil && !errors.Is(err, kv.ErrConflict) { // changed or removed: what is new comes behind
			k.from = 1
			return false, err
		}
		n++
		if err := k.g.opts.Faults.Point(ctx, "keys.resealed"); err != nil {
			k.from = 1
			return false, err
		}
	}
	if n > 0 {
		k.g.log.Info().Int("secrets", n).Str("key", r.Key).Msg("sealed anew")
	}
	return n == 0, nil
}
