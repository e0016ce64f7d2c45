package streams_test

import (
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"github.com/rs/zerolog"

	"github.com/exospherehost/orbit"
	"github.com/exospherehost/orbit/streams"
)

func startServer(t *testing.T, o streams.ServerOptions) *streams.Server {
	t.Helper()
	o.Name, o.Log = "test", zerolog.Nop()
	s, err := streams.StartServer(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Stop)
	return s
}

func TestServerListensOnAFreePortAndTellsWhere(t *testing.T) {
	s := startServer(t, streams.ServerOptions{Dir: t.TempDir(), Listen: "127.0.0.1:0"})
	if !strings.HasPrefix(s.URL(), "nats://127.0.0.1:") || strings.HasSuffix(s.URL(), ":0") {
		t.Fatal(s.URL())
	}
	conn, err := streams.Connect(t.Context(), streams.ConnectOptions{Name: "test", URL: s.URL(), Log: zerolog.Nop()})
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if got := conn.MaxPayload(); got != streams.MaxPayload {
		t.Errorf("the largest message has %d bytes", got)
	}
}

func TestServerThatDoesNotListenHasNoURL(t *testing.T) {
	if url := startServer(t, streams.ServerOptions{Dir: t.TempDir()}).URL(); url != "" {
		t.Error(url)
	}
}

func TestWhatStandsInTheWayOfAServerIsToldInWords(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	used, file := filepath.Join(t.TempDir(), "used"), filepath.Join(t.TempDir(), "file")
	startServer(t, streams.ServerOptions{Dir: used})
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		o        streams.ServerOptions
		sentence string
	}{
		"port in use":        {streams.ServerOptions{Listen: taken.Addr().String()}, "the NATS address " + taken.Addr().String() + " is in use by another process; stop it or choose another with --nats-listen"},
		"data folder in use": {streams.ServerOptions{Dir: used}, fmt.Sprintf("the data folder %s is in use by another process (pid %d); stop it or choose another with --data", used, os.Getpid())},
		"folder is a file":   {streams.ServerOptions{Dir: file}, "the data folder " + file + " cannot be made: not a directory; choose another with --data"},
		"address, no port":   {streams.ServerOptions{Listen: "localhost"}, `the NATS address "localhost" is not host:port`},
		"port, no number":    {streams.ServerOptions{Listen: "127.0.0.1:nats"}, `the NATS address "127.0.0.1:nats" has no numeric port`},
	} {
		t.Run(name, func(t *testing.T) {
			if c.o.Dir == "" {
				c.o.Dir = t.TempDir()
			}
			c.o.Name, c.o.Log = "test", zerolog.Nop()
			s, err := streams.StartServer(c.o)
			if err == nil {
				s.Stop()
			}
			if err == nil || err.Error() != c.sentence {
				t.Errorf("%v\nwant %s", err, c.sentence)
			}
			if c.o.Dir != used && c.o.Dir != file { // what failed holds nothing
				startServer(t, streams.ServerOptions{Dir: c.o.Dir})
			}
		})
	}
}

func TestWhatWasStoredIsThereAfterARestart(t *testing.T) {
	dir := t.TempDir()
	for round := range 3 {
		s := startServer(t, streams.ServerOptions{Dir: dir, Sync: round == 0})
		conn, err := streams.Connect(t.Context(), streams.ConnectOptions{Name: "test", Server: s, Log: zerolog.Nop()})
		if err != nil {
			t.Fatal(err)
		}
		js, err := jetstream.New(conn)
		if err != nil {
			t.Fatal(err)
		}
		if err := streams.NewTopology(js, 1, 1).Ensure(t.Context()); err != nil {
			t.Fatal(err)
		}
		n := 0
		err = streams.ReadAll(t.Context(), conn, "ORBIT_0", ">", 1, func(streams.Stored) error { n++; return nil })
		if err != nil || n != round {
			t.Errorf("start %d: %d messages, %v", round, n, err)
		}
		rec := &orbit.Record{Bundle: orbit.BundleID("s", run, round), Run: run}
		if _, err := js.PublishMsg(t.Context(), streams.RecordMessage(0, rec, rec.Encode())); err != nil {
			t.Fatal(err)
		}
		conn.Close()
		s.Stop()
		s.Stop()
	}
}

func connect(t *testing.T, o streams.ConnectOptions) error {
	t.Helper()
	o.Name, o.Log = "test", zerolog.Nop()
	conn, err := streams.Connect(t.Context(), o)
	if err == nil {
		conn.Close()
	}
	return err
}

