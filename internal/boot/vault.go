package boot

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"gopkg.in/yaml.v3"

	"github.com/exospherehost/orbit/vault"
	"github.com/exospherehost/orbit/vault/hashicorp"
)

// PassphraseVariable is the environment variable that holds the passphrase of the master key where no file is given.
const PassphraseVariable = "ORBIT_KEY_PASSPHRASE"

// openVault opens the ring of master keys.
func openVault(cfg GatewayConfig) (*vault.Vault, error) {
	text, given := os.LookupEnv(PassphraseVariable)
	switch {
	case cfg.PassphraseFile != "":
		return vault.OpenPassphrases(cfg.PassphraseFile, cfg.KeyFile)
	case given && cfg.KeyFile != "":
		return nil, fmt.Errorf("%s and --key-file are given both; give one of them, or move the passphrase to a file (--passphrase-file), which goes with the keys that a key file held before", PassphraseVariable)
	case given:
		return vault.NewPassphrase(PassphraseVariable, text)
	}
	return vault.Open(keyFileOf(cfg))
}

func keyFileOf(cfg GatewayConfig) string {
	if cfg.KeyFile != "" {
		return cfg.KeyFile
	}
	data := cfg.Data
	if data == "" {
		data = defaultData("gateway", cfg.Name)
	}
	return filepath.Join(data, "secrets.key")
}

// rotateKey is `orbit-gateway rotate-key`.
func rotateKey(cfg GatewayConfig, stdout io.Writer) error {
	if _, given := os.LookupEnv(PassphraseVariable); given || cfg.PassphraseFile != "" {
		return fmt.Errorf("the master key is made of a passphrase: write the new one as the last line of the file that --passphrase-file names, of every gateway; they seal everything anew under it")
	}
	file := keyFileOf(cfg)
	n, err := vault.AddKey(file)
	if err != nil {
		return err
	}
	fmt.Fprintf(stdout, "%s holds %d keys now, the new one last.\n"+
		"Copy it to every other gateway. Within minutes of all having it, they seal under the new key, and everything that is stored anew.\n"+
		"When the log says that every secret is sealed under the newest key, the older lines may be removed. Backups made before need them.\n", file, n)
	return nil
}

// TokenOfVault is the environment variable with the token of a HashiCorp Vault, where the configuration names no login.
const TokenOfVault = "VAULT_TOKEN"

// VaultConfig is the section about a HashiCorp Vault.
type VaultConfig struct{ hashicorp.Options }

// UnmarshalText implements encoding.TextUnmarshaler.
func (v *VaultConfig) UnmarshalText(text []byte) error {
	dec := yaml.NewDecoder(bytes.NewReader(text))
	dec.KnownFields(true)
	if err := dec.Decode(&v.Options); err != nil && !errors.Is(err, io.EOF) {
		return fmt.Errorf("the section vault cannot be read: %w", err)
	}
	return nil
}

// MarshalYAML implements yaml.Marshaler.
func (v VaultConfig) MarshalYAML() (any, error) { return v.Options, nil }

// open makes the client; nil where no Vault is named.
func (v VaultConfig) open() (*hashicorp.Client, error) {
	if v.Options == (hashicorp.Options{}) {
		return nil, nil
	}
	return hashicorp.New(v.Options, func() string { return strings.TrimSpace(os.Getenv(TokenOfVault)) })
}

// own are the variables that hold secrets of the gateway itself.
var own = []string{TokenVariable, PassphraseVariable, TokenOfVault}

// clusterEnv is the environment that {env: NAME} of a cluster file sees: the gateway's, without its own secrets.
func clusterEnv(name string) (string, bool) {
	if slices.Contains(own, name) {
		return "", false
	}
	return os.LookupEnv(name)
}
