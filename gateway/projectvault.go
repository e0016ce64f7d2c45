package gateway

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/exospherehost/orbit"
	"github.com/exospherehost/orbit/kv"
	"github.com/exospherehost/orbit/streams"
)

// Backend is a vault elsewhere, from which {vault: NAME} is taken instead of Orbit's own.
type Backend interface {
	// Value reads a secret of a project. An *orbit.Error that is not retryable says that there is none, or none for us, and
	// why; after any other error it may be asked again.
	Value(ctx context.Context, project, name string) (string, error)
	// String names it in a sentence.
	String() string
}

// maxSecretName bounds the names in a project's vault.
const maxSecretName = 128

var (
	projectPattern = regexp.MustCompile(`^[a-z0-9][a-z0-9_-]{0,62}$`)
	// A name becomes the end of a subject, so no word of it is empty.
	storedPattern = regexp.MustCompile(`^[A-Za-z0-9_][A-Za-z0-9_-]*(\.[A-Za-z0-9_-]+)*$`)
)

// storable tells whether a project's vault can hold a name.
func storable(name string) bool { return len(name) <= maxSecretName && storedPattern.MatchString(name) }

// vaultSecret is the owner of a secret in a project's vault. A project has no dots, so no two names meet.
func vaultSecret(project, name string) string { return "vault." + project + "." + name }

// setSecret stores a value as the newest version of a secret.
func (g *Gateway) setSecret(ctx context.Context, project, name, value string) (doc orbit.SecretDoc, created bool, err error) {
	if b := g.opts.Backend; b != nil {
		return doc, false, conflict("the secrets of clusters are kept in %s; store %s of %s there", b, name, project)
	}
	owner := vaultSecret(project, name)
	for range 10 {
		old, rev, err := g.store.Secrets.Get(ctx, owner)
		if err != nil && !errors.Is(err, kv.ErrNotFound) {
			return doc, false, err
		}
		now := time.Now().UTC()
		stored := &kv.Secret{Version: 1, CreatedAt: now, UpdatedAt: now}
		if old != nil {
			stored.Version, stored.CreatedAt = old.Version+1, old.CreatedAt
		}
		if stored.Sealed, err = g.seal(ctx, owner, []byte(value)); err != nil {
			return doc, false, err
		}
		// One write: dying before it nothing has changed, dying after it the caller does not know and sets it again.
		if old == nil {
			_, err = g.store.Secrets.Create(ctx, owner, stored)
		} else {
			_, err = g.store.Secrets.Update(ctx, owner, stored, rev)
		}
		if !errors.Is(err, kv.ErrConflict) {
			return secretDoc(name, stored), old == nil, err
		}
	}
	return doc, false, conflict("the secret %s of %s keeps changing; try again", name, project)
}

// unsetSecret removes a secret, and its versions with it.
func (g *Gateway) unsetSecret(ctx context.Context, project, name string) error {
	owner := vaultSecret(project, name)
	_, rev, err := g.store.Secrets.Get(ctx, owner)
	if errors.Is(err, kv.ErrNotFound) {
		return notFound("the vault of %s has no secret %s; `orbit secrets list %s` lists what it has", project, name, project)
	}
	if err != nil {
		return err
	}
	return g.store.Secrets.Erase(ctx, owner, rev)
}

// listSecrets gives what may be told of a project's secrets, by name.
func (g *Gateway) listSecrets(ctx context.Context, project string) ([]orbit.SecretDoc, error) {
	b, prefix := g.store.Secrets, vaultSecret(project, "")
	var all []orbit.SecretDoc
	err := streams.ReadAll(ctx, g.opts.Conn, b.Stream(), strings.TrimSuffix(b.Keys(), ">")+prefix+">", 1, func(m streams.Stored) error {
		var doc kv.Secret
		if len(m.Data) > 0 && json.Unmarshal(m.Data, &doc) == nil {
			all = append(all, secretDoc(strings.TrimPrefix(b.Key(m.Subject), prefix), &doc))
		}
		return nil
	})
	slices.SortFunc(all, func(a, b orbit.SecretDoc) int { return strings.Compare(a.Name, b.Name) })
	return all, err
}

func secretDoc(name string, s *kv.Secret) orbit.SecretDoc {
	return orbit.SecretDoc{Name: name, Version: s.Version, CreatedAt: s.CreatedAt, UpdatedAt: s.UpdatedAt}
}

// vaultValue gives the value of {vault: NAME} for a cluster of a project, as it is now. The error is as that of a Backend.
func (g *Gateway) vaultValue(ctx context.Context, project, name string) (string, error) {
	if g.opts.Backend != nil {
		return g.opts.Backend.Value(ctx, project, name)
	}
	if !storable(name) {
		return "", orbit.Permanent(orbit.CodeSecret, "the vault of %s can hold no name such as %s", project, name)
	}
	owner := vaultSecret(project, name)
	doc, _, err := g.store.Secrets.Get(ctx, owner)
	if errors.Is(err, kv.ErrNotFound) {
		return "", orbit.Permanent(orbit.CodeSecret, "the vault of %s has no secret %s; store it with `orbit secrets set %s %s`", project, name, project, name)
	}
	if err != nil {
		return "", err
	}
	plain, err := g.opts.Vault.Open(owner, doc.Sealed)
	if err != nil {
		return "", fmt.Errorf("the secret %s of %s: %w", name, project, err)
	}
	return string(plain), nil
}
