package streams

import (
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
	"github.com/rs/zerolog"
)

// MaxPayload is the size of the largest message: records stay under 100 KiB, blobs travel in chunks of 128 KiB.
const MaxPayload = 1 << 20

// ServerOptions say how the embedded server runs.
type ServerOptions struct {
	Name   string
	Dir    string // data folder; created
	Listen string // host:port; "" = no listener, in-process connections only. Port 0 takes any free one.
	Token  string // clients must show it; "" = open
	Sync   bool   // sync every write to disk before it is answered
	Limit  int64  // bytes that all streams may take; 0: three quarters of what the disk has free
	Log    zerolog.Logger
}

// Server is a nats-server with JetStream inside this process.
type Server struct {
	ns   *server.Server
	lock *os.File
	opts ServerOptions
}

// StartServer starts the embedded server and returns when it takes connections. A data folder in use, a port in use or a
// folder that cannot be written is an error in words.
func StartServer(o ServerOptions) (*Server, error) {
	if err := os.MkdirAll(o.Dir, 0o700); err != nil {
		return nil, fmt.Errorf("the data folder %s cannot be made: %w; choose another with --data", o.Dir, errors.Unwrap(err))
	}
	lock, err := lockDir(o.Dir)
	if err != nil {
		return nil, err
	}
	s := &Server{lock: lock, opts: o}
	opts := &server.Options{ServerName: o.Name, JetStream: true, StoreDir: filepath.Join(o.Dir, "jetstream"), NoSigs: true, NoLog: true,
		DontListen: true, MaxPayload: MaxPayload, MaxPending: 256 << 20, SyncAlways: o.Sync, Authorization: o.Token,
		JetStreamMaxMemory: 64 << 20, // no memory streams of ours
		JetStreamMaxStore:  o.Limit,
	}
	if o.Listen != "" {
		host, port, err := net.SplitHostPort(o.Listen)
		if err != nil {
			return nil, s.abandon(fmt.Errorf("the NATS address %q is not host:port", o.Listen))
		}
		opts.Host = host
		if opts.Port, err = strconv.Atoi(port); err != nil {
			return nil, s.abandon(fmt.Errorf("the NATS address %q has no numeric port", o.Listen))
		}
		if opts.Port == 0 {
			opts.Port = server.RANDOM_PORT
		} else if l, err := net.Listen("tcp", o.Listen); err != nil { // the server itself would only log it
			return nil, s.abandon(fmt.Errorf("the NATS address %s is in use by another process; stop it or choose another with --nats-listen", o.Listen))
		} else {
			_ = l.Close()
		}
		opts.DontListen = false
	}
	ns, err := server.NewServer(opts)
	if err != nil {
		return nil, s.abandon(fmt.Errorf("start the embedded NATS server: %w", err))
	}
	logger := &serverLog{log: o.Log}
	ns.SetLogger(logger, false, false)
	s.ns = ns
	ns.Start()
	if !ns.ReadyForConnections(30*time.Second) || !ns.JetStreamEnabled() {
		ns.Shutdown()
		ns.WaitForShutdown()
		why := logger.last.Load()
		if why == nil {
			return nil, s.abandon(fmt.Errorf("the embedded NATS server in %s did not start within 30 s", o.Dir))
		}
		return nil, s.abandon(fmt.Errorf("the embedded NATS server in %s did not start: %s", o.Dir, *why))
	}
	return s, nil
}

// URL is where clients connect; "" without a listener.
func (s *Server) URL() string {
	if s.opts.Listen == "" {
		return ""
	}
	return s.ns.ClientURL()
}

// Limit is how many bytes all streams together may take.
func (s *Server) Limit() int64 {
	if c := s.ns.JetStreamConfig(); c != nil {
		return c.MaxStore
	}
	return 0
}

// InProcess is the option that connects to this server without a socket.
func (s *Server) InProcess() nats.Option { return nats.InProcessServer(s.ns) }

// InProcessConn gives one connection without a socket.
func (s *Server) InProcessConn() (net.Conn, error) { return s.ns.InProcessConn() }

// Stop shuts the server down and returns when its files are closed.
func (s *Server) Stop() {
	s.ns.Shutdown()
	s.ns.WaitForShutdown()
	_ = s.lock.Close()
}

func (s *Server) abandon(err error) error {
	_ = s.lock.Close()
	return err
}
