// Package vault keeps secrets secret: it seals them before anything is stored, opens them for the gateway, hands them to a
// node under the node's own key, and masks them where text leaves a satellite.
//
//	value ──Seal──► orbit_secrets ──Open──► gateway ──SealTo(node key)──► node ──► satellite ──Mask──► output, error, log
//
// It refuses to know where secrets are stored and who may have them.
package vault

import (
	"crypto/rand"
	"errors"
	"slices"
	"sync"
)

// ErrOpen is what opening something gives that was sealed under another key or for another owner, or was changed.
var ErrOpen = errors.New("the secret cannot be opened: it was sealed under another key, or for something else")

// ErrNoKey is what sealing under a key gives that is not in the ring.
var ErrNoKey = errors.New("the key is not here")

// Ref names a master key: it tells a key from another and nothing of it. For a key made of a passphrase it holds the salt.
type Ref struct {
	Key  string `json:"key,omitempty"`
	Salt []byte `json:"salt,omitempty"`
}

// Sealed is a secret as it is stored, with the key that it was sealed under; none was told before keys could be changed.
type Sealed struct {
	Ref
	Nonce []byte `json:"nonce"`
	Box   []byte `json:"box"`
}

// Vault seals and opens under a ring of master keys: as a rule one, and two or more while the key is being changed. It is
// safe for concurrent use.
type Vault struct {
	file, phrases string // where the ring is read from; "": nowhere

	mu   sync.Mutex
	ring []entry // the oldest first
}

// New makes a vault from one key of 32 bytes.
func New(key []byte) (*Vault, error) {
	k, err := newKey(key)
	if err != nil {
		return nil, err
	}
	return &Vault{ring: []entry{k}}, nil
}

// entries gives the ring as it is now; it is not changed in place.
func (v *Vault) entries() []entry {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.ring
}

// First names the oldest key of the ring, under which is sealed while nothing else is agreed upon.
func (v *Vault) First() Ref { return v.entries()[0].ref() }

// Newest names the newest key of the ring.
func (v *Vault) Newest() Ref {
	ring := v.entries()
	return ring[len(ring)-1].ref()
}

// IsNewest tells whether a name is that of the newest key.
func (v *Vault) IsNewest(r Ref) bool {
	ring := v.entries()
	return ring[len(ring)-1].key(r) != nil
}

// Knows tells whether the ring has a key.
func (v *Vault) Knows(r Ref) bool { return v.find(r) != nil }

// find gives the key of a name; nil where the ring has none. Of several passphrases each is tried, the newest first.
func (v *Vault) find(r Ref) *masterKey {
	for _, e := range slices.Backward(v.entries()) {
		if k := e.key(r); k != nil {
			return k
		}
	}
	return nil
}

// Seal encrypts for an owner, such as a cluster, under the oldest key; Open asks for the same owner.
func (v *Vault) Seal(owner string, plain []byte) Sealed {
	s, _ := v.SealUnder(v.First(), owner, plain) // the ring is never empty
	return s
}

// SealUnder encrypts for an owner under a key of the ring: ErrNoKey where it is not there.
func (v *Vault) SealUnder(r Ref, owner string, plain []byte) (Sealed, error) {
	k := v.find(r)
	if k == nil {
		return Sealed{}, ErrNoKey
	}
	nonce := make([]byte, k.aead.NonceSize())
	_, _ = rand.Read(nonce) // never fails
	return Sealed{Ref: k.name, Nonce: nonce, Box: k.aead.Seal(nil, nonce, plain, []byte(owner))}, nil
}

// Open decrypts what was sealed. Its error is ErrOpen.
func (v *Vault) Open(owner string, s Sealed) ([]byte, error) {
	if s.Key != "" {
		return v.find(s.Ref).open(owner, s)
	}
	for _, e := range v.entries() { // sealed when there was one key, and it had no name
		if k, ok := e.(*masterKey); ok {
			if plain, err := k.open(owner, s); err == nil {
				return plain, nil
			}
		}
	}
	return nil, ErrOpen
}
