package streams_test

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/exospherehost/orbit"
	"github.com/exospherehost/orbit/streams"
)

func batch(message string) *orbit.LogBatch {
	return &orbit.LogBatch{Run: run, Satellite: "s", Bundle: "b", Node: "n", Delivery: 1, Since: time.Now().UTC(), Records: []orbit.LogEntry{
		{Time: time.Now().UTC(), Level: orbit.LogWarn, Message: message, Lineage: "0.1", Attempt: 2, Index: 3}}}
}

func TestALogBatchThatIsSentAgainIsStoredOnce(t *testing.T) {
	inBubble(t, func(b *bench) {
		say := batch("hello")
		for _, part := range []int{0, 1, 0} {
			m, err := streams.LogMessage(0, part, say)
			if err != nil {
				b.Fatal(err)
			}
			b.do(m)
		}
		if n := b.stored(streams.LogsStream, streams.LogsSubject(0, run)); n != 2 {
			b.Errorf("%d messages, want 2", n)
		}
		last, err := streams.Last(b.Context(), b.conn, streams.LogsStream, streams.LogsSubject(0, run))
		if err != nil {
			b.Fatal(err)
		}
		got, err := orbit.DecodeLogBatch(last.Data)
		if err != nil || len(got.Records) != 1 {
			b.Fatalf("%+v, %v", got, err)
		}
		if r, want := got.Record(0), say.Record(0); r.Key != want.Key || r.Item != "s/0.1" || r.Attempt != 2 || r.Node != "n" || string(r.Fields) != "{}" || !r.Time.Equal(want.Time) {
			b.Errorf("%+v, want %+v", r, want)
		}
	})
}

func TestTheLogIsBoundedInTimeAndSize(t *testing.T) {
	inBubble(t, func(b *bench) {
		s, err := b.js.Stream(b.Context(), streams.LogsStream)
		if err != nil {
			b.Fatal(err)
		}
		if c := s.CachedInfo().Config; c.MaxAge != 7*24*time.Hour || c.MaxBytes <= 0 || c.Discard != jetstream.DiscardOld || c.Retention != jetstream.LimitsPolicy || c.AllowRollup {
			b.Errorf("%+v", c)
		}
	})
}

func TestKeysTellWordsAttemptsAndPlacesApart(t *testing.T) {
	keys := map[string]string{}
	for name, change := range map[string]func(b *orbit.LogBatch){
		"as it is":      func(*orbit.LogBatch) {},
		"other words":   func(b *orbit.LogBatch) { b.Records[0].Message = "bye" },
		"other fields":  func(b *orbit.LogBatch) { b.Records[0].Fields = []byte(`{"a":1}`) },
		"other place":   func(b *orbit.LogBatch) { b.Records[0].Index++ },
		"other attempt": func(b *orbit.LogBatch) { b.Records[0].Attempt++ },
		"other item":    func(b *orbit.LogBatch) { b.Records[0].Lineage = "0.2" },
		"other bundle":  func(b *orbit.LogBatch) { b.Bundle = "c" },
	} {
		b := batch("hello")
		change(b)
		key := b.Record(0).Key
		if other, taken := keys[key]; taken {
			t.Errorf("%s has the key of %s", name, other)
		}
		keys[key] = name
		b.Node, b.Delivery, b.Records[0].Time = "m", 7, time.Now().Add(time.Hour)
		if b.Record(0).Key != key {
			t.Errorf("%s: another node or time makes another key", name)
		}
	}
	if _, err := orbit.DecodeLogBatch([]byte(strings.Repeat("x", 10))); err == nil {
		t.Error("nonsense is a batch")
	}
}

func TestReadLogGivesWhatLiesBetweenTwoSequencesAndIsStillThere(t *testing.T) {
	inBubble(t, func(b *bench) {
		for i := range 200 {
			say := batch("hello")
			if i%2 == 1 {
				say.Run = orbit.HashID("another run")
			}
			m, err := streams.LogMessage(0, i, say)
			if err != nil {
				b.Fatal(err)
			}
			b.do(m)
		}
		read := func(after, to uint64) (got []uint64) {
			b.Helper()
			err := streams.ReadLog(b.Context(), b.conn, 0, run, after, to, func(m streams.Stored) error {
				got = append(got, m.Seq)
				return nil
			})
			if err != nil {
				b.Error(err)
			}
			return got
		}
		if got := read(0, 0); len(got) != 100 || got[0] != 1 || got[99] != 199 {
			b.Errorf("all: %v", got)
		}
		if got := read(3, 9); !slices.Equal(got, []uint64{5, 7, 9}) {
			b.Errorf("after 3, up to 9: %v", got)
		}
		if got := read(199, 0); len(got) != 0 {
			b.Errorf("after the last: %v", got)
		}
		s, err := b.js.Stream(b.Context(), streams.LogsStream)
		if err != nil {
			b.Fatal(err)
		}
		for _, gone := range []uint64{1, 3, 5, 9} {
			if err := s.DeleteMsg(b.Context(), gone); err != nil {
				b.Fatal(err)
			}
		}
		if got := read(0, 5); len(got) != 0 {
			b.Errorf("of what is gone: %v", got)
		}
		if got := read(0, 9); !slices.Equal(got, []uint64{7}) {
			b.Errorf("of what is gone in part: %v", got)
		}
		if err := b.js.DeleteStream(b.Context(), streams.LogsStream); err != nil {
			b.Fatal(err)
		}
		for _, to := range []uint64{0, 9} {
			err := streams.ReadLog(b.Context(), b.conn, 0, run, 0, to, func(streams.Stored) error { return nil })
			if !errors.Is(err, streams.ErrNoStream) {
				b.Errorf("without a log, up to %d: %v", to, err)
			}
		}
	})
}
