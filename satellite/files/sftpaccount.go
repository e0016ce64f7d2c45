package files

import (
	"errors"
	"net"
	"strings"

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
