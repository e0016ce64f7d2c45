package vault

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"sync"

	"golang.org/x/crypto/argon2"
)

// keySize is that of AES-256.
const keySize = 32

// entry is a place in the ring: a key, or a passphrase, of which a key is made with each salt.
type entry interface {
	ref() Ref
	key(Ref) *masterKey // nil where the name is another's
	same(entry) bool
}

// masterKey seals and opens.
type masterKey struct {
	name Ref
	aead cipher.AEAD
}

func newKey(key []byte) (*masterKey, error) {
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, err
	}
	aead, err := cipher.NewGCM(block)
	if err != nil {
		return nil, err
	}
	mac := hmac.New(sha256.New, key)
	mac.Write([]byte("exosphere orbit: the name of a master key"))
	return &masterKey{Ref{Key: hex.EncodeToString(mac.Sum(nil)[:6])}, aead}, nil // 48 bits tell the few keys of a ring apart
}

func (k *masterKey) ref() Ref { return k.name }

func (k *masterKey) key(r Ref) *masterKey {
	if len(r.Salt) > 0 || r.Key != k.name.Key {
		return nil
	}
	return k
}

func (k *masterKey) same(e entry) bool {
	o, ok := e.(*masterKey)
	return ok && o.name.Key == k.name.Key
}

// open opens under this key; there may be none.
func (k *masterKey) open(owner string, s Sealed) ([]byte, error) {
	if k == nil || len(s.Nonce) != k.aead.NonceSize() {
		return nil, ErrOpen
	}
	plain, err := k.aead.Open(nil, s.Nonce, s.Box, []byte(owner))
	if err != nil {
		return nil, ErrOpen
	}
	return plain, nil
}

// Argon2id with the second of the parameters that RFC 9106 recommends: 64 MiB and a fraction of a second for each guess.
const (
	phraseTime, phraseMemory, phraseThreads = 3, 64 << 10, 4

	saltSize = 16
	// maxDerived bounds the keys of one passphrase that are kept: there is one salt, or one for each gateway that sealed
	// before they agreed.
	maxDerived = 64
)

// passphrase is a passphrase and the keys made of it so far.
type passphrase struct {
	text string

	mu      sync.Mutex // held while a key is made, so that only one takes the memory for it
	own     []byte     // the salt of this process
	derived map[string]*masterKey
}

func (p *passphrase) ref() Ref {
	p.mu.Lock()
	if p.own == nil {
		p.own = make([]byte, saltSize)
		_, _ = rand.Read(p.own) // never fails
	}
	p.mu.Unlock()
	return p.derive(p.own).name
}

func (p *passphrase) key(r Ref) *masterKey {
	if len(r.Salt) != saltSize {
		return nil
	}
	if k := p.derive(r.Salt); k.name.Key == r.Key {
		return k
	}
	return nil
}

func (p *passphrase) same(e entry) bool {
	o, ok := e.(*passphrase)
	return ok && o.text == p.text
}

func (p *passphrase) derive(salt []byte) *masterKey {
	p.mu.Lock()
	defer p.mu.Unlock()
	if k := p.derived[string(salt)]; k != nil {
		return k
	}
	k, err := newKey(argon2.IDKey([]byte(p.text), salt, phraseTime, phraseMemory, phraseThreads, keySize))
	if err != nil { // it has the right length
		panic(err)
	}
	k.name.Salt = salt
	if p.derived == nil || len(p.derived) >= maxDerived {
		p.derived = map[string]*masterKey{}
	}
	p.derived[string(salt)] = k
	return k
}
