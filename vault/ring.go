package vault

import (
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"unicode/utf8"
)

const (
	// maxRing bounds the ring: each change of the key adds one, and old ones are taken out again.
	maxRing = 16
	// minPassphrase is the shortest passphrase, in characters: a shorter one is found by guessing, slow as each guess is.
	minPassphrase = 12
)

// Open reads the ring from a key file: a key a line, 32 bytes in base64, the newest last; lines that begin with # are
// left out. Where there is no file it is made, readable by its owner alone. There is no default key.
func Open(keyFile string) (*Vault, error) {
	v := &Vault{file: keyFile}
	_, err := os.Stat(keyFile)
	if errors.Is(err, fs.ErrNotExist) {
		err = writeKeys(keyFile, nil)
	} else if err != nil {
		err = fmt.Errorf("the key file %s cannot be read: %w", keyFile, errors.Unwrap(err))
	}
	if err != nil {
		return nil, err
	}
	return v, v.Refresh()
}

// OpenPassphrases reads the ring from a file of passphrases, one a line, the newest last. The keys of a key file stand before
// them, where one is named: so does what was sealed under them stay readable.
func OpenPassphrases(file, keyFile string) (*Vault, error) {
	v := &Vault{phrases: file, file: keyFile}
	return v, v.Refresh()
}

// NewPassphrase makes a vault of one passphrase; where says where it comes from, for sentences about it.
func NewPassphrase(where, text string) (*Vault, error) {
	ring, err := readPassphrases(where, text)
	if err != nil {
		return nil, err
	}
	return &Vault{ring: ring}, nil
}

// String names where the ring comes from.
func (v *Vault) String() string {
	switch {
	case v.phrases != "":
		return "the passphrase file " + v.phrases
	case v.file != "":
		return "the key file " + v.file
	}
	return "the master key"
}

// Refresh reads the files again. What is not in them any more is kept until the process ends: something may still be sealed
// under it.
func (v *Vault) Refresh() error {
	var ring []entry
	if v.file != "" {
		text, err := readPrivate("key file", v.file)
		if err != nil {
			return err
		}
		if ring, err = readKeys(v.file, text); err != nil {
			return err
		}
	}
	if v.phrases != "" {
		text, err := readPrivate("passphrase file", v.phrases)
		if err != nil {
			return err
		}
		phrases, err := readPassphrases("the passphrase file "+v.phrases, text)
		if err != nil {
			return err
		}
		ring = append(ring, phrases...)
	}
	if len(ring) == 0 {
		return nil
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	old := v.ring
	var kept []entry
	for _, o := range old {
		there := false
		for i, n := range ring {
			if o.same(n) {
				ring[i], there = o, true // with the keys that were made of it
			}
		}
		if !there {
			kept = append(kept, o)
		}
	}
	v.ring = append(kept, ring...)
	return nil
}

// AddKey puts a new key behind those of a key file, and gives their number. What runs finds it there within a minute. A crash
// leaves the file as it was, or with the key.
func AddKey(keyFile string) (int, error) {
	text, err := readPrivate("key file", keyFile)
	if err != nil {
		return 0, err
	}
	ring, err := readKeys(keyFile, text)
	if err != nil {
		return 0, err
	}
	if len(ring) >= maxRing {
		return 0, fmt.Errorf("the key file %s holds %d keys, which is the most; remove the oldest, once the log of the gateway says that nothing is sealed under them", keyFile, len(ring))
	}
	return len(ring) + 1, writeKeys(keyFile, []byte(strings.TrimRight(text, "\n")+"\n"))
}

// readPrivate reads a file that its owner alone may read.
func readPrivate(what, file string) (string, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return "", fmt.Errorf("the %s %s cannot be read: %w", what, file, errors.Unwrap(err))
	}
	if info, err := os.Stat(file); err == nil && info.Mode().Perm()&0o077 != 0 {
		return "", fmt.Errorf("the %s %s can be read by others (mode %04o); make it 0600", what, file, info.Mode().Perm())
	}
	return string(text), nil
}

func readKeys(file, text string) ([]entry, error) {
	var ring []entry
	wrong := fmt.Errorf("the key file %s does not hold a key a line (32 bytes in base64), each once; restore it, for without it stored secrets cannot be opened", file)
	for line := range strings.Lines(text) {
		line = strings.TrimSpace(line)
		if line == "" || line[0] == '#' {
			continue
		}
		key, err := base64.StdEncoding.DecodeString(line)
		if err != nil || len(key) != keySize {
			return nil, wrong
		}
		k, err := newKey(key)
		if err != nil {
			return nil, wrong
		}
		if isIn(ring, k) {
			return nil, wrong
		}
		ring = append(ring, k)
	}
	if len(ring) == 0 || len(ring) > maxRing {
		return nil, wrong
	}
	return ring, nil
}

func readPassphrases(where, text string) ([]entry, error) {
	var ring []entry
	for line := range strings.Lines(text) {
		line = strings.TrimRight(line, "\r\n")
		if line == "" {
			continue
		}
		if utf8.RuneCountInString(line) < minPassphrase {
			return nil, fmt.Errorf("a passphrase of %s has less than %d characters; write a longer one, several words say", where, minPassphrase)
		}
		if p := (&passphrase{text: line}); !isIn(ring, p) {
			ring = append(ring, p)
		}
	}
	if len(ring) == 0 || len(ring) > maxRing {
		return nil, fmt.Errorf("%s does not hold a passphrase (%d at most, one a line)", where, maxRing)
	}
	return ring, nil
}

func isIn(ring []entry, e entry) bool {
	for _, o := range ring {
		if o.same(e) {
			return true
		}
	}
	return false
}

// writeKeys writes a key file anew: what it holds, and a new key. A file that is not there, where nothing is held, is made by
// one process alone.
func writeKeys(file string, held []byte) error {
	key := make([]byte, keySize)
	_, _ = rand.Read(key) // never fails
	text := append(held, base64.StdEncoding.EncodeToString(key)+"\n"...)
	if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
		return fmt.Errorf("the folder of the key file %s cannot be made: %w", file, errors.Unwrap(err))
	}
	// Written aside and put into place: a half-written key is never seen, and a file that another process made is never replaced.
	tmp, err := os.CreateTemp(filepath.Dir(file), ".key-")
	if err != nil {
		return fmt.Errorf("the key file %s cannot be made: %w", file, errors.Unwrap(err))
	}
	defer func() { _ = os.Remove(tmp.Name()) }()
	_, err = tmp.Write(text)
	if err == nil {
		err = tmp.Sync()
	}
	if cerr := tmp.Close(); err == nil {
		err = cerr
	}
	switch {
	case err != nil:
	case len(held) == 0:
		if err = os.Link(tmp.Name(), file); errors.Is(err, fs.ErrExist) {
			return nil
		}
	default:
		// Dying before this the file is as it was, and dying after it the new key is in it: nothing is sealed under it yet.
		err = os.Rename(tmp.Name(), file)
	}
	if err == nil {
		err = syncDir(filepath.Dir(file))
	}
	if err != nil {
		return fmt.Errorf("the key file %s cannot be written: %w", file, err)
	}
	return nil
}

// syncDir makes a name in a folder durable: what is sealed under a key that a power cut takes away is lost.
func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	defer func() { _ = d.Close() }()
	return d.Sync()
}
