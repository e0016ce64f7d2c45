package vault_test

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/exospherehost/orbit/vault"
)

func line(fill byte) string {
	return base64.StdEncoding.EncodeToString(bytes.Repeat([]byte{fill}, 32)) + "\n"
}

func write(t *testing.T, file, text string) {
	t.Helper()
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

func mustOpen(t *testing.T, v *vault.Vault, s vault.Sealed) {
	t.Helper()
	if plain, err := v.Open("me", s); err != nil || string(plain) != "secret" {
		t.Errorf("%q, %v", plain, err)
	}
}

func TestARingOpensWhatAnyOfItsKeysSealed(t *testing.T) {
	file := filepath.Join(t.TempDir(), "secrets.key")
	write(t, file, "# the first\n"+line(1))
	v, err := vault.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	first, old := v.First(), v.Seal("me", []byte("secret"))
	if n, err := vault.AddKey(file); n != 2 || err != nil {
		t.Fatal(n, err)
	}
	if text, _ := os.ReadFile(file); !strings.HasPrefix(string(text), "# the first\n"+line(1)) {
		t.Errorf("%q", text)
	}
	if !v.IsNewest(first) {
		t.Error("the file was not read again yet")
	}
	if err := v.Refresh(); err != nil {
		t.Fatal(err)
	}
	if v.IsNewest(first) || v.First().Key != first.Key || v.Newest().Key == first.Key || old.Key != first.Key {
		t.Errorf("%v, %v", v.First(), v.Newest())
	}
	mustOpen(t, v, old)
	fresh, err := v.SealUnder(v.Newest(), "me", []byte("secret"))
	if err != nil || fresh.Key != v.Newest().Key {
		t.Fatal(err)
	}
	mustOpen(t, v, fresh)
	one := newVault(t, 1)
	if _, err := one.Open("me", fresh); !errors.Is(err, vault.ErrOpen) || one.Knows(fresh.Ref) || !one.Knows(old.Ref) {
		t.Errorf("one key opens what the other sealed: %v", err)
	}
	if _, err := one.SealUnder(fresh.Ref, "me", nil); !errors.Is(err, vault.ErrNoKey) {
		t.Errorf("%v", err)
	}
	// The old one is taken out: a process that has it keeps it.
	write(t, file, line(7))
	if err := v.Refresh(); err != nil || !v.IsNewest(newVault(t, 7).First()) {
		t.Errorf("%v", err)
	}
	mustOpen(t, v, old)
	mustOpen(t, v, fresh)
	// A file that is not right changes nothing.
	write(t, file, "nonsense")
	if err := v.Refresh(); err == nil {
		t.Error("a file that holds no key is taken")
	}
	mustOpen(t, v, old)
}

func TestWhatWasSealedBeforeKeysHadNamesIsOpened(t *testing.T) {
	s := newVault(t, 1).Seal("me", []byte("secret"))
	s.Ref = vault.Ref{}
	if text, _ := json.Marshal(s); bytes.Contains(text, []byte("key")) {
		t.Errorf("%s", text)
	}
	file := filepath.Join(t.TempDir(), "secrets.key")
	write(t, file, line(9)+line(1))
	v, err := vault.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	mustOpen(t, v, s)
	if _, err := newVault(t, 2).Open("me", s); !errors.Is(err, vault.ErrOpen) {
		t.Errorf("%v", err)
	}
}

func TestAPassphraseOpensWithTheSaltThatIsStored(t *testing.T) {
	dir := t.TempDir()
	phrases, keys := filepath.Join(dir, "phrases"), filepath.Join(dir, "keys")
	write(t, phrases, "an old passphrase\n")
	write(t, keys, line(1))
	v, err := vault.OpenPassphrases(phrases, keys)
	if err != nil {
		t.Fatal(err)
	}
	byKey := v.Seal("me", []byte("secret"))
	if len(byKey.Salt) != 0 || byKey.Key != newVault(t, 1).First().Key {
		t.Errorf("the key file comes first: %+v", byKey.Ref)
	}
	sealed, err := v.SealUnder(v.Newest(), "me", []byte("secret"))
	if err != nil || len(sealed.Salt) != 16 {
		t.Fatalf("%+v, %v", sealed.Ref, err)
	}
	again, err := vault.NewPassphrase("there", "an old passphrase")
	if err != nil {
		t.Fatal(err)
	}
	mustOpen(t, again, sealed)
	if !again.IsNewest(sealed.Ref) || again.Newest().Key == sealed.Key {
		t.Error("two processes have salts of their own, and know each other's keys")
	}
	write(t, phrases, "an old passphrase\na new passphrase\n")
	if err := v.Refresh(); err != nil || v.IsNewest(sealed.Ref) || !v.Knows(sealed.Ref) {
		t.Errorf("%v", err)
	}
	mustOpen(t, v, byKey)
	other, err := vault.NewPassphrase("there", "an old passphrase!")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := other.Open("me", sealed); !errors.Is(err, vault.ErrOpen) || other.Knows(sealed.Ref) {
		t.Errorf("%v", err)
	}
}

func TestPassphrasesThatAreNotRightAreRefusedAndNotShown(t *testing.T) {
	file := filepath.Join(t.TempDir(), "phrases")
	for text, want := range map[string]string{
		"":                                 "does not hold a passphrase",
		"\n\n":                             "does not hold a passphrase",
		"short":                            "less than 12 characters",
		"a long passphrase here\nshort2\n": "less than 12 characters",
	} {
		write(t, file, text)
		if _, err := vault.OpenPassphrases(file, ""); err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), file) || strings.Contains(err.Error(), "short") {
			t.Errorf("%q: %v", text, err)
		}
	}
	write(t, file, "a long passphrase here")
	if err := os.Chmod(file, 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := vault.OpenPassphrases(file, ""); err == nil || !strings.Contains(err.Error(), "mode 0644") {
		t.Errorf("%v", err)
	}
}

func TestARingHasAMost(t *testing.T) {
	file := filepath.Join(t.TempDir(), "secrets.key")
	var text strings.Builder
	for i := range 16 {
		text.WriteString(line(byte(i)))
	}
	write(t, file, text.String())
	if _, err := vault.AddKey(file); err == nil || !strings.Contains(err.Error(), "holds 16 keys, which is the most") {
		t.Errorf("%v", err)
	}
	if after, _ := os.ReadFile(file); string(after) != text.String() {
		t.Error("the file was changed")
	}
}
