package streams_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/exospherehost/orbit"
	"github.com/exospherehost/orbit/internal/fault"
	"github.com/exospherehost/orbit/streams"
)

// outbox is a committer that asks f at each point.
func (b *bench) outbox(f func(n int, point string) error) *streams.Outbox {
	b.Helper()
	h := streams.NewHinter(b.conn)
	b.Cleanup(h.Stop)
	o := &streams.Outbox{Publisher: b.pub, Conn: b.conn, Hinter: h}
	if f != nil {
		o.Faults = fault.New(f)
	}
	return o
}

// children publishes two bundles of the record's node: so it shows whose children there are.
func children(ctx context.Context, rec *orbit.Record, publish func(*nats.Msg) error) error {
	for i := range 2 {
		child := bundle(i)
		child.Step, child.Parent, child.ID = rec.Node, rec.Bundle, orbit.BundleID(rec.Node, rec.Bundle, i)
		if err := publish(streams.WorkMessage(queue, 0, child, "")); err != nil {
			return err
		}
	}
	return nil
}

func recordOf(d *streams.Delivery, node string) *orbit.Record {
	rec := &orbit.Record{Bundle: d.Bundle.ID, Run: d.Run, Step: d.Bundle.Step, Node: node}
	for i := range 2 {
		rec.Kids.Inline = orbit.AppendKid(rec.Kids.Inline, orbit.Kid{Step: node, Ordinal: i, First: i, Count: 1})
	}
	return rec
}

// left is what lies in the stream, in order: "record" and the step of each bundle.
func (b *bench) left() string {
	b.Helper()
	synctest.Wait()
	var all []string
	err := streams.ReadAll(b.Context(), b.conn, "ORBIT_0", ">", 1, func(s streams.Stored) error {
		if strings.HasPrefix(s.Subject, "orbit.record.") {
			all = append(all, "record")
		} else {
			all = append(all, s.Header.Get(streams.HeaderStep))
		}
		return nil
	})
	if err != nil {
		b.Fatal(err)
	}
	return strings.Join(all, " ")
}

// leased queues a bundle and takes it.
func (b *bench) leased() *streams.Delivery {
	b.Helper()
	b.queues(queue)
	b.work(0)
	p, out := b.pull()
	b.want(p, 1)
	return came(out)[0]
}

func TestACommitWritesTheRecordThenTheChildrenThenAcks(t *testing.T) {
	inBubble(t, func(b *bench) {
		d := b.leased()
		if err := b.outbox(nil).Commit(b.Context(), &streams.Transition{Delivery: d, Record: recordOf(d, "one"), Children: children}); err != nil {
			b.Fatal(err)
		}
		if got := b.left(); got != "record one one" {
			b.Errorf("%s", got)
		}
	})
}

func TestWhoeverLosesTheRecordPublishesTheWinnersChildren(t *testing.T) {
	inBubble(t, func(b *bench) {
		d := b.leased()
		won := recordOf(d, "winner")
		b.do(streams.RecordMessage(0, won, won.Encode()))
		if err := b.outbox(nil).Commit(b.Context(), &streams.Transition{Delivery: d, Record: recordOf(d, "loser"), Children: children}); err != nil {
			b.Fatal(err)
		}
		if got := b.left(); got != "record winner winner" {
			b.Errorf("%s", got)
		}
	})
}

func TestACommitThatDiesAnywhereIsFinishedByTheNext(t *testing.T) {
	for crash := 0; ; crash++ {
		over := false
		inBubble(t, func(b *bench) {
			d := b.leased()
			died := b.outbox(func(n int, _ string) error {
				if n == crash {
					return fault.ErrCrash
				}
				return nil
			})
			err := died.Commit(b.Context(), &streams.Transition{Delivery: d, Record: recordOf(d, "first"), Children: children})
			over = err == nil
			if err != nil && !errors.Is(err, fault.ErrCrash) {
				b.Errorf("point %d: %v", crash, err)
			}
			at := strings.Fields(b.left())
			if slices.Contains(at, "first") && !slices.Contains(at, "record") {
				b.Errorf("point %d: a child without its record: %s", crash, at)
			}
			if !over && !slices.Contains(at, "s") {
				b.Errorf("point %d: the work is gone, its commit is not done: %s", crash, at)
			}
			if err := b.outbox(nil).Commit(b.Context(), &streams.Transition{Delivery: d, Record: recordOf(d, "second"), Children: children}); err != nil {
				b.Fatal(err)
			}
			if got := b.left(); got != "record first first" && got != "record second second" {
				b.Errorf("point %d: in the end there are %s", crash, got)
			}
		})
		if over || t.Failed() {
			if crash < 4 {
				t.Errorf("only %d points were passed", crash)
			}
			return
		}
	}
}

func TestHintsReachTheLeader(t *testing.T) {
	inBubble(t, func(b *bench) {
		n := 0
		var told []streams.Told
		if _, err := b.conn.Subscribe(streams.HintSubject(3), func(m *nats.Msg) {
			n++
			if err := streams.ReadHint(m.Data, func(t streams.Told) { told = append(told, t) }); err != nil {
				b.Error(err)
			}
		}); err != nil {
			b.Fatal(err)
		}
		h := streams.NewHinter(b.conn)
		for i := range uint64(1000) {
			h.Hint(3)
			h.Other(3, 4*i)
			h.Record(3, 4*i+1, nil)
			h.Record(3, 4*i+2, []byte("head"))
		}
		time.Sleep(time.Second)
		synctest.Wait()
		if n == 0 || n > 10 {
			b.Errorf("1000 hints at once reached it %d times", n)
		}
		if len(told) != 3000 {
			b.Fatalf("it was told of %d messages", len(told))
		}
		for i, t := range told {
			if t.Seq != uint64(i/3*4+i%3) || t.Record != (i%3 > 0) || string(t.Head) != []string{"", "", "head"}[i%3] {
				b.Fatalf("the %d. message is told as %+v", i, t)
			}
		}
		h.Stop()
		h.Stop()
	})
}

func FuzzReadHint(f *testing.F) {
	for _, seed := range []string{"", "\x01", "\x01\x05\x00\x06\x01\x07\x03ab", "\x01\xff", "\x01\x05\xff\xff\xff\xff\x0f", "\x02\x05"} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		size := 0
		err := streams.ReadHint(data, func(t streams.Told) { size += len(t.Head) + 2 })
		if size > len(data) {
			t.Errorf("%d bytes told of in %d", size, len(data))
		}
		if err != nil && !errors.Is(err, orbit.ErrFrame) {
			t.Error(err)
		}
	})
}
