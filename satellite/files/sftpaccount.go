package files

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"slices"
	"strings"
	"time"

	"github.com/pkg/sftp"
	"golang.org/x/crypto/ssh"

	"github.com/exospherehost/orbit"
)

// sftpAccount is a user of one server.
type sftpAccount struct {
	address, user             string
	password, key, passphrase string
	hostKey                   string
	insecure                  bool
}

// newSFTPAccount reads the secrets for the server of a place.
func newSFTPAccount(at place, secrets []map[string]string) (account, error) {
	m, address, err := secretsFor(at, secrets)
	if err != nil {
		return nil, err
	}
	a := sftpAccount{address: address, user: m["SFTP_USER"], password: m["SFTP_PASSWORD"], key: m["SFTP_PRIVATE_KEY"], passphrase: m["SFTP_PASSPHRASE"],
		hostKey: m["SFTP_HOST_KEY"], insecure: strings.EqualFold(m["SFTP_INSECURE_HOST_KEY"], "true")}
	if a.user == "" || (a.password == "" && a.key == "") {
		return nil, orbit.Permanent(orbit.CodeDenied, "secrets hold no login for %s; add SFTP_USER, and SFTP_PASSWORD or SFTP_PRIVATE_KEY", at.bucket)
	}
	if a.hostKey == "" && !a.insecure {
		host, port, _ := net.SplitHostPort(address)
		return nil, orbit.Permanent(orbit.CodeDenied,
			"SFTP_HOST_KEY is missing in secrets: it tells %s from an impostor. Run `ssh-keyscan -p %s %s` on a network you trust and put one of its lines there, "+
				"or set SFTP_INSECURE_HOST_KEY to true to connect to whoever answers", at.bucket, port, host)
	}
	return a, nil
}

// connect implements account.
func (a sftpAccount) connect(*Opener) (store, error) {
	config := &ssh.ClientConfig{User: a.user}
	if a.key != "" {
		signer, err := a.signer()
		if err != nil {
			return nil, err
		}
		config.Auth = append(config.Auth, ssh.PublicKeys(signer))
	}
	if a.password != "" {
		config.Auth = append(config.Auth, ssh.Password(a.password), ssh.KeyboardInteractive(a.reply))
	}
	check := ssh.InsecureIgnoreHostKey()
	if !a.insecure {
		known, err := newKnownHost(a.hostKey)
		if err != nil {
			return nil, err
		}
		check, config.HostKeyAlgorithms = known.check, known.algorithms
	}
	d := &sftpDialer{address: a.address, config: config, check: check}
	return &sftpStore{sessions: &sessions[*sftpSession]{dial: d.dial}, host: a.address}, nil
}

// signer reads the private key. One that has come through a file of one-line values has its line ends written as \n.
func (a sftpAccount) signer() (ssh.Signer, error) {
	text := a.key
	if !strings.Contains(text, "\n") {
		text = strings.ReplaceAll(text, `\n`, "\n")
	}
	var (
		signer ssh.Signer
		err    error
		locked *ssh.PassphraseMissingError
	)
	if a.passphrase != "" {
		signer, err = ssh.ParsePrivateKeyWithPassphrase([]byte(text), []byte(a.passphrase))
	} else {
		signer, err = ssh.ParsePrivateKey([]byte(text))
	}
	switch {
	case errors.As(err, &locked):
		return nil, orbit.Permanent(orbit.CodeDenied, "SFTP_PRIVATE_KEY in secrets is locked; add SFTP_PASSPHRASE")
	case err != nil && a.passphrase != "":
		return nil, orbit.Permanent(orbit.CodeDenied, "SFTP_PRIVATE_KEY in secrets cannot be read; check that it is a whole private key, and that SFTP_PASSPHRASE fits it")
	case err != nil:
		return nil, orbit.Permanent(orbit.CodeDenied, "SFTP_PRIVATE_KEY in secrets cannot be read; give the whole text of a private key, as ssh-keygen writes it")
	}
	return signer, nil
}

// reply answers servers that ask for the password in a dialogue of their own.
func (a sftpAccount) reply(_, _ string, questions []string, echos []bool) ([]string, error) {
	answers := make([]string, len(questions))
	for i := range questions {
		if !echos[i] { // what may be seen is no password
			answers[i] = a.password
		}
	}
	return answers, nil
}

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

// sftpDialer opens connections to one server.
type sftpDialer struct {
	address string
	config  *ssh.ClientConfig
	check   ssh.HostKeyCallback
}

func (d *sftpDialer) dial(ctx context.Context) (*sftpSession, error) {
	dialing, cancel := context.WithTimeout(ctx, handshakeLimit)
	defer cancel()
	conn, err := (&net.Dialer{}).DialContext(dialing, "tcp", d.address)
	if err != nil {
		return nil, d.fault(ctx, err, false)
	}
	stop := context.AfterFunc(dialing, func() { conn.Close() })
	trusted := false
	config := *d.config
	config.HostKeyCallback = func(host string, addr net.Addr, key ssh.PublicKey) error {
		err := d.check(host, addr, key)
		trusted = err == nil
		return err
	}
	link, channels, requests, err := ssh.NewClientConn(conn, d.address, &config)
	if err != nil {
		conn.Close()
		return nil, d.fault(ctx, err, trusted)
	}
	client := ssh.NewClient(link, channels, requests)
	files, err := sftp.NewClient(client, sftp.UseConcurrentWrites(true))
	if err == nil && !stop() {
		err = dialing.Err()
	}
	if err != nil {
		client.Close()
		if ctx.Err() == nil && !brokeOff(err) {
			return nil, orbit.Permanent(orbit.CodeRejected, "the server %s lets the user in, but serves it no files; ask who runs it for SFTP", d.address)
		}
		return nil, d.fault(ctx, err, false)
	}
	return &sftpSession{Client: files, ssh: client}, nil
}

// fault judges why there is no connection. trusted: the server has shown its key, and the login came next.
func (d *sftpDialer) fault(ctx context.Context, err error, trusted bool) error {
	var told *orbit.Error
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case errors.As(err, &told):
		return told
	case trusted && !brokeOff(err):
		return orbit.Permanent(orbit.CodeDenied, "the server %s refuses the login; check SFTP_USER, and SFTP_PASSWORD or SFTP_PRIVATE_KEY in secrets", d.address)
	}
	if mismatch, ok := errors.AsType[*ssh.AlgorithmNegotiationError](err); ok && mismatch != nil {
		return orbit.Permanent(orbit.CodeDenied, "the server %s has no host key of the type in SFTP_HOST_KEY, or speaks none of the ciphers that are still safe; compare with ssh-keyscan", d.address)
	}
	return orbit.Transient(orbit.CodeUnavailable, "the server %s cannot be reached (%s); check SFTP_HOST, SFTP_PORT and the network", d.address, netReason(err))
}

// brokeOff tells an end of the connection from a word of the server.
func brokeOff(err error) bool {
	var network net.Error
	return errors.As(err, &network) || errors.Is(err, io.EOF) || errors.Is(err, net.ErrClosed) || errors.Is(err, context.DeadlineExceeded)
}

// sftpSession is one connection.
type sftpSession struct {
	*sftp.Client
	ssh *ssh.Client
}

func (s *sftpSession) alive() bool {
	done := time.AfterFunc(handshakeLimit, s.close)
	defer done.Stop()
	_, err := s.RealPath(".")
	return err == nil
}

func (s *sftpSession) close() {
	_ = s.ssh.Close() // first: a server that has gone is not waited for
	_ = s.Client.Close()
}
