package streams_test

import (
	"errors"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/exospherehost/orbit"
	"github.com/exospherehost/orbit/streams"
)

// pull starts a puller for up to 100 deliveries.
func (b *bench) pull() (*streams.Puller, chan *streams.Delivery) {
	b.Helper()
	out := make(chan *streams.Delivery, 100)
	p, err := streams.NewPuller(b.conn, out, func() {})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(p.Stop)
	return p, out
}

func (b *bench) want(p *streams.Puller, n int) {
	b.Helper()
	if err := p.Want(queue, 1, n); err != nil {
		b.Fatal(err)
	}
}

// came gives what has come once everything is still.
func came(out chan *streams.Delivery) []*streams.Delivery {
	time.Sleep(10 * time.Millisecond) // the server delivers by a timer of its own now and then
	synctest.Wait()
	var ds []*streams.Delivery
	for len(out) > 0 {
		ds = append(ds, <-out)
	}
	return ds
}

func TestPullerGetsWorkAndAckRemovesIt(t *testing.T) {
	inBubble(t, func(b *bench) {
		b.queues(queue)
		b.work(0)
		p, out := b.pull()
		b.want(p, 4)
		ds := came(out)
		if len(ds) != 1 {
			b.Fatalf("%d deliveries", len(ds))
		}
		d := ds[0]
		if d.Queue != queue || d.Partition != 0 || d.Run != run || d.Delivered != 1 || d.BundleErr != nil || d.Bundle.ID != bundle(0).ID || d.Stored.IsZero() || d.AckSubject() == "" {
			b.Errorf("%+v", d)
		}
		if err := d.Ack(); err != nil {
			b.Fatal(err)
		}
		time.Sleep(2 * streams.AckWait)
		b.want(p, 4)
		if ds := came(out); len(ds) != 0 || b.stored("ORBIT_0", "orbit.work.>") != 0 {
			b.Errorf("after its ack it comes again: %+v", ds)
		}
	})
}

func TestPullerTakesNoMoreThanWasWanted(t *testing.T) {
	inBubble(t, func(b *bench) {
		b.queues(queue)
		p, out := b.pull()
		b.want(p, 4)
		b.want(p, 4) // nothing has come between the two
		for i := range 20 {
			b.work(i)
		}
		if ds := came(out); len(ds) != 4 {
			b.Errorf("%d deliveries, want 4", len(ds))
		}
		b.want(p, 4)
		if ds := came(out); len(ds) != 4 {
			b.Errorf("%d more, want 4", len(ds))
		}
		b.want(p, 0)
		if ds := came(out); len(ds) != 0 {
			b.Errorf("%d deliveries that nobody wants", len(ds))
		}
	})
}

func TestWorkThatComesLaterIsDeliveredAtOnce(t *testing.T) {
	inBubble(t, func(b *bench) {
		b.queues(queue)
		p, out := b.pull()
		b.want(p, 2)
		for round := range 5 { // requests run out after 30 s; the caller asks every second
			for range 45 {
				time.Sleep(time.Second)
				b.want(p, 2)
			}
			b.work(round)
			if ds := came(out); len(ds) != 1 || ds[0].Delivered != 1 {
				b.Fatalf("round %d: %d deliveries", round, len(ds))
			} else if err := ds[0].Ack(); err != nil {
				b.Fatal(err)
			}
		}
	})
}

func TestAQueueWithoutAConsumerIsAskedAgain(t *testing.T) {
	inBubble(t, func(b *bench) {
		b.work(0)
		p, out := b.pull()
		before := b.conn.Stats().OutMsgs
		for range 100 {
			b.want(p, 2)
			time.Sleep(10 * time.Millisecond)
		}
		if asked := b.conn.Stats().OutMsgs - before; asked > 2 {
			b.Errorf("asked %d times within a second", asked)
		}
		b.queues(queue)
		time.Sleep(time.Second)
		b.want(p, 2)
		if ds := came(out); len(ds) != 1 {
			b.Errorf("%d deliveries once there is a consumer", len(ds))
		}
	})
}

func TestAConsumerMadeAnewIsAskedAgain(t *testing.T) {
	inBubble(t, func(b *bench) {
		b.queues(queue)
		p, out := b.pull()
		b.want(p, 2)
		synctest.Wait()
		if err := b.top.Renew(b.Context(), queue, 0); err != nil {
			b.Fatal(err)
		}
		b.work(0)
		time.Sleep(time.Second)
		b.want(p, 2)
		if ds := came(out); len(ds) != 1 {
			b.Errorf("%d deliveries", len(ds))
		}
	})
}

