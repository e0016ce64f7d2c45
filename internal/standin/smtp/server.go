// Package smtp is a stand-in for a mail server: it listens on loopback, speaks as much SMTP (RFC 5321) as a client needs to
// hand a mail over, and keeps what it is given, so that tests and the example need no mail server.
//
// It delivers nothing to anybody, checks no address, and takes any password.
package smtp

import (
	"context"
	"crypto/tls"
	"net"
	"sync"
)

// Options say how it behaves. The zero value takes every mail, over a connection in the open.
type Options struct {
	TLS      *tls.Config       // offers STARTTLS; with Implicit, speaks TLS from the first byte
	Implicit bool              // TLS from the first byte
	Auth     string            // mechanisms that it offers, PLAIN and LOGIN; "": it asks nobody who they are
	Size     string            // the most bytes of a mail that it claims to take; "": it does not say
	Say      map[string]string // answers instead of the usual, by the beginning of a line; "greeting", and "." for the end of a mail
	Silent   string            // does not answer a line that begins so, nor any after it; "greeting" too
}

// Server is up. It is safe for concurrent use.
type Server struct {
	Addr   string        // host and port
	Silent chan struct{} // closed when it has fallen silent

	options  Options
	listener net.Listener
	ctx      context.Context // of all connections
	end      context.CancelFunc
	talks    sync.WaitGroup
	silence  sync.Once

	mu    sync.Mutex
	lines []string      // commands, passwords opened
	mails []string      // as they were sent
	came  chan struct{} // closed at the next mail
}

// Start listens on a free port of loopback, until Close.
func Start(o Options) (*Server, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	s := &Server{Addr: l.Addr().String(), Silent: make(chan struct{}), options: o, listener: l, came: make(chan struct{})}
	if o.Implicit {
		s.listener = tls.NewListener(l, o.TLS)
	}
	s.ctx, s.end = context.WithCancel(context.Background())
	s.talks.Go(func() {
		for {
			conn, err := s.listener.Accept()
			if err != nil {
				return // closed
			}
			s.talks.Go(func() { s.talk(conn) })
		}
	})
	return s, nil
}

// Close breaks all connections off and returns when nothing of it runs any more.
func (s *Server) Close() {
	s.end()
	_ = s.listener.Close()
	s.talks.Wait()
}

// Port is that of Addr.
func (s *Server) Port() string {
	_, port, _ := net.SplitHostPort(s.Addr)
	return port
}

// Told gives the commands that it was sent, and the mails that it took: head and body, their lines ending in CRLF.
func (s *Server) Told() (lines, mails []string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.lines, s.mails
}

// Await returns when it has taken n mails, or with the error of ctx.
func (s *Server) Await(ctx context.Context, n int) error {
	for {
		s.mu.Lock()
		got, came := len(s.mails), s.came
		s.mu.Unlock()
		if got >= n {
			return nil
		}
		select {
		case <-came:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

func (s *Server) heard(line string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.lines = append(s.lines, line)
}

func (s *Server) took(mail string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.mails = append(s.mails, mail)
	close(s.came)
	s.came = make(chan struct{})
}
