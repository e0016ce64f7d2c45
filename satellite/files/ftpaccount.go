package files

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"net"
	"net/textproto"
	"strings"
	"sync"
	"time"

	"github.com/jlaffaye/ftp"

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

// ftpDialer opens connections to one server.
type ftpDialer struct {
	account ftpAccount
	tls     *tls.Config // nil: in plain
}

func (d *ftpDialer) dial(ctx context.Context) (*ftpSession, error) {
	s := &ftpSession{}
	limited, cancel := context.WithTimeout(ctx, handshakeLimit)
	defer cancel()
	stop := context.AfterFunc(limited, s.close)
	options := []ftp.DialOption{ftp.DialWithDialFunc(s.dialer(d.tls, d.account.encryption == ftpImplicit))}
	switch d.account.encryption {
	case ftpExplicit:
		options = append(options, ftp.DialWithExplicitTLS(d.tls))
	case ftpImplicit:
		options = append(options, ftp.DialWithTLS(d.tls))
	}
	conn, err := ftp.Dial(d.account.address, options...)
	if err != nil {
		s.close()
		return nil, d.fault(ctx, err, false)
	}
	err = conn.Login(d.account.user, d.account.password)
	if !stop() && err == nil {
		err = limited.Err()
	}
	if err != nil {
		s.close()
		return nil, d.fault(ctx, err, true)
	}
	s.ServerConn = conn
	return s, nil
}

// fault judges why there is no connection. greeted: the server was there, and the login came next.
func (d *ftpDialer) fault(ctx context.Context, err error, greeted bool) error {
	var (
		said        *textproto.Error
		certificate *tls.CertificateVerificationError
	)
	address := d.account.address
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case errors.As(err, &certificate):
		return orbit.Permanent(orbit.CodeDenied, "the certificate of the server %s is not trusted; check FTP_HOST, or put the certificate that signed it into FTP_TLS_CA in secrets", address)
	case errors.As(err, &said) && said.Code == ftp.StatusNotLoggedIn, said == nil && greeted && !brokeOff(err): // the library drops some numbers
		return orbit.Permanent(orbit.CodeDenied, "the server %s refuses the login; check FTP_USER, FTP_PASSWORD and whether it wants FTP_TLS in secrets", address)
	case errors.As(err, &said) && said.Code >= 500:
		return orbit.Permanent(orbit.CodeRejected, "the server %s does not take the connection (FTP status %d); check FTP_TLS in secrets", address, said.Code)
	case errors.As(err, &said):
		return orbit.Transient(orbit.CodeUnavailable, "the server %s takes no connection at the moment (FTP status %d); try again later", address, said.Code)
	}
	return orbit.Transient(orbit.CodeUnavailable, "the server %s cannot be reached (%s); check FTP_HOST, FTP_PORT and the network", address, netReason(err))
}

// silence is how long a server may take for the next byte.
const silence = time.Minute

// ftpSession is one login: a control connection, and one for each transfer.
type ftpSession struct {
	*ftp.ServerConn

	mu     sync.Mutex
	conns  []net.Conn
	closed bool
}

// dialer gives a function for the library, which calls it for the control connection first and then for each transfer.
func (s *ftpSession) dialer(config *tls.Config, implicit bool) func(network, address string) (net.Conn, error) {
	return func(network, address string) (net.Conn, error) {
		conn, err := (&net.Dialer{Timeout: handshakeLimit}).Dial(network, address)
		if err != nil {
			return nil, err
		}
		conn = &patient{conn}
		control, err := s.keep(conn)
		if err != nil {
			conn.Close()
			return nil, err
		}
		if config != nil && (implicit || !control) {
			return tls.Client(conn, config), nil
		}
		return conn, nil
	}
}

// keep remembers a connection, so that close reaches it. The first is the control connection.
func (s *ftpSession) keep(conn net.Conn) (control bool, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return false, net.ErrClosed
	}
	if len(s.conns) == 2 {
		s.conns = s.conns[:1] // the transfer before has ended
	}
	s.conns = append(s.conns, conn)
	return len(s.conns) == 1, nil
}

func (s *ftpSession) alive() bool { return s.NoOp() == nil }

func (s *ftpSession) close() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.closed = true
	for _, conn := range s.conns {
		_ = conn.Close() // it may be closed already
	}
	s.conns = nil
}

// patient is a connection that waits for the next byte so long and no longer.
type patient struct{ net.Conn }

// Read implements io.Reader.
func (p *patient) Read(b []byte) (int, error) {
	if err := p.SetReadDeadline(time.Now().Add(silence)); err != nil {
		return 0, err
	}
	return p.Conn.Read(b)
}

// Write implements io.Writer.
func (p *patient) Write(b []byte) (int, error) {
	if err := p.SetWriteDeadline(time.Now().Add(silence)); err != nil {
		return 0, err
	}
	return p.Conn.Write(b)
}
