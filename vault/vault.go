// Package vault keeps secrets secret: it seals them before anything is stored, opens them for the gateway, hands them to a
// node under the node's own key, and masks them where text leaves a satellite.
//
//	value ──Seal──► orbit_secrets ──Open──► gateway ──SealTo(node key)──► node ──► satellite ──Mask──► output, error, log
//
// It refuses to know where secrets are stored and who may have them.
package vault

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// keySize is that of AES-256.
const keySize = 32

// ErrOpen is what opening something gives that was sealed under another key or for another owner, or was changed.
var ErrOpen = errors.New("the secret cannot be opened: it was sealed under another key, or for something else")

// Sealed is a secret as it is stored.
type Sealed struct {
	Nonce []byte `json:"nonce"`
	Box   []byte `json:"box"`
}

// Vault seals and opens under a master key.
type Vault struct{ aead cipher.AEAD }

// Open reads the master key from a file of one line, base64. Where there is no file it is made, readable by its owner
// alone. There is no default key.
func Open(keyFile string) (*Vault, error) {
	text, err := os.ReadFile(keyFile)
	if errors.Is(err, fs.ErrNotExist) {
		if text, err = makeKey(keyFile); err != nil {
			return nil, err
		}
	} else if err != nil {
		return nil, fmt.Errorf("the key file %s cannot be read: %w", keyFile, errors.Unwrap(err))
	}
	if info, err := os.Stat(keyFile); err == nil && info.Mode().Perm()&0o077 != 0 {
		return nil, fmt.Errorf("the key file %s can be read by others (mode %04o); make it 0600", keyFile, info.Mode().Perm())
	}
	key, err := base64.StdEncoding.DecodeString(strings.TrimSpace(string(text)))
	if err != nil || len(key) != keySize {
		return nil, fmt.Errorf("the key file %s does not hold a key (32 bytes in base64); restore it, for without it stored secrets cannot be opened", keyFile)
	}
	return New(key)
}

// New makes a vault from a key of 32 bytes.
func New(key []byte) (*Vault, error) {
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, err
	}
	aead, err := cipher.NewGCM(block)
	if err != nil {
		return nil, err
	}
	return &Vault{aead}, nil
}

// Seal encrypts for an owner, such as a cluster; Open asks for the same owner.
func (v *Vault) Seal(owner string, plain []byte) Sealed {
	nonce := make([]byte, v.aead.NonceSize())
	_, _ = rand.Read(nonce) // never fails
	return Sealed{Nonce: nonce, Box: v.aead.Seal(nil, nonce, plain, []byte(owner))}
}

// Open decrypts what Seal made. Its error is ErrOpen.
func (v *Vault) Open(owner string, s Sealed) ([]byte, error) {
	if len(s.Nonce) != v.aead.NonceSize() {
		return nil, ErrOpen
	}
	plain, err := v.aead.Open(nil, s.Nonce, s.Box, []byte(owner))
	if err != nil {
		return nil, ErrOpen
	}
	return plain, nil
}

func makeKey(file string) ([]byte, error) {
	key := make([]byte, keySize)
	_, _ = rand.Read(key)
	text := []byte(base64.StdEncoding.EncodeToString(key) + "\n")
	if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
		return nil, fmt.Errorf("the folder of the key file %s cannot be made: %w", file, errors.Unwrap(err))
	}
	// Written aside and linked into place: a half-written key is never seen, and one that is there is never replaced.
	tmp, err := os.CreateTemp(filepath.Dir(file), ".key-")
	if err != nil {
		return nil, fmt.Errorf("the key file %s cannot be made: %w", file, errors.Unwrap(err))
	}
	defer func() { _ = os.Remove(tmp.Name()) }()
	_, err = tmp.Write(text)
	if err == nil {
		err = tmp.Sync()
	}
	if cerr := tmp.Close(); err == nil {
		err = cerr
	}
	if err == nil {
		err = os.Link(tmp.Name(), file)
	}
	if errors.Is(err, fs.ErrExist) {
		return os.ReadFile(file)
	}
	if err != nil {
		return nil, fmt.Errorf("the key file %s cannot be written: %w", file, errors.Unwrap(err))
	}
	return text, nil
}
