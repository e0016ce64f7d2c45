package files

import (
	"context"
	"errors"
	"io"
	"net"
	"time"

	"github.com/pkg/sftp"
	"golang.org/x/crypto/ssh"

	"github.com/exospherehost/orbit"
)

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
