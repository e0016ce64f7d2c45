package streams_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"

	"github.com/exospherehost/orbit"
	"github.com/exospherehost/orbit/streams"
)

// replica answers reads of a stream LAGS: what its leader has stored, and of that as much as it has got itself. The server
// between it and who asks has no streams of its own.
func replica(t *testing.T, leader, got int) (nc *nats.Conn, catchUp func(int)) {
	t.Helper()
	s, err := server.NewServer(&server.Options{ServerName: "plain", DontListen: true, NoSigs: true, NoLog: true})
	if err != nil {
		t.Fatal(err)
	}
	s.Start()
	t.Cleanup(func() { s.Shutdown(); s.WaitForShutdown() })
	if nc, err = nats.Connect("", nats.InProcessServer(s)); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(nc.Close)
	var has atomic.Int64
	has.Store(int64(got))
	serve := func(subject string, answer func(m *nats.Msg)) {
		if _, err := nc.Subscribe(subject, answer); err != nil {
			t.Fatal(err)
		}
	}
	var asked atomic.Int64
	serve("$JS.API.STREAM.MSG.GET.LAGS", func(m *nats.Msg) {
		if asked.Add(1) < 4 { // the leader is being chosen
			_ = m.Respond([]byte(`{"error": {"code": 503, "err_code": 10008, "description": "JetStream system temporarily unavailable"}}`))
			return
		}
		_ = m.Respond(fmt.Appendf(nil, `{"message": {"subject": "s", "seq": %d, "time": "2026-01-01T00:00:00Z"}}`, leader))
	})
	serve("$JS.API.DIRECT.GET.LAGS", func(m *nats.Msg) {
		var ask struct {
			Seq int `json:"seq"`
		}
		_ = json.Unmarshal(m.Data, &ask)
		for seq := ask.Seq; seq <= int(has.Load()); seq++ {
			_ = m.RespondMsg(&nats.Msg{Header: nats.Header{"Nats-Sequence": {strconv.Itoa(seq)}, "Nats-Subject": {"s"}}, Data: []byte("x")})
		}
		status := "204"
		if ask.Seq > int(has.Load()) {
			status = "404"
		}
		_ = m.RespondMsg(&nats.Msg{Header: nats.Header{"Status": {status}, "Nats-Num-Pending": {"0"}}})
	})
	return nc, func(n int) { has.Store(int64(n)) }
}

func TestReadingAllWaitsForAReplicaThatLags(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		nc, catchUp := replica(t, 9, 4)
		var got []uint64
		err := streams.ReadAll(t.Context(), nc, "LAGS", "s", 1, func(s streams.Stored) error {
			if got = append(got, s.Seq); s.Seq == 4 {
				time.AfterFunc(time.Second, func() { catchUp(9) })
			}
			return nil
		})
		if want := []uint64{1, 2, 3, 4, 5, 6, 7, 8, 9}; err != nil || !slices.Equal(got, want) {
			t.Errorf("%v, want %v: %v", got, want, err)
		}
	})
}

func TestReadingAllOfAReplicaThatStaysBehindIsNotShortAndDone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		nc, _ := replica(t, 9, 4)
		err := streams.ReadAll(t.Context(), nc, "LAGS", "s", 1, func(streams.Stored) error { return nil })
		if !errors.Is(err, streams.ErrUnknown) {
			t.Errorf("%v", err)
		}
	})
}

func TestReadingAllIsNotShortWhereTheLastMessageWasRemoved(t *testing.T) {
	inBubble(t, func(b *bench) {
		want := []uint64{b.record(run, 0), b.record(run, 1)}
		b.record(orbit.HashID("other"), 0)
		if err := streams.Purge(b.Context(), b.js, "ORBIT_0", streams.RecordsOf(0, orbit.HashID("other"))); err != nil {
			b.Fatal(err)
		}
		for _, filter := range []string{">", "orbit.>", streams.RecordsOf(0, ">"), streams.RecordsOf(0, run)} {
			var got []uint64
			err := streams.ReadAll(b.Context(), b.conn, "ORBIT_0", filter, 1, func(s streams.Stored) error { got = append(got, s.Seq); return nil })
			if err != nil || !slices.Equal(got, want) {
				b.Errorf("%s: %v, want %v: %v", filter, got, want, err)
			}
		}
	})
}

// What was asked of a server that is gone is not waited for: a leader would stand still for ten seconds after each restart.
func TestAReadEndsSoonAfterItsConnectionWasLost(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		nc, _ := replica(t, 9, 4)
		if _, err := nc.Subscribe("$JS.API.DIRECT.GET.DEAF", func(*nats.Msg) {}); err != nil {
			t.Fatal(err)
		}
		begun := time.Now()
		time.AfterFunc(time.Second, func() {
			if err := nc.ForceReconnect(); err != nil {
				t.Error(err)
			}
		})
		_, err := streams.ReadBatch(t.Context(), nc, "DEAF", "s", 1, 10, func(streams.Stored) error { return nil })
		if took := time.Since(begun); !errors.Is(err, streams.ErrUnknown) || took > 4*time.Second {
			t.Errorf("after %s: %v", took, err)
		}
		begun = time.Now()
		_, err = streams.ReadBatch(t.Context(), nc, "DEAF", "s", 1, 10, func(streams.Stored) error { return nil })
		if took := time.Since(begun); !errors.Is(err, streams.ErrUnknown) || took < 10*time.Second || took > 11*time.Second {
			t.Errorf("with its connection, after %s: %v", took, err)
		}
	})
}
