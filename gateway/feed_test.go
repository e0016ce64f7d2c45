package gateway

import (
	"math/rand/v2"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/exospherehost/orbit"
	"github.com/exospherehost/orbit/streams"
)

// head is the head of some record.
func head() []byte {
	rec := &orbit.Record{Bundle: "b", Run: "r", Step: "s"}
	data, n := rec.EncodeWithHead()
	return data[:n]
}

func seqs(list []told) (out []uint64) {
	for _, t := range list {
		out = append(out, t.seq)
	}
	return out
}

func TestFeedGivesRecordsInOrderUpToTheFirstGap(t *testing.T) {
	f := &feed{}
	f.open(7)
	for _, seq := range []uint64{11, 9, 7, 3} {
		f.tell(streams.Told{Seq: seq, Record: true, Head: head()})
	}
	f.tell(streams.Told{Seq: 8})
	if got := seqs(f.take()); !slices.Equal(got, []uint64{7, 9}) {
		t.Errorf("it gives %v", got)
	}
	if got := f.take(); got != nil {
		t.Errorf("it gives %v across a gap", seqs(got))
	}
	f.tell(streams.Told{Seq: 10})
	if got := seqs(f.take()); !slices.Equal(got, []uint64{11}) {
		t.Errorf("with the gap filled it gives %v", got)
	}
}

// TestFeedGivesEachRecordOnceInOrder tells everything in any order, some of it twice or not at all, and reads across gaps.
func TestFeedGivesEachRecordOnceInOrder(t *testing.T) {
	for seed := range uint64(200) {
		random := rand.New(rand.NewPCG(seed, 1))
		const n = 500
		var all []streams.Told
		var want []uint64
		for seq := uint64(1); seq <= n; seq++ {
			told := streams.Told{Seq: seq, Record: random.IntN(2) == 0}
			if told.Record {
				want = append(want, seq)
				if random.IntN(20) > 0 {
					told.Head = head()
				}
			}
			for range random.IntN(3) { // not at all, once or twice
				all = append(all, told)
			}
		}
		near := func(a, b streams.Told) int { return int(a.Seq) - int(b.Seq) + random.IntN(21) - 10 }
		slices.SortFunc(all, near) // as hints of several nodes come
		f := &feed{}
		f.open(1)
		var got []uint64
		read := func(to uint64) { // what a leader does where it is stuck
			for _, seq := range want {
				if seq >= f.at(1) && seq <= to {
					got = append(got, seq)
					f.skip(seq + 1)
				}
			}
		}
		for _, told := range all {
			f.tell(told)
			got = append(got, seqs(f.take())...)
			if random.IntN(30) == 0 || f.stuck(time.Now().Add(-time.Hour)) {
				read(told.Seq)
			}
		}
		read(n)
		if !slices.Equal(got, want) {
			t.Fatalf("seed %d: it gives %v, want %v", seed, got, want)
		}
	}
}

func TestFeedIsStuckWhereAGapStandsOrARecordIsNeededWhole(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &feed{}
		f.open(1)
		stuck := func() bool { f.take(); return f.stuck(time.Now()) }
		f.tell(streams.Told{Seq: 5})
		time.Sleep(time.Second)
		if stuck() {
			t.Error("stuck, though no record waits")
		}
		f.tell(streams.Told{Seq: 6, Record: true, Head: head()})
		if stuck() {
			t.Error("stuck at once: hints may overtake one another")
		}
		if time.Sleep(feedPatience); !stuck() {
			t.Error("not stuck, though a record waits behind a gap")
		}
		f.skip(6) // a read that has not found it yet
		if f.tell(streams.Told{Seq: 6, Record: true}); !stuck() {
			t.Error("not stuck at a record that is needed whole")
		}
		f.skip(7)
		f.tell(streams.Told{Seq: 7 + feedAhead, Record: true, Head: head()})
		if time.Sleep(feedPatience); stuck() {
			t.Error("stuck at once at what is far ahead")
		}
		if time.Sleep(feedPatience); !stuck() {
			t.Error("not stuck, though a record was told that is too far ahead to be kept")
		}
		f.close()
		if f.tell(streams.Told{Seq: 7, Record: true, Head: head()}); f.take() != nil || f.at(9) != 9 {
			t.Error("a closed feed hears")
		}
	})
}

func TestReadAcrossAGapIsAsLongAsTheGap(t *testing.T) {
	f := &feed{}
	f.open(7)
	missing := func(want int) {
		t.Helper()
		f.take()
		if got := f.missing(); got != want {
			t.Errorf("%d records are missing, want %d", got, want)
		}
	}
	missing(foldBatch) // nothing was told, so there is no end to it
	f.tell(streams.Told{Seq: 11, Record: true, Head: head()})
	missing(4)
	f.tell(streams.Told{Seq: 9})
	missing(2)
	f.tell(streams.Told{Seq: 7, Record: true, Head: head()})
	missing(1)
	f.tell(streams.Told{Seq: 8, Record: true})
	missing(foldBatch) // it is needed whole, and so may those be that follow
	f.skip(9)
	missing(1) // the tenth
}
