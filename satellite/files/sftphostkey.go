package files

import (
	"bytes"
	"net"
	"slices"
	"strings"

	"golang.org/x/crypto/ssh"

	"github.com/exospherehost/orbit"
)

// knownHost is what SFTP_HOST_KEY says of the server.
type knownHost struct {
	keys         [][]byte
	fingerprints []string
	algorithms   []string // to ask for; nil: any
}

// newKnownHost reads lines as ssh-keyscan and known_hosts have them, with or without the host's name before them, and
// fingerprints as ssh-keygen -l prints them.
func newKnownHost(text string) (*knownHost, error) {
	k := &knownHost{}
	for line := range strings.Lines(strings.ReplaceAll(text, `\n`, "\n")) {
		fields := strings.Fields(line)
		if len(fields) == 0 || strings.HasPrefix(fields[0], "#") {
			continue
		}
		if i := slices.IndexFunc(fields, func(f string) bool { return strings.HasPrefix(f, "SHA256:") }); i >= 0 {
			k.fingerprints = append(k.fingerprints, strings.TrimRight(fields[i], "="))
			continue
		}
		key, _, _, _, err := ssh.ParseAuthorizedKey([]byte(line))
		if err != nil && len(fields) > 2 {
			key, _, _, _, err = ssh.ParseAuthorizedKey([]byte(strings.Join(fields[1:], " ")))
		}
		if err != nil {
			return nil, orbit.Permanent(orbit.CodeDenied, "SFTP_HOST_KEY in secrets is no host key; give a line of ssh-keyscan, such as `ssh-ed25519 AAAA…`, or a fingerprint, SHA256:…")
		}
		k.keys = append(k.keys, key.Marshal())
		k.algorithms = append(k.algorithms, algorithmsOf(key.Type())...)
	}
	if len(k.keys) == 0 && len(k.fingerprints) == 0 {
		return nil, orbit.Permanent(orbit.CodeDenied, "SFTP_HOST_KEY in secrets is no host key; give a line of ssh-keyscan, such as `ssh-ed25519 AAAA…`, or a fingerprint, SHA256:…")
	}
	if len(k.fingerprints) > 0 {
		k.algorithms = nil // a fingerprint does not tell the type
	}
	return k, nil
}

// algorithmsOf gives the signatures that a key of a type makes. A server with keys of several types shows one that is
// asked for.
func algorithmsOf(keyType string) []string {
	if keyType == ssh.KeyAlgoRSA {
		return []string{ssh.KeyAlgoRSASHA512, ssh.KeyAlgoRSASHA256}
	}
	return []string{keyType}
}

func (k *knownHost) check(host string, _ net.Addr, key ssh.PublicKey) error {
	shown := ssh.FingerprintSHA256(key)
	if slices.Contains(k.fingerprints, shown) || slices.ContainsFunc(k.keys, func(known []byte) bool { return bytes.Equal(known, key.Marshal()) }) {
		return nil
	}
	return orbit.Permanent(orbit.CodeDenied, "the server %s shows the host key %s (%s), which is not the one in SFTP_HOST_KEY: someone may be in between, or its key was changed; "+
		"ask who runs it, then put the new one into secrets", host, shown, key.Type())
}
