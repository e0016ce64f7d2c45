package gateway

import (
	"testing"
	"time"

	"github.com/exospherehost/orbit/streams"
)

func TestAQueueWhoseConsumerWasRemovedGetsItBack(t *testing.T) {
	inBubble(t, func(b *bench) {
		b.apply("acme/a")
		run := b.start("acme/a", "")
		q := streams.Queue{Class: "cpu", Pool: "core", Tier: "6h"}
		if err := b.g.js.DeleteConsumer(b.Context(), "ORBIT_0", q.Consumer()); err != nil {
			b.Fatal(err)
		}
		time.Sleep(3 * watchEvery)
		out := make(chan *streams.Delivery, 1)
		p, err := streams.NewPuller(b.conn, out, func() {})
		if err != nil {
			b.Fatal(err)
		}
		defer p.Stop()
		if err := p.Want(q, 1, 1); err != nil {
			b.Fatal(err)
		}
		select {
		case d := <-out:
			if d.Run != run.ID {
				b.Errorf("work of run %s", d.Run)
			}
		case <-time.After(time.Minute):
			b.Error("the work is not delivered")
		}
	})
}
