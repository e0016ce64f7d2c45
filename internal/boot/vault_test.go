package boot

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestRotateKeyAddsAKeyToTheFileAndNothingElse(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "secrets.key")
	if code, out, errs := run(GatewayCommand(), "rotate-key", "--data", dir); code != 1 || out != "" || !strings.Contains(errs, "orbit-gateway: the key file "+file+" cannot be read") {
		t.Errorf("without a file: %d, %s%s", code, out, errs)
	}
	v, err := openVault(GatewayConfig{Data: dir})
	if err != nil {
		t.Fatal(err)
	}
	old := v.Newest()
	before, _ := os.ReadFile(file)
	code, out, errs := run(GatewayCommand(), "rotate-key", "--data", dir)
	if code != 0 || errs != "" || !strings.HasPrefix(out, file+" holds 2 keys now, the new one last.\n") {
		t.Errorf("%d, %s%s", code, out, errs)
	}
	after, _ := os.ReadFile(file)
	if rest, ok := strings.CutPrefix(string(after), string(before)); !ok || len(rest) != 45 || strings.Contains(out, strings.TrimSpace(rest)) {
		t.Errorf("%q", after)
	}
	if v, err = openVault(GatewayConfig{KeyFile: file}); err != nil || !v.Knows(old) || v.IsNewest(old) || v.First().Key != old.Key {
		t.Errorf("%v", err)
	}
}

func TestTheMasterKeyMayBeMadeOfAPassphrase(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "passphrase")
	if err := os.WriteFile(file, []byte("correct horse battery staple\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	v, err := openVault(GatewayConfig{Data: dir, PassphraseFile: file})
	if err != nil {
		t.Fatal(err)
	}
	t.Setenv(PassphraseVariable, "correct horse battery staple")
	w, err := openVault(GatewayConfig{Data: dir})
	if err != nil {
		t.Fatal(err)
	}
	if plain, err := w.Open("me", v.Seal("me", []byte("secret"))); err != nil || string(plain) != "secret" {
		t.Errorf("%q, %v", plain, err)
	}
	if all, _ := filepath.Glob(filepath.Join(dir, "*")); len(all) != 1 {
		t.Errorf("a key file was made: %v", all)
	}
	if _, err := openVault(GatewayConfig{KeyFile: file}); err == nil || !strings.Contains(err.Error(), "are given both") {
		t.Errorf("%v", err)
	}
	if code, _, errs := run(GatewayCommand(), "rotate-key", "--data", dir); code != 1 || !strings.Contains(errs, "last line of the file") {
		t.Errorf("%d, %s", code, errs)
	}
	t.Setenv(PassphraseVariable, "")
	if _, err := openVault(GatewayConfig{Data: dir}); err == nil || !strings.Contains(err.Error(), PassphraseVariable+" does not hold a passphrase") {
		t.Errorf("an empty one is none: %v", err)
	}
}

func TestAClusterDoesNotSeeTheSecretsOfTheGateway(t *testing.T) {
	t.Setenv(TokenVariable, "CANARY-1")
	t.Setenv(PassphraseVariable, "CANARY-2")
	t.Setenv("SOME_KEY", "value")
	for name, want := range map[string]bool{TokenVariable: false, PassphraseVariable: false, "SOME_KEY": true} {
		if _, ok := clusterEnv(name); ok != want {
			t.Errorf("%s: %v", name, ok)
		}
	}
}

func TestAHashiCorpVaultIsNamedInASection(t *testing.T) {
	file := filepath.Join(t.TempDir(), "gateway.yml")
	for name, c := range map[string]struct {
		text string
		args []string
		code int
		want string
	}{
		"in the file":    {"vault:\n  address: https://v:8200\n  mount: kv\n  approle: {role-id: r, secret-id-file: /f}\n", nil, 0, "address: https://v:8200\n    mount: kv\n    approle:\n        role-id: r\n        secret-id-file: /f\n"},
		"as a flag":      {"", []string{"--vault", "{address: 'https://v:8200', token-file: /f}"}, 0, "token-file: /f\n"},
		"not at all":     {"", nil, 0, "vault: {}\n"},
		"a wrong key":    {"vault: {adress: https://v:8200}\n", nil, 2, "field adress not found"},
		"a token itself": {"vault: {address: https://v:8200, token: CANARY}\n", nil, 2, "field token not found"},
	} {
		if err := os.WriteFile(file, []byte(c.text), 0o600); err != nil {
			t.Fatal(err)
		}
		code, out, errs := run(GatewayCommand(), append([]string{"config", "--config", file}, c.args...)...)
		if code != c.code || !strings.Contains(out+errs, c.want) || strings.Contains(out+errs, "CANARY") {
			t.Errorf("%s: exit code %d, %s%s", name, code, out, errs)
		}
	}
	if c, err := (VaultConfig{}).open(); c != nil || err != nil {
		t.Errorf("%v, %v", c, err)
	}
	t.Setenv(TokenOfVault, "t")
	v := VaultConfig{}
	if err := v.UnmarshalText([]byte("{address: 'https://v:8200'}")); err != nil {
		t.Fatal(err)
	}
	if c, err := v.open(); err != nil || c.String() != "the HashiCorp Vault at https://v:8200" {
		t.Errorf("%v, %v", c, err)
	}
}
