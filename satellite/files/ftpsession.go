package files

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"net/textproto"
	"sync"
	"time"

	"github.com/jlaffaye/ftp"

	"github.com/exospherehost/orbit"
)

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