func TestAServerThatIsNotThereIsToldInWords(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	addr := l.Addr().String()
	_ = l.Close() // nobody listens there now
	err = connect(t, streams.ConnectOptions{URL: "nats://me:hunter2@" + addr})
	if err == nil || !strings.HasPrefix(err.Error(), "no NATS server answers at nats://"+addr) || !strings.HasSuffix(err.Error(), "start orbit-gateway there or name another with --nats") {
		t.Errorf("%v", err)
	}
	if err != nil && strings.Contains(err.Error(), "hunter2") {
		t.Errorf("the error tells the password: %v", err)
	}
}

func TestConnectingKeepsTryingForAsLongAsItMay(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	addr := l.Addr().String()
	_ = l.Close()
	done := make(chan error, 1)
	go func() { done <- connect(t, streams.ConnectOptions{URL: "nats://" + addr, Wait: 30 * time.Second}) }()
	startServer(t, streams.ServerOptions{Dir: t.TempDir(), Listen: addr})
	if err := <-done; err != nil {
		t.Errorf("a server that came a little later: %v", err)
	}
}

func TestATokenIsAskedForAndItsLackToldInWords(t *testing.T) {
	s := startServer(t, streams.ServerOptions{Dir: t.TempDir(), Listen: "127.0.0.1:0", Token: "secret-token"})
	if err := connect(t, streams.ConnectOptions{URL: s.URL(), Token: "secret-token"}); err != nil {
		t.Errorf("with the token: %v", err)
	}
	for _, token := range []string{"", "wrong-token"} {
		err := connect(t, streams.ConnectOptions{URL: s.URL(), Token: token, Wait: time.Hour})
		if err == nil || !strings.Contains(err.Error(), "refused the credentials; give the gateway's token with --token-file or ORBIT_TOKEN") || strings.Contains(err.Error(), "-token;") {
			t.Errorf("with the token %q: %v", token, err)
		}
	}
}

func TestCredentialsThatCannotBeReadAreToldInWords(t *testing.T) {
	err := connect(t, streams.ConnectOptions{URL: "nats://127.0.0.1:1", Creds: "/does/not/exist.creds"})
	if err == nil || err.Error() != "the NATS credentials file /does/not/exist.creds cannot be read: no such file or directory" {
		t.Errorf("%v", err)
	}
}

// oldServer says that it is a nats-server of some version, and knows just enough to be connected to.
func oldServer(t *testing.T, version string) (url string) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			_, _ = fmt.Fprintf(c, "INFO {\"server_id\":\"X\",\"version\":%q,\"proto\":1,\"headers\":true,\"max_payload\":1048576}\r\n", version)
			buf := make([]byte, 4096)
			if _, err := c.Read(buf); err == nil { // CONNECT and PING
				_, _ = fmt.Fprint(c, "PONG\r\n")
			}
			for err == nil { // until the client goes
				_, err = c.Read(buf)
			}
			_ = c.Close()
		}
	}()
	t.Cleanup(func() { _ = l.Close(); <-done })
	return "nats://" + l.Addr().String()
}

func TestServersThatAreTooOldAreRefusedInWords(t *testing.T) {
	for version, good := range map[string]bool{"2.9.0": false, "2.11.99": false, "1.4.1": false, "2.12.0": true, "2.12.0-RC.1": true, "2.100.3": true, "3.0.0": true} {
		url := oldServer(t, version)
		err := connect(t, streams.ConnectOptions{URL: url})
		if good && err != nil {
			t.Errorf("%s is refused: %v", version, err)
		}
		want := "the NATS server at " + url + " is version " + version + "; Orbit needs 2.12 or newer: upgrade it, or run orbit-gateway without --nats to use the embedded one"
		if !good && (err == nil || err.Error() != want) {
			t.Errorf("%v\nwant %s", err, want)
		}
	}
}

func TestAConnectionHealsAfterTheServerWasAway(t *testing.T) {
	dir := t.TempDir()
	s := startServer(t, streams.ServerOptions{Dir: dir, Listen: "127.0.0.1:0"})
	addr := strings.TrimPrefix(s.URL(), "nats://")
	conn, err := streams.Connect(t.Context(), streams.ConnectOptions{Name: "test", URL: s.URL(), Log: zerolog.Nop()})
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	status := conn.StatusChanged(nats.CONNECTED)
	s.Stop()
	startServer(t, streams.ServerOptions{Dir: dir, Listen: addr})
	<-status
	js, err := jetstream.New(conn)
	if err != nil {
		t.Fatal(err)
	}
	if err := streams.NewTopology(js, 1, 1).Ensure(t.Context()); err != nil {
		t.Errorf("after a restart of the server: %v", err)
	}
}
