package streams_test

import (
	"testing"
	"time"

	"github.com/exospherehost/orbit/streams"
)

func TestLookoutSeesWhatWaitsAndWhatWasHandedBack(t *testing.T) {
	inBubble(t, func(b *bench) {
		l := streams.NewLookout(b.conn)
		look := func(held int) streams.Backlog {
			b.Helper()
			got, err := l.Look(b.Context(), queue, 0, held)
			if err != nil {
				b.Fatal(err)
			}
			return got
		}
		if got := look(0); got != (streams.Backlog{}) {
			b.Errorf("a queue that there is not yet: %+v", got)
		}
		b.queues(queue)
		if got := look(0); got != (streams.Backlog{}) {
			b.Errorf("an empty queue: %+v", got)
		}
		b.work(0)
		b.work(1)
		time.Sleep(time.Second) // a consumer counts what is stored a moment later
		due := time.UnixMilli(bundle(0).Deadline).Truncate(time.Second)
		if got := look(0); got.Waiting != 2 || !got.Deadline.Equal(due) {
			b.Errorf("two wait: %+v, the first is due at %s", got, due)
		}
		p, out := b.pull()
		b.want(p, 2)
		ds := came(out)
		if got := look(2); len(ds) != 2 || got.Waiting != 0 {
			b.Errorf("this node holds them: %+v", got)
		}
		if got := look(0); got.Waiting != 0 {
			b.Errorf("another node holds them: %+v", got)
		}
		if err := ds[0].Nak(0); err != nil {
			b.Fatal(err)
		}
		time.Sleep(10 * time.Second)
		for range 5 {
			if got := look(0); got.Waiting != 1 || !got.Deadline.Equal(due) {
				b.Errorf("one was handed back: %+v", got)
			}
		}
		b.want(p, 1)
		ds = append(ds, came(out)...)
		if len(ds) != 3 || ds[2].Delivered != 3 { // once to see it
			b.Fatalf("%d deliveries, the last is number %d", len(ds), ds[len(ds)-1].Delivered)
		}
		time.Sleep(10 * time.Second)
		if got := look(0); got.Waiting != 0 {
			b.Errorf("it is held again: %+v", got)
		}
	})
}
