package streams_test

import (
	"testing"
	"time"

	"github.com/exospherehost/orbit/streams"
)

func TestWhatWasGivenAwayIsListedAndCanBeHandedBack(t *testing.T) {
	inBubble(t, func(b *bench) {
		b.queues(queue)
		list := func() []streams.Taken {
			taken, err := streams.TakenOf(b.Context(), b.js, b.conn, queue, 0)
			if err != nil {
				b.Fatal(err)
			}
			return taken
		}
		for n := range 5 {
			b.work(n)
		}
		if taken := list(); len(taken) != 0 {
			b.Errorf("%d bundles are given away before anybody asked", len(taken))
		}
		p, out := b.pull()
		b.want(p, 3)
		ds := came(out)
		if err := ds[0].Ack(); err != nil {
			b.Fatal(err)
		}
		time.Sleep(time.Second)
		taken := list()
		if len(taken) != 2 {
			b.Fatalf("%d bundles are given away, of two that are not done", len(taken))
		}
		for i, d := range ds[1:] {
			l, ok := d.Lease()
			if !ok || l.Place() != taken[i].Lease.Place() || string(taken[i].Data) != string(d.Data) {
				b.Errorf("listed %s, delivered %s", taken[i].Lease.Place(), l.Place())
			}
		}
		if err := streams.HandBack(b.conn, taken[1].Lease); err != nil {
			b.Fatal(err)
		}
		time.Sleep(time.Second)
		other, again := b.pull()
		b.want(other, 1)
		got := came(again)
		if len(got) != 1 || got[0].Delivered != 2 || string(got[0].Data) != string(ds[2].Data) {
			b.Errorf("handed back and delivered again: %+v", got)
		}
	})
}

func TestALeaseIsOfTheSameBundleWhateverItsForm(t *testing.T) {
	short := streams.Lease{Consumer: "$JS.ACK.ORBIT_0.cpu_core_1h", Delivered: 1, Seq: 7, Order: 3}
	long := streams.Lease{Consumer: "$JS.ACK.hub.ACCOUNT.ORBIT_0.cpu_core_1h", Delivered: 2, Seq: 7, Order: 9}
	if short.Place() != long.Place() || short.Place() != "ORBIT_0.cpu_core_1h.7" {
		t.Errorf("%s and %s", short.Place(), long.Place())
	}
}
