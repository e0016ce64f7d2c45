package gateway

import (
	"errors"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"github.com/rs/zerolog"
)

// The first requests are lost, then the servers say that they are choosing a leader, and then that this account has no JetStream:
// that nothing is to be waited for.
func TestAGatewayThatStartsTooEarlyWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		conn := plainServer(t)
		asked := 0
		if _, err := conn.Subscribe("$JS.API.INFO", func(m *nats.Msg) {
			switch asked++; {
			case asked <= 2:
			case asked <= 5:
				_ = m.Respond([]byte(`{"error": {"code": 503, "err_code": 10008, "description": "JetStream system temporarily unavailable"}}`))
			default:
				_ = m.Respond([]byte(`{"error": {"code": 503, "err_code": 10039, "description": "JetStream not enabled for account"}}`))
			}
		}); err != nil {
			t.Fatal(err)
		}
		begun := time.Now()
		_, err := Start(t.Context(), Options{Name: "early", Conn: conn, Log: zerolog.Nop()})
		if !errors.Is(err, jetstream.ErrJetStreamNotEnabledForAccount) || asked != 6 {
			t.Errorf("after %d requests: %v", asked, err)
		}
		if took := time.Since(begun); took < 2*startAttempt || took > 2*startAttempt+5*time.Second {
			t.Errorf("it took %s", took)
		}
	})
}

func TestAGatewayThatNobodyAnswersEndsAfterItsPatience(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		conn := plainServer(t)
		if _, err := conn.Subscribe("$JS.API.INFO", func(*nats.Msg) {}); err != nil {
			t.Fatal(err)
		}
		begun := time.Now()
		_, err := Start(t.Context(), Options{Name: "alone", Conn: conn, Log: zerolog.Nop()})
		if err == nil || time.Since(begun) < startPatience || time.Since(begun) > startPatience+2*startAttempt {
			t.Errorf("after %s: %v", time.Since(begun), err)
		}
	})
}

// plainServer is a connection to a server without JetStream.
func plainServer(t *testing.T) *nats.Conn {
	t.Helper()
	s, err := server.NewServer(&server.Options{ServerName: "plain", DontListen: true, NoSigs: true, NoLog: true})
	if err != nil {
		t.Fatal(err)
	}
	s.Start()
	t.Cleanup(func() { s.Shutdown(); s.WaitForShutdown() })
	conn, err := nats.Connect("", nats.InProcessServer(s))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(conn.Close)
	return conn
}

func TestOnlyAnElectionIsWaitedFor(t *testing.T) {
	for _, c := range []struct {
		err  error
		want bool
	}{
		{fmt.Errorf("look for queues: %w", &jetstream.APIError{Code: 503, ErrorCode: 10008}), true},
		{&jetstream.APIError{Code: 503, ErrorCode: 10039}, false}, // JetStream is not enabled
		{errors.New("no"), false},
	} {
		if got := electing(c.err); got != c.want {
			t.Errorf("%v: %t", c.err, got)
		}
	}
}
