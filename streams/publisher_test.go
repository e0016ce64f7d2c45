package streams_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/exospherehost/orbit"
	"github.com/exospherehost/orbit/streams"
)

// window is as many writes as a publisher leaves unanswered.
const window = 2048

func TestPublisherTellsWhereAMessageWasStored(t *testing.T) {
	inBubble(t, func(b *bench) {
		for i := range 3 {
			if ack := b.work(i); ack.Seq != uint64(i+1) || ack.Duplicate {
				b.Errorf("message %d: %+v", i, ack)
			}
		}
	})
}

func TestPublisherTellsADuplicate(t *testing.T) {
	inBubble(t, func(b *bench) {
		first := b.work(0)
		if again := b.work(0); !again.Duplicate || again.Seq != first.Seq {
			b.Errorf("%+v, at first %+v", again, first)
		}
		if other := b.do(streams.WorkMessage(queue, 0, bundle(0), "~1")); other.Duplicate {
			b.Error("with a suffix it is another message")
		}
	})
}

func TestOfTwoRecordsOfABundleTheFirstIsStored(t *testing.T) {
	inBubble(t, func(b *bench) {
		rec := &orbit.Record{Bundle: bundle(0).ID, Run: run, Node: "first"}
		b.do(streams.RecordMessage(0, rec, rec.Encode()))
		rec.Node = "second"
		if _, err := b.pub.Do(b.Context(), streams.RecordMessage(0, rec, rec.Encode())); !errors.Is(err, streams.ErrExists) {
			b.Errorf("%v", err)
		}
		s, err := streams.LastRecord(b.Context(), b.conn, 0, run, rec.Bundle)
		if err != nil {
			b.Fatal(err)
		}
		if got, err := orbit.DecodeRecord(s.Data); err != nil || got.Node != "first" {
			b.Errorf("%+v, %v", got, err)
		}
	})
}

func TestARecordIsNotTakenForADuplicateOfItsWork(t *testing.T) {
	inBubble(t, func(b *bench) {
		b.work(0)
		rec := &orbit.Record{Bundle: bundle(0).ID, Run: run}
		if ack := b.do(streams.RecordMessage(0, rec, rec.Encode())); ack.Duplicate {
			b.Error("the record was swallowed")
		}
	})
}

func TestWithoutAStreamTheErrorSaysSo(t *testing.T) {
	inBubble(t, func(b *bench) {
		if _, err := b.pub.Do(b.Context(), nats.NewMsg("nobody.listens")); !errors.Is(err, streams.ErrNoStream) {
			b.Errorf("%v", err)
		}
	})
}

func TestARefusalKeepsTheServersWords(t *testing.T) {
	inBubble(t, func(b *bench) {
		m := streams.WorkMessage(queue, 0, bundle(0), "")
		m.Header.Set(nats.ExpectedStreamHdr, "ANOTHER")
		_, err := b.pub.Do(b.Context(), m)
		var refused *streams.ServerError
		if !errors.As(err, &refused) || refused.Code != 10060 || !strings.Contains(err.Error(), "expected stream") {
			b.Errorf("%v", err)
		}
	})
}

// answering is a stand-in for a stream: the answer to the n-th time that a message comes, from 1; nil: none.
func (b *bench) answering(subject string, answer func(n int) []byte) *atomic.Int32 {
	b.Helper()
	var n atomic.Int32
	var first []byte
	_, err := b.conn.Subscribe(subject, func(m *nats.Msg) {
		if i := n.Add(1); i == 1 {
			first = m.Data
		} else if string(first) != string(m.Data) {
			b.Errorf("sent again, the bytes are others: %q and %q", first, m.Data)
		}
		if a := answer(int(n.Load())); a != nil {
			_ = m.Respond(a)
		}
	})
	if err != nil {
		b.Fatal(err)
	}
	return &n
}

func TestAWriteWhoseAnswerWasLostIsSentAgain(t *testing.T) {
	inBubble(t, func(b *bench) {
		sent := b.answering("lost", func(n int) []byte {
			if n == 3 {
				return []byte(`{"stream":"S","seq": 42,"duplicate":true}`)
			}
			return nil
		})
		began := time.Now()
		ack, err := b.pub.Do(b.Context(), &nats.Msg{Subject: "lost", Data: []byte("the same bytes")})
		if err != nil || ack.Seq != 42 || !ack.Duplicate || sent.Load() != 3 {
			b.Errorf("%+v, %v, sent %d times", ack, err, sent.Load())
		}
		if took := time.Since(began); took < 8*time.Second || took > 12*time.Second {
			b.Errorf("it took %s", took)
		}
	})
}

