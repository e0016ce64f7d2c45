package gateway

import (
	"sync"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/exospherehost/orbit"
	"github.com/exospherehost/orbit/streams"
)

const (
	// feedAhead is how far past the first gap a feed remembers what it was told, in messages: some seconds of a busy mesh.
	feedAhead = 1 << 14
	// feedPatience is how long a gap may stand before the leader reads the stream across it. Hints of several nodes overtake
	// one another by less than that.
	feedPatience = 15 * time.Millisecond
)

// feed is what a leader was told of its partition's stream: by its nodes, and by itself. It gives out records in the order
// of the stream, and none past a sequence of which nobody has said what it holds: what it gives is the ledger as a read of
// the stream would give it. Reading costs the server more than storing, so this halves what folding takes.
//
//	told     7 record   8 other   9 record   ·   11 record        take gives 7 and 9; 11 waits for 10
type feed struct {
	mu    sync.Mutex
	on    bool
	next  uint64    // the first sequence that is not accounted for
	most  uint64    // the highest of a record that was told
	ring  []told    // of sequence s at s % feedAhead
	hole  time.Time // since when next is missing while a record past it was told; zero: none is
	whole bool      // next is a record that must be read
}

// told is what one sequence holds, where seq is its number.
type told struct {
	seq    uint64
	record bool
	head   *orbit.Record // nil: the record must be read whole
}

// open begins at a sequence.
func (f *feed) open(next uint64) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.ring = make([]told, feedAhead)
	f.on, f.next, f.most, f.hole, f.whole = true, next, 0, time.Time{}, false
}

// close forgets everything; what is told from now on is not heard.
func (f *feed) close() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.on, f.ring = false, nil
}

// tell notes what a sequence holds. What is too far ahead is left to a read of the stream, and so is what cannot be read.
func (f *feed) tell(t streams.Told) {
	e := told{seq: t.Seq, record: t.Record}
	if len(t.Head) > 0 {
		var err error
		if e.head, err = orbit.DecodeRecordHead(t.Head); err != nil {
			return
		}
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if !f.on || t.Seq < f.next {
		return
	}
	if t.Record {
		f.most = max(f.most, t.Seq)
	}
	if t.Seq < f.next+feedAhead {
		f.ring[t.Seq%feedAhead] = e
	}
}

// take gives the records up to the first gap, or up to a record that must be read whole.
func (f *feed) take() []told {
	f.mu.Lock()
	defer f.mu.Unlock()
	var out []told
	f.whole = false
	for f.on {
		t := &f.ring[f.next%feedAhead]
		if t.seq != f.next {
			break
		}
		if f.whole = t.record && t.head == nil; f.whole {
			break
		}
		if t.record {
			out = append(out, *t)
		}
		*t = told{}
		f.next++
		f.hole = time.Time{}
	}
	switch {
	case f.most < f.next:
		f.hole = time.Time{}
	case f.hole.IsZero():
		f.hole = time.Now()
	}
	return out
}

// at is where a read of the stream goes on: from the first sequence that is not accounted for, and not before from.
func (f *feed) at(from uint64) uint64 {
	f.mu.Lock()
	defer f.mu.Unlock()
	return max(f.next, from)
}

// skip says that the stream was read up to next.
func (f *feed) skip(next uint64) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if !f.on {
		return
	}
	f.hole = time.Time{} // what is still missing was not there to be read: it gets as long again
	if next <= f.next {
		return
	}
	if next-f.next >= feedAhead {
		clear(f.ring)
	} else {
		for s := f.next; s < next; s++ {
			f.ring[s%feedAhead] = told{}
		}
	}
	f.next, f.whole = next, false
}

// stuck tells whether the stream must be read: across a gap that stands too long, or for a record that is needed whole.
func (f *feed) stuck(now time.Time) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.whole || !f.hole.IsZero() && now.Sub(f.hole) >= feedPatience
}

// missing is the number of records that a read across the gap takes at most: as many as there are sequences in it. What comes after it
// was told, and a read of it would cost the server more than all the hints. Where the end of the gap is not known, or records are needed
// whole, it is foldBatch.
func (f *feed) missing() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	for n := range uint64(foldBatch) {
		if !f.on || f.whole {
			break
		}
		if seq := f.next + n; n > 0 && f.ring[seq%feedAhead].seq == seq {
			return int(n)
		}
	}
	return foldBatch
}

// patience tells when a gap has stood too long; nil where there is none.
func (f *feed) patience() <-chan time.Time {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.hole.IsZero() {
		return nil
	}
	return time.After(max(time.Until(f.hole.Add(feedPatience)), 0))
}

// hear takes a hint. One that cannot be read is no harm: it wakes, and what it does not say is read.
func (s *settler) hear(m *nats.Msg) {
	_ = streams.ReadHint(m.Data, s.feed.tell)
	s.poke()
}

// stored notes work that this gateway has published. Another gateway that leads is told.
func (s *settler) stored(a streams.PubAck) {
	s.mu.Lock()
	leading := s.leading
	s.mu.Unlock()
	if leading {
		s.feed.tell(streams.Told{Seq: a.Seq})
	} else {
		s.g.hinter.Other(s.p, a.Seq)
	}
}
