package streams

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/rs/zerolog"
)

// minServer is the oldest nats-server that has what the protocol needs: atomic batches and message schedules.
const minMajor, minMinor = 2, 12

// ConnectOptions say how to reach a NATS server.
type ConnectOptions struct {
	Name   string // shown by `nats server report connections`
	URL    string
	Creds  string // credentials file; "" = none
	Token  string // token of an embedded server; "" = none
	Server *Server
	Pipe   nats.InProcessConnProvider // gives the connections instead of URL and Server, after a loss too; nil: none
	Log    zerolog.Logger
	Wait   time.Duration // how long to keep trying at the start; 0 = one try
}

// Connect reaches a NATS server with JetStream, 2.12 or newer. The connection heals itself for ever; a server that is not
// there at the start is an error in words.
func Connect(ctx context.Context, o ConnectOptions) (*nats.Conn, error) {
	opts := []nats.Option{nats.Name(o.Name), nats.MaxReconnects(-1), nats.ReconnectWait(250 * time.Millisecond), nats.ReconnectJitter(250*time.Millisecond, time.Second),
		nats.ReconnectBufSize(16 << 20), nats.PingInterval(20 * time.Second), nats.Timeout(5 * time.Second), nats.IgnoreAuthErrorAbort(),
		nats.DisconnectErrHandler(func(_ *nats.Conn, err error) {
			if err != nil {
				o.Log.Warn().Err(err).Msg("connection to NATS lost; trying again")
			}
		}),
		nats.ReconnectHandler(func(*nats.Conn) { o.Log.Info().Msg("connected to NATS again") }),
		nats.ErrorHandler(func(_ *nats.Conn, _ *nats.Subscription, err error) { o.Log.Debug().Err(err).Msg("nats") }),
	}
	where := o.URL
	if o.Server != nil {
		opts, where = append(opts, o.Server.InProcess()), "the embedded server"
	}
	if o.Pipe != nil {
		opts, where = append(opts, nats.InProcessServer(o.Pipe)), "the other end of the pipe"
	}
	if o.Creds != "" {
		if _, err := os.Stat(o.Creds); err != nil {
			return nil, fmt.Errorf("the NATS credentials file %s cannot be read: %w", o.Creds, errors.Unwrap(err))
		}
		opts = append(opts, nats.UserCredentials(o.Creds))
	}
	if o.Token != "" {
		opts = append(opts, nats.Token(o.Token))
	}
	deadline := time.Now().Add(o.Wait)
	for {
		nc, err := nats.Connect(o.URL, opts...)
		if err == nil {
			if err := checkServer(nc, where); err != nil {
				nc.Close()
				return nil, err
			}
			return nc, nil
		}
		if errors.Is(err, nats.ErrAuthorization) || errors.Is(err, nats.ErrAuthExpired) || strings.Contains(strings.ToLower(err.Error()), "authorization") {
			return nil, fmt.Errorf("the NATS server at %s refused the credentials; give the gateway's token with --token-file or ORBIT_TOKEN, or a credentials file with --nats-creds", redact(where))
		}
		if time.Now().After(deadline) || ctx.Err() != nil {
			return nil, fmt.Errorf("no NATS server answers at %s (%w); start orbit-gateway there or name another with --nats", redact(where), err)
		}
		select {
		case <-time.After(300 * time.Millisecond):
		case <-ctx.Done():
		}
	}
}

// redact takes user, password and token out of a URL for messages.
func redact(url string) string {
	scheme, rest, ok := strings.Cut(url, "://")
	if at := strings.LastIndexByte(rest, '@'); ok && at >= 0 {
		return scheme + "://" + rest[at+1:]
	}
	return url
}

func checkServer(nc *nats.Conn, where string) error {
	v := nc.ConnectedServerVersion()
	major, rest, _ := strings.Cut(v, ".")
	minor, _, _ := strings.Cut(rest, ".")
	a, err1 := strconv.Atoi(major)
	b, err2 := strconv.Atoi(minor)
	if err1 == nil && err2 == nil && (a < minMajor || a == minMajor && b < minMinor) {
		return fmt.Errorf("the NATS server at %s is version %s; Orbit needs %d.%d or newer: upgrade it, or run orbit-gateway without --nats to use the embedded one", redact(where), v, minMajor, minMinor)
	}
	return nil
}
