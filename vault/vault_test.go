package vault_test

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/exospherehost/orbit/vault"
)

func TestKeyFileIsMadeForItsOwnerAlone(t *testing.T) {
	file := filepath.Join(t.TempDir(), "data", "secrets.key")
	v, err := vault.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(file)
	if err != nil || info.Mode() != 0o600 {
		t.Errorf("%v, %v", info.Mode(), err)
	}
	if dir, err := os.Stat(filepath.Dir(file)); err != nil || dir.Mode().Perm() != 0o700 {
		t.Errorf("its folder: %v, %v", dir.Mode(), err)
	}
	if left, _ := filepath.Glob(filepath.Join(filepath.Dir(file), ".*")); len(left) != 0 {
		t.Errorf("left behind: %v", left)
	}
	sealed := v.Seal("me", []byte("secret"))
	before, _ := os.ReadFile(file)
	again, err := vault.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	if plain, err := again.Open("me", sealed); err != nil || string(plain) != "secret" {
		t.Errorf("after a restart: %q, %v", plain, err)
	}
	if after, _ := os.ReadFile(file); !bytes.Equal(before, after) {
		t.Error("the key was replaced")
	}
}

func TestGatewaysThatStartTogetherHaveOneKey(t *testing.T) {
	file := filepath.Join(t.TempDir(), "secrets.key")
	vaults := make([]*vault.Vault, 16)
	var wg sync.WaitGroup
	for i := range vaults {
		wg.Go(func() {
			var err error
			if vaults[i], err = vault.Open(file); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if t.Failed() {
		return
	}
	sealed := vaults[0].Seal("me", []byte("secret"))
	for i, v := range vaults {
		if _, err := v.Open("me", sealed); err != nil {
			t.Errorf("vault %d has another key", i)
		}
	}
}

func TestKeyFilesThatAreNotRightAreRefusedAndLeftAlone(t *testing.T) {
	good := strings.Repeat("A", 43) + "=\n"
	for name, c := range map[string]struct {
		text     string
		mode     os.FileMode
		sentence string
	}{
		"readable by the group":  {good, 0o640, "can be read by others (mode 0640); make it 0600"},
		"readable by all":        {good, 0o604, "can be read by others (mode 0604)"},
		"writable by all":        {good, 0o602, "mode 0602"},
		"empty":                  {"", 0o600, "does not hold a key"},
		"too short":              {"QUJD\n", 0o600, "does not hold a key"},
		"no base64":              {strings.Repeat("?", 44), 0o600, "does not hold a key"},
		"two keys":               {good + good, 0o600, "does not hold a key"},
		"something else at hand": {"correct horse battery staple", 0o600, "restore it, for without it stored secrets cannot be opened"},
	} {
		t.Run(name, func(t *testing.T) {
			file := filepath.Join(t.TempDir(), "secrets.key")
			if err := os.WriteFile(file, []byte(c.text), 0o600); err != nil {
				t.Fatal(err)
			}
			if err := os.Chmod(file, c.mode); err != nil { // whatever the umask
				t.Fatal(err)
			}
			_, err := vault.Open(file)
			if err == nil || !strings.Contains(err.Error(), c.sentence) || !strings.Contains(err.Error(), file) {
				t.Errorf("%v", err)
			}
			if err != nil && len(c.text) > 4 && strings.Contains(err.Error(), strings.TrimSpace(c.text)) {
				t.Errorf("the error tells the key: %v", err)
			}
			if text, _ := os.ReadFile(file); string(text) != c.text {
				t.Errorf("the file was changed to %q", text)
			}
		})
	}
}

func TestFolderThatCannotBeMadeIsToldInWords(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	_, err := vault.Open(filepath.Join(file, "secrets.key"))
	if err == nil || !strings.HasPrefix(err.Error(), "the key file "+file) {
		t.Errorf("%v", err)
	}
}

func newVault(t *testing.T, fill byte) *vault.Vault {
	t.Helper()
	v, err := vault.New(bytes.Repeat([]byte{fill}, 32))
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func TestSealedIsOpenedForItsOwnerAlone(t *testing.T) {
	v := newVault(t, 1)
	sealed := v.Seal("cluster.acme.a", []byte("secret"))
	if bytes.Contains(sealed.Box, []byte("secret")) {
		t.Error("the box shows its content")
	}
	if plain, err := v.Open("cluster.acme.a", sealed); err != nil || string(plain) != "secret" {
		t.Errorf("%q, %v", plain, err)
	}
	flip := func(b []byte) []byte { b = bytes.Clone(b); b[0] ^= 1; return b }
	for name, try := range map[string]func() ([]byte, error){
		"another owner": func() ([]byte, error) { return v.Open("cluster.acme.b", sealed) },
		"no owner":      func() ([]byte, error) { return v.Open("", sealed) },
		"another key":   func() ([]byte, error) { return newVault(t, 2).Open("cluster.acme.a", sealed) },
		"a changed box": func() ([]byte, error) {
			return v.Open("cluster.acme.a", vault.Sealed{Nonce: sealed.Nonce, Box: flip(sealed.Box)})
		},
		"a changed nonce": func() ([]byte, error) {
			return v.Open("cluster.acme.a", vault.Sealed{Nonce: flip(sealed.Nonce), Box: sealed.Box})
		},
		"a short nonce": func() ([]byte, error) {
			return v.Open("cluster.acme.a", vault.Sealed{Nonce: sealed.Nonce[1:], Box: sealed.Box})
		},
		"an empty box":     func() ([]byte, error) { return v.Open("cluster.acme.a", vault.Sealed{Nonce: sealed.Nonce}) },
		"nothing whatever": func() ([]byte, error) { return v.Open("cluster.acme.a", vault.Sealed{}) },
	} {
		if plain, err := try(); !errors.Is(err, vault.ErrOpen) {
			t.Errorf("%s: %q, %v", name, plain, err)
		}
	}
}

func TestSealingTwiceShowsNothingInCommon(t *testing.T) {
	v := newVault(t, 1)
	a, b := v.Seal("me", []byte("secret")), v.Seal("me", []byte("secret"))
	if bytes.Equal(a.Nonce, b.Nonce) || bytes.Equal(a.Box, b.Box) {
		t.Error("equal secrets have equal boxes")
	}
}

func TestKeysOfAnotherLengthAreRefused(t *testing.T) {
	for _, n := range []int{0, 15, 31, 33} {
		if _, err := vault.New(make([]byte, n)); err == nil {
			t.Errorf("%d bytes are taken for a key", n)
		}
	}
}
