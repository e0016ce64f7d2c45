package files

import (
	"crypto/tls"
	"crypto/x509"
	"net"
	"strings"

	"github.com/exospherehost/orbit"
)

// How a connection is encrypted.
const (
	ftpPlain    = ""
	ftpExplicit = "explicit" // after a word in plain, on the same port
	ftpImplicit = "implicit" // from the first byte, on a port of its own
)

// ftpAccount is a user of one server.
type ftpAccount struct {
	address, user, password string
	encryption, ca          string
}

// newFTPAccount reads the secrets for the server of a place. Without a user it is anonymous.
func newFTPAccount(at place, secrets []map[string]string) (account, error) {
	m, address, err := secretsFor(at, secrets)
	if err != nil {
		return nil, err
	}
	a := ftpAccount{address: address, user: m["FTP_USER"], password: m["FTP_PASSWORD"], ca: m["FTP_TLS_CA"]}
	if a.user == "" {
		a.user, a.password = "anonymous", "anonymous"
	}
	if strings.ContainsAny(a.user+a.password, "\r\n\x00") {
		return nil, orbit.Permanent(orbit.CodeDenied, "FTP_USER and FTP_PASSWORD in secrets must be one line each")
	}
	switch strings.ToLower(m["FTP_TLS"]) {
	case "", "false":
	case "true", ftpExplicit:
		a.encryption = ftpExplicit
	case ftpImplicit:
		a.encryption = ftpImplicit
	default:
		return nil, orbit.Permanent(orbit.CodeInvalidConfig, "FTP_TLS in secrets is none of true, explicit, implicit and false")
	}
	return a, nil
}

// connect implements account.
func (a ftpAccount) connect(*Opener) (store, error) {
	d := &ftpDialer{account: a}
	if a.encryption != ftpPlain {
		host, _, err := net.SplitHostPort(a.address)
		if err != nil {
			return nil, orbit.Permanent(orbit.CodeInvalidConfig, "FTP_HOST in secrets is no host; write it like files.example.com")
		}
		// Servers may insist that the data comes by the session of the control connection.
		d.tls = &tls.Config{ServerName: host, ClientSessionCache: tls.NewLRUClientSessionCache(0), MinVersion: tls.VersionTLS12}
		if a.ca != "" {
			d.tls.RootCAs = x509.NewCertPool()
			if !d.tls.RootCAs.AppendCertsFromPEM([]byte(strings.ReplaceAll(a.ca, `\n`, "\n"))) {
				return nil, orbit.Permanent(orbit.CodeInvalidConfig, "FTP_TLS_CA in secrets is no certificate; give the PEM text, from BEGIN CERTIFICATE on")
			}
		}
	}
	return &ftpStore{sessions: &sessions[*ftpSession]{dial: d.dial}, host: a.address}, nil
}
