package node

import (
	"context"
	"encoding/json"
	"fmt"
	"sync"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/exospherehost/orbit"
	"github.com/exospherehost/orbit/streams"
	"github.com/exospherehost/orbit/vault"
)

const (
	// secretLife is how long values are kept in memory: a changed secret takes effect within it.
	secretLife = time.Minute
	// maxSecrets bounds the cache.
	maxSecrets = 1024
)

// secrets asks gateways for the values that a bundle needs. They live in memory only, for a short time.
type secrets struct {
	nc   *nats.Conn
	node string
	keys *vault.Keys

	mu    sync.Mutex
	cache map[secretKey]secretEntry
}

type secretKey struct{ run, step string }

type secretEntry struct {
	*opened
	at time.Time
}

// opened is what a step's bundles get of secrets.
type opened struct {
	*vault.Answer
	mask *vault.Masker // of the values: made once, for making it takes longer than most texts take
}

// SecretsAnswer is a gateway's answer to a vault.Request.
type SecretsAnswer struct {
	Sender string `json:"sender,omitempty"`
	Box    []byte `json:"box,omitempty"`
	Error  string `json:"error,omitempty"`
}

func newSecrets(nc *nats.Conn, node string, keys *vault.Keys) *secrets {
	return &secrets{nc: nc, node: node, keys: keys, cache: map[secretKey]secretEntry{}}
}

// get gives the values that the bundle's step may have.
func (s *secrets) get(ctx context.Context, b *orbit.Bundle, l streams.Lease) (*opened, error) {
	key := secretKey{b.Run, b.Step}
	s.mu.Lock()
	e, ok := s.cache[key]
	s.mu.Unlock()
	if ok && time.Since(e.at) < secretLife {
		return e.opened, nil
	}
	req := vault.Request{Run: b.Run, Bundle: b.ID, Seq: l.Seq, Step: b.Step, Node: s.node, Key: s.keys.Public()}
	body, err := json.Marshal(req)
	if err != nil {
		return nil, err
	}
	wait, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	m, err := s.nc.RequestWithContext(wait, streams.SecretsSubject, body)
	if err != nil {
		return nil, fmt.Errorf("no gateway answered the question for the secrets of %s: %w", b.Step, err)
	}
	var a SecretsAnswer
	if err := json.Unmarshal(m.Data, &a); err != nil {
		return nil, fmt.Errorf("the answer to the question for the secrets of %s: %w", b.Step, err)
	}
	if a.Error != "" {
		return nil, fmt.Errorf("the secrets of %s: %s", b.Step, a.Error)
	}
	answer, err := s.keys.Open(req, a.Sender, a.Box, time.Now())
	if err != nil {
		return nil, err
	}
	o := &opened{answer, vault.NewMasker(answer.Values)}
	if len(answer.Lacks) > 0 { // it may be set any moment, and what fails for want of it be tried again
		return o, nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.cache) >= maxSecrets {
		clear(s.cache)
	}
	s.cache[key] = secretEntry{o, time.Now()}
	return o, nil
}

// forget drops what is known for a step: a service has refused it, so that the next attempt asks anew.
func (s *secrets) forget(run, step string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.cache, secretKey{run, step})
}
