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
	values map[string]string
	at     time.Time
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
func (s *secrets) get(ctx context.Context, b *orbit.Bundle) (map[string]string, error) {
	key := secretKey{b.Run, b.Step}
	s.mu.Lock()
	e, ok := s.cache[key]
	s.mu.Unlock()
	if ok && time.Since(e.at) < secretLife {
		return e.values, nil
	}
	req := vault.Request{Run: b.Run, Bundle: b.ID, Step: b.Step, Node: s.node, Key: s.keys.Public()}
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
	values, err := s.keys.Open(req, a.Sender, a.Box, time.Now())
	if err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.cache) >= maxSecrets {
		clear(s.cache)
	}
	s.cache[key] = secretEntry{values, time.Now()}
	return values, nil
}