func TestNakHandsBackAtOnceOrAfterItsDelay(t *testing.T) {
	inBubble(t, func(b *bench) {
		b.queues(queue)
		b.work(0)
		p, out := b.pull()
		b.want(p, 1)
		d := came(out)[0]
		if err := d.Nak(0); err != nil {
			b.Fatal(err)
		}
		b.want(p, 1)
		ds := came(out)
		if len(ds) != 1 || ds[0].Delivered != 2 {
			b.Fatalf("after a NAK: %+v", ds)
		}
		if err := ds[0].Nak(20 * time.Second); err != nil {
			b.Fatal(err)
		}
		time.Sleep(18 * time.Second)
		b.want(p, 1)
		if ds := came(out); len(ds) != 0 {
			b.Fatal("it came before its delay was over")
		}
		time.Sleep(3 * time.Second)
		if ds := came(out); len(ds) != 1 || ds[0].Delivered != 3 {
			b.Errorf("after its delay: %+v", ds)
		}
	})
}

func TestALeaseEndsUnlessItIsExtended(t *testing.T) {
	inBubble(t, func(b *bench) {
		b.queues(queue)
		b.work(0)
		p, out := b.pull()
		b.want(p, 1)
		d := came(out)[0]
		for range 10 {
			time.Sleep(streams.AckWait / 3)
			b.want(p, 1)
			if err := d.Extend(); err != nil {
				b.Fatal(err)
			}
		}
		if ds := came(out); len(ds) != 0 {
			b.Fatal("it was given to another while its lease was extended")
		}
		time.Sleep(streams.AckWait + 2*time.Second)
		b.want(p, 1)
		if ds := came(out); len(ds) != 1 || ds[0].Delivered != 2 {
			b.Errorf("after its lease: %+v", ds)
		}
	})
}

func TestWhatCannotBeDecodedIsDeliveredAsSuch(t *testing.T) {
	inBubble(t, func(b *bench) {
		b.queues(queue)
		other := bundle(1)
		other.Run = orbit.HashID("another run")
		for _, data := range [][]byte{nil, []byte("garbage"), other.Encode()} {
			b.do(&nats.Msg{Subject: streams.WorkSubject(queue, 0, run), Data: data})
		}
		p, out := b.pull()
		b.want(p, 9)
		ds := came(out)
		if len(ds) != 3 {
			b.Fatalf("%d deliveries", len(ds))
		}
		for _, d := range ds {
			if d.Bundle != nil || !errors.Is(d.BundleErr, orbit.ErrFrame) || d.Run != run {
				b.Errorf("%q: %+v", d.Data, d)
			}
		}
	})
}

func TestForgottenRequestsAreMadeAnew(t *testing.T) {
	inBubble(t, func(b *bench) {
		b.queues(queue)
		p, out := b.pull()
		b.want(p, 2)
		p.Forget()
		b.want(p, 2)
		for i := range 6 {
			b.work(i)
		}
		if ds := came(out); len(ds) != 4 { // both requests are still known to the server
			b.Errorf("%d deliveries", len(ds))
		}
	})
}

func TestDeliveriesComeInTheOrderOfTheQueue(t *testing.T) {
	inBubble(t, func(b *bench) {
		b.queues(queue)
		for i := range 50 {
			b.work(i)
		}
		p, out := b.pull()
		b.want(p, 50)
		var got []int
		for _, d := range came(out) {
			got = append(got, d.Bundle.Ordinal)
		}
		if len(got) != 50 || !slices.IsSorted(got) {
			b.Errorf("%v", got)
		}
	})
}

func TestAStoppedPullerDeliversNothingMore(t *testing.T) {
	inBubble(t, func(b *bench) {
		b.queues(queue)
		p, out := b.pull()
		b.want(p, 2)
		synctest.Wait()
		p.Stop()
		p.Stop()
		b.work(0)
		if ds := came(out); len(ds) != 0 {
			b.Errorf("%+v", ds)
		}
		q, out := b.pull()
		b.want(q, 2)
		if ds := came(out); len(ds) != 1 {
			b.Errorf("another puller gets %d deliveries", len(ds))
		}
	})
}
