package gateway

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/exospherehost/orbit"
	"github.com/exospherehost/orbit/kv"
	"github.com/exospherehost/orbit/streams"
)

const (
	// sweepSecretsEvery is the time between two looks for secrets that nothing needs any more.
	sweepSecretsEvery = time.Hour
	// secretsAge is how old they are at least: a launch, or an apply, stores them before what needs them.
	secretsAge = 20 * time.Minute
)

// secretSweeper removes sealed secrets that nothing needs: those in the file of a cluster's version that is neither registered
// nor used by a run that may go on, and those of runs that were never accepted or are put away. A project's vault is left
// alone. What nothing needed at two looks in a row, and was not written meanwhile, is removed; so whoever had read a document
// before the first has long written what needs the secrets. It is the leader's of partition 0; two at once do no harm.
type secretSweeper struct {
	g        *Gateway
	next     time.Time
	suspects map[string]uint64 // by key, with the revision that was seen
}

// pass looks, when it is time.
func (s *secretSweeper) pass(ctx context.Context) error {
	if time.Now().Before(s.next) {
		return nil
	}
	needless, err := s.look(ctx)
	if err != nil {
		return fmt.Errorf("look for secrets that nothing needs: %w", err)
	}
	n := 0
	for key, rev := range needless {
		if s.suspects[key] != rev {
			continue
		}
		// Dying after this: the rest is found again, after two looks of whoever leads then. What was written since stays.
		if err := s.g.store.Secrets.Erase(ctx, key, rev); err != nil {
			return err
		}
		delete(needless, key)
		n++
		if err := s.g.opts.Faults.Point(ctx, "secrets.swept"); err != nil {
			return err
		}
	}
	if n > 0 {
		s.g.log.Debug().Int("owners", n).Msg("secrets that nothing needs any more are removed")
	}
	s.suspects, s.next = needless, time.Now().Add(sweepSecretsEvery)
	return nil
}

// look gives the keys that nothing needs now.
func (s *secretSweeper) look(ctx context.Context) (map[string]uint64, error) {
	ofRuns, ofPlans := map[string]uint64{}, map[string]uint64{}
	b := s.g.store.Secrets
	err := streams.ReadAll(ctx, s.g.opts.Conn, b.Stream(), b.Keys(), 1, func(m streams.Stored) error {
		key := b.Key(m.Subject)
		switch {
		case len(m.Data) == 0 || time.Since(m.Time) < secretsAge:
		case strings.HasPrefix(key, runSecrets("")):
			ofRuns[key] = m.Seq
		case strings.HasPrefix(key, "cluster."):
			ofPlans[key] = m.Seq
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	if err := s.neededByRuns(ctx, ofRuns); err != nil {
		return nil, err
	}
	if err := s.neededByPlans(ctx, ofPlans); err != nil {
		return nil, err
	}
	for key, rev := range ofPlans {
		ofRuns[key] = rev
	}
	return ofRuns, nil
}

// neededByRuns takes out the values that were sent with runs which are there and not put away.
func (s *secretSweeper) neededByRuns(ctx context.Context, keys map[string]uint64) error {
	for key := range keys {
		id := strings.TrimPrefix(key, runSecrets(""))
		if !orbit.ValidID(id) {
			continue
		}
		doc, err := s.g.findRun(ctx, id)
		switch {
		case errors.Is(err, kv.ErrNotFound): // its launch died before it was accepted; or goes on still
		case err != nil:
			return err
		case !doc.Purged:
			delete(keys, key)
		}
	}
	return nil
}

// neededByPlans takes out the values in the files of versions that are registered, or that have a run which is not closed.
func (s *secretSweeper) neededByPlans(ctx context.Context, keys map[string]uint64) error {
	used := map[string]bool{}
	for key := range keys {
		name, plan := planOfKey(key)
		doc, _, err := s.g.store.Clusters.Get(ctx, name)
		if err != nil && !errors.Is(err, kv.ErrNotFound) {
			return err
		}
		if err == nil && doc.Plan == plan {
			delete(keys, key)
		}
	}
	if len(keys) == 0 {
		return nil
	}
	// The documents come after the clusters: whoever found the version registered has accepted its run by the second look.
	runs := s.g.store.Runs
	err := streams.ReadAll(ctx, s.g.opts.Conn, runs.Stream(), runs.Keys(), 1, func(m streams.Stored) error {
		var doc struct {
			Plan   string `json:"plan"`
			Closed bool   `json:"closed"`
		}
		if len(m.Data) == 0 {
			return nil
		}
		if err := json.Unmarshal(m.Data, &doc); err != nil {
			return fmt.Errorf("the document of run %s cannot be read, so nobody knows what it needs: %w", runs.Key(m.Subject), err)
		}
		if !doc.Closed {
			used[doc.Plan] = true
		}
		return nil
	})
	if err != nil {
		return err
	}
	for key := range keys {
		if _, plan := planOfKey(key); used[plan] {
			delete(keys, key)
		}
	}
	return nil
}

// planOfKey reads the key of a cluster and the hash of a plan off the key of its secrets.
func planOfKey(key string) (cluster, plan string) {
	rest := strings.TrimPrefix(key, "cluster.")
	i := strings.LastIndexByte(rest, '.')
	return rest[:max(i, 0)], rest[i+1:]
}
