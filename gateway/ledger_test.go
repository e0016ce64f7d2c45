package gateway

import (
	"encoding/json"
	"errors"
	"slices"
	"strconv"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/exospherehost/orbit"
	"github.com/exospherehost/orbit/kv"
	"github.com/exospherehost/orbit/streams"
)

// laggingLedger is the ledger of a run whose stream's leader has nine records; the replica that answers reads has got the first
// four of them, until it catches up.
func laggingLedger(t *testing.T) (l *ledger, catchUp func()) {
	t.Helper()
	conn := plainServer(t)
	run := orbit.RandomID()
	var has atomic.Int64
	has.Store(4)
	for subject, answer := range map[string]nats.MsgHandler{
		"$JS.API.STREAM.MSG.GET.ORBIT_0": func(m *nats.Msg) {
			_ = m.Respond([]byte(`{"message": {"subject": "orbit.record.0.r.b", "seq": 9, "time": "2026-01-01T00:00:00Z"}}`))
		},
		"$JS.API.DIRECT.GET.ORBIT_0": func(m *nats.Msg) {
			var ask struct{ Seq int }
			_ = json.Unmarshal(m.Data, &ask)
			for seq := ask.Seq; seq <= int(has.Load()); seq++ {
				_ = m.RespondMsg(&nats.Msg{Header: nats.Header{"Nats-Sequence": {strconv.Itoa(seq)}, "Nats-Subject": {"orbit.record.0." + run + ".b"}}, Data: []byte("x")})
			}
			_ = m.RespondMsg(&nats.Msg{Header: nats.Header{"Status": {map[bool]string{true: "404", false: "204"}[ask.Seq > int(has.Load())]}, "Nats-Num-Pending": {"0"}}})
		},
	} {
		if _, err := conn.Subscribe(subject, answer); err != nil {
			t.Fatal(err)
		}
	}
	g := &Gateway{opts: Options{Conn: conn}, topology: streams.NewTopology(nil, 1, 1)}
	return g.ledger(&kv.Run{Run: orbit.Run{ID: run, State: orbit.RunRunning}}), func() { has.Store(9) }
}

func TestALedgerIsReadAsFarAsTheLeaderOfItsStreamSays(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l, catchUp := laggingLedger(t)
		var got []uint64
		err := l.each(t.Context(), 1, func(m streams.Stored) error {
			if got = append(got, m.Seq); m.Seq == 4 {
				time.AfterFunc(time.Second, catchUp)
			}
			return nil
		})
		if want := []uint64{1, 2, 3, 4, 5, 6, 7, 8, 9}; err != nil || !slices.Equal(got, want) {
			t.Errorf("%v, want %v: %v", got, want, err)
		}
	})
}

func TestALedgerOfAReplicaThatStaysBehindIsNotShortAndDone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l, _ := laggingLedger(t)
		begun := time.Now()
		err := l.each(t.Context(), 1, func(streams.Stored) error { return nil })
		if took := time.Since(begun); !errors.Is(err, streams.ErrUnknown) || took < ledgerPatience || took > ledgerPatience+5*time.Second {
			t.Errorf("after %s: %v", took, err)
		}
	})
}