func TestAnAnswerThatMeansUnknownIsNotTakenForARefusal(t *testing.T) {
	inBubble(t, func(b *bench) {
		for _, code := range []int{10164, 10158} {
			subject := fmt.Sprint("busy.", code)
			b.answering(subject, func(n int) []byte {
				if n < 3 {
					return fmt.Appendf(nil, `{"error":{"code":503,"err_code":%d,"description":"busy"},"seq":0}`, code)
				}
				return []byte(`{"stream":"S","seq":7}`)
			})
			if ack, err := b.pub.Do(b.Context(), &nats.Msg{Subject: subject}); err != nil || ack.Seq != 7 {
				b.Errorf("%d: %+v, %v", code, ack, err)
			}
		}
	})
}

func TestAWriteThatIsNeverAnsweredEndsAsUnknown(t *testing.T) {
	inBubble(t, func(b *bench) {
		sent := b.answering("silent", func(int) []byte { return nil })
		began := time.Now()
		_, err := b.pub.Do(b.Context(), &nats.Msg{Subject: "silent"})
		if !errors.Is(err, streams.ErrUnknown) || sent.Load() != 10 {
			b.Errorf("%v after %d times", err, sent.Load())
		}
		if took := time.Since(began); took < streams.AckWait || took > 2*streams.AckWait {
			b.Errorf("it took %s: it must outlast the lease of the work, and end", took)
		}
	})
}

func TestAnswersThatAreNoneAreErrors(t *testing.T) {
	inBubble(t, func(b *bench) {
		for i, text := range []string{`"error"`, `{"error": 7}`, `{"error": null}`} {
			subject := fmt.Sprint("odd.", i)
			b.answering(subject, func(int) []byte { return []byte(text) })
			if _, err := b.pub.Do(b.Context(), &nats.Msg{Subject: subject}); err == nil || !strings.Contains(err.Error(), "no JetStream answer") {
				b.Errorf("%s: %v", text, err)
			}
		}
	})
}

func TestAFullWindowMakesPublishWait(t *testing.T) {
	inBubble(t, func(b *bench) {
		var held []*nats.Msg
		if _, err := b.conn.Subscribe("held", func(m *nats.Msg) { held = append(held, m) }); err != nil {
			b.Fatal(err)
		}
		var answered atomic.Int32
		publish := func(ctx context.Context) error {
			return b.pub.Publish(ctx, &nats.Msg{Subject: "held"}, func(streams.PubAck, error) { answered.Add(1) })
		}
		for range window {
			if err := publish(b.Context()); err != nil {
				b.Fatal(err)
			}
		}
		ctx, cancel := context.WithTimeout(b.Context(), time.Second)
		defer cancel()
		if err := publish(ctx); !errors.Is(err, context.DeadlineExceeded) {
			b.Fatalf("one more than the window: %v", err)
		}
		synctest.Wait()
		if len(held) != window {
			b.Fatalf("%d messages came", len(held))
		}
		_ = held[0].Respond([]byte(`{"seq":1}`))
		if err := publish(b.Context()); err != nil || answered.Load() != 1 {
			b.Errorf("once one is answered: %v, %d answers", err, answered.Load())
		}
		b.pub.Close()
		if answered.Load() != window+1 {
			b.Errorf("%d of %d writes have ended", answered.Load(), window+1)
		}
	})
}

func TestClosingEndsWhatIsUnderWay(t *testing.T) {
	inBubble(t, func(b *bench) {
		b.answering("silent", func(int) []byte { return nil })
		done := make(chan error, 1)
		go func() {
			_, err := b.pub.Do(b.Context(), &nats.Msg{Subject: "silent"})
			done <- err
		}()
		synctest.Wait()
		b.pub.Close()
		b.pub.Close()
		if err := <-done; !errors.Is(err, streams.ErrClosed) {
			b.Errorf("%v", err)
		}
		if _, err := b.pub.Do(b.Context(), &nats.Msg{Subject: "silent"}); !errors.Is(err, streams.ErrClosed) {
			b.Errorf("afterwards: %v", err)
		}
	})
}

func TestBatchWaitsForAllAndGivesTheFirstError(t *testing.T) {
	inBubble(t, func(b *bench) {
		batch := b.pub.NewBatch()
		for i := range 3 * window {
			if err := batch.Publish(b.Context(), streams.WorkMessage(queue, 0, bundle(i), "")); err != nil {
				b.Fatal(err)
			}
		}
		if err := batch.Wait(b.Context()); err != nil {
			b.Fatal(err)
		}
		if n := b.stored("ORBIT_0", "orbit.work.>"); n != 3*window {
			b.Errorf("%d of %d messages are stored", n, 3*window)
		}
		batch = b.pub.NewBatch()
		rec := &orbit.Record{Bundle: bundle(0).ID, Run: run}
		for range 2 {
			_ = batch.Publish(b.Context(), streams.RecordMessage(0, rec, rec.Encode()))
		}
		if err := batch.Wait(b.Context()); !errors.Is(err, streams.ErrExists) {
			b.Errorf("%v", err)
		}
		if err := b.pub.NewBatch().Wait(b.Context()); err != nil {
			b.Errorf("an empty batch: %v", err)
		}
	})
}
