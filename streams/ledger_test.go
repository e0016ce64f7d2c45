package streams_test

import (
	"errors"
	"fmt"
	"slices"
	"testing"

	"github.com/nats-io/nats.go"

	"github.com/exospherehost/orbit"
	"github.com/exospherehost/orbit/streams"
)

// record commits the n-th record of a run.
func (b *bench) record(run string, n int) uint64 {
	b.Helper()
	rec := &orbit.Record{Bundle: orbit.BundleID("s", run, n), Run: run, Ordinal: n}
	return b.do(streams.RecordMessage(0, rec, rec.Encode())).Seq
}

func TestReadingTheLedgerInPiecesGivesAllInOrderAndRemovesNothing(t *testing.T) {
	inBubble(t, func(b *bench) {
		other := orbit.HashID("other")
		var want []uint64
		for i := range 25 {
			want = append(want, b.record(run, i))
			b.record(other, i)
			b.work(i)
		}
		for range 2 {
			for _, size := range []int{1, 7, 25, 100} {
				var got []uint64
				from, more := uint64(1), true
				for more {
					had := len(got)
					var err error
					more, err = streams.ReadBatch(b.Context(), b.conn, "ORBIT_0", streams.RecordsOf(0, run), from, size, func(s streams.Stored) error {
						got, from = append(got, s.Seq), s.Seq+1
						rec, err := orbit.DecodeRecord(s.Data)
						if err == nil && (rec.Run != run || s.Subject != streams.RecordSubject(0, run, rec.Bundle) || s.Time.IsZero()) {
							err = fmt.Errorf("%+v", s)
						}
						return err
					})
					if err != nil {
						b.Fatal(err)
					}
					if len(got)-had > size {
						b.Errorf("a piece of %d holds %d", size, len(got)-had)
					}
				}
				if !slices.Equal(got, want) {
					b.Errorf("in pieces of %d: %v, want %v", size, got, want)
				}
			}
		}
		if n := b.stored("ORBIT_0", ">"); n != 75 {
			b.Errorf("%d messages are left of 75", n)
		}
	})
}

func TestReadingFromASequenceBeginsThere(t *testing.T) {
	inBubble(t, func(b *bench) {
		var seqs []uint64
		for i := range 5 {
			seqs = append(seqs, b.record(run, i))
		}
		for _, from := range []uint64{0, 1, seqs[2], seqs[4], seqs[4] + 1, 1 << 40} {
			n, want := 0, 0
			for _, s := range seqs {
				if s >= from {
					want++
				}
			}
			err := streams.ReadAll(b.Context(), b.conn, "ORBIT_0", streams.RecordsOf(0, ">"), from, func(streams.Stored) error { n++; return nil })
			if err != nil || n != want {
				b.Errorf("from %d: %d messages, want %d: %v", from, n, want, err)
			}
		}
	})
}

func TestReadAllGoesOnPastOneBatch(t *testing.T) {
	inBubble(t, func(b *bench) {
		batch := b.pub.NewBatch()
		for i := range 2500 {
			if err := batch.Publish(b.Context(), streams.WorkMessage(queue, 0, bundle(i), "")); err != nil {
				b.Fatal(err)
			}
		}
		if err := batch.Wait(b.Context()); err != nil {
			b.Fatal(err)
		}
		if n := b.stored("ORBIT_0", queue.Filter(0)); n != 2500 {
			b.Errorf("%d of 2500 were read", n)
		}
	})
}

func TestReadingEndsWithTheReadersError(t *testing.T) {
	inBubble(t, func(b *bench) {
		for i := range 5 {
			b.record(run, i)
		}
		stop, n := errors.New("enough"), 0
		err := streams.ReadAll(b.Context(), b.conn, "ORBIT_0", streams.RecordsOf(0, run), 1, func(streams.Stored) error {
			if n++; n == 3 {
				return stop
			}
			return nil
		})
		if !errors.Is(err, stop) || n != 3 {
			b.Errorf("%v after %d messages", err, n)
		}
	})
}

func TestReadingWhatIsNotThere(t *testing.T) {
	inBubble(t, func(b *bench) {
		more, err := streams.ReadBatch(b.Context(), b.conn, "ORBIT_0", streams.RecordsOf(0, run), 1, 10, func(streams.Stored) error { return errors.New("a message") })
		if more || err != nil {
			b.Errorf("an empty ledger: %v, %v", more, err)
		}
		if _, err := streams.ReadBatch(b.Context(), b.conn, "ORBIT_9", ">", 1, 10, nil); !errors.Is(err, streams.ErrNoStream) {
			b.Errorf("no stream: %v", err)
		}
		if _, err := streams.LastRecord(b.Context(), b.conn, 0, run, bundle(0).ID); !errors.Is(err, streams.ErrNotFound) {
			b.Errorf("no record: %v", err)
		}
		if _, err := streams.LastRecord(b.Context(), b.conn, 9, run, bundle(0).ID); err == nil || errors.Is(err, streams.ErrNotFound) {
			b.Errorf("the last record without a stream: %v", err)
		}
	})
}

func TestLastGivesTheMessageAsItWasStored(t *testing.T) {
	inBubble(t, func(b *bench) {
		b.work(0)
		ack := b.work(1)
		s, err := streams.Last(b.Context(), b.conn, "ORBIT_0", streams.WorkSubject(queue, 0, run))
		if err != nil {
			b.Fatal(err)
		}
		got, err := orbit.DecodeBundle(s.Data)
		if err != nil || got.Ordinal != 1 || s.Seq != ack.Seq || s.Header.Get(streams.HeaderRun) != run || s.Header.Get(nats.MsgIdHdr) != got.ID || s.Time.IsZero() {
			b.Errorf("%+v, %v", s, err)
		}
	})
}

func TestPurgeRemovesOneRunAlone(t *testing.T) {
	inBubble(t, func(b *bench) {
		other := orbit.HashID("other")
		for i := range 3 {
			b.record(run, i)
			b.record(other, i)
		}
		if err := streams.Purge(b.Context(), b.js, "ORBIT_0", streams.RecordsOf(0, run)); err != nil {
			b.Fatal(err)
		}
		if gone, left := b.stored("ORBIT_0", streams.RecordsOf(0, run)), b.stored("ORBIT_0", streams.RecordsOf(0, other)); gone != 0 || left != 3 {
			b.Errorf("%d and %d are left", gone, left)
		}
	})
}

func TestPendingCountsWhatLiesBehindASequence(t *testing.T) {
	inBubble(t, func(b *bench) {
		var seqs []uint64
		for i := range 5 {
			rec := &orbit.Record{Bundle: orbit.BundleID("s", run, i), Run: run, Step: "s"}
			seqs = append(seqs, b.do(streams.RecordMessage(0, rec, rec.Encode())).Seq)
			b.work(i)
		}
		for from, want := range map[uint64]uint64{0: 5, seqs[0]: 5, seqs[0] + 1: 4, seqs[3]: 2, seqs[4]: 1, seqs[4] + 1: 0, seqs[4] + 100: 0} {
			if n, err := streams.Pending(b.Context(), b.conn, "ORBIT_0", streams.RecordsOf(0, ">"), from); err != nil || n != want {
				b.Errorf("from %d: %d, %v, want %d", from, n, err, want)
			}
		}
	})
}
