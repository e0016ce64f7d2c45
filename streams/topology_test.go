package streams_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/exospherehost/orbit"
	"github.com/exospherehost/orbit/streams"
)

func TestEnsureLeavesWhatIsThereAndRefusesWhatIsNotOurs(t *testing.T) {
	inBubble(t, func(b *bench) {
		b.work(0)
		if err := b.top.Ensure(b.Context()); err != nil {
			b.Fatal(err)
		}
		if n := b.stored("ORBIT_0", ">"); n != 1 {
			b.Errorf("%d messages are left", n)
		}
		if _, err := b.js.CreateStream(b.Context(), jetstream.StreamConfig{Name: "ORBIT_1", Subjects: []string{"mine"}}); err != nil {
			b.Fatal(err)
		}
		err := streams.NewTopology(b.js, 2, 1).Ensure(b.Context())
		if err == nil || !strings.Contains(err.Error(), "the stream ORBIT_1 exists with other settings") {
			b.Errorf("%v", err)
		}
	})
}

func TestTheWorkStreamCannotBeWipedByAHeader(t *testing.T) {
	inBubble(t, func(b *bench) {
		b.work(0)
		m := streams.WorkMessage(queue, 0, bundle(1), "")
		m.Header.Set("Nats-Rollup", "all")
		if _, err := b.pub.Do(b.Context(), m); err == nil {
			b.Error("a rollup is taken")
		}
		if n := b.stored("ORBIT_0", ">"); n != 1 {
			b.Errorf("%d messages are left", n)
		}
	})
}

func TestQueuesAreMadeOnceAndFoundAgain(t *testing.T) {
	inBubble(t, func(b *bench) {
		qs := append(streams.QueuesOf("cpu", "core"), streams.Queue{Class: "gpu-80g", Pool: "model_with_underscores", Tier: "24h"})
		fresh, err := b.top.EnsureQueues(b.Context(), qs)
		if err != nil || len(fresh) != len(qs) {
			b.Errorf("%v, %v", fresh, err)
		}
		if fresh, err := b.top.EnsureQueues(b.Context(), qs); err != nil || len(fresh) != 0 {
			b.Errorf("again: %v, %v", fresh, err)
		}
		other := streams.NewTopology(b.js, 1, 1)
		if err := other.Discover(b.Context()); err != nil {
			b.Fatal(err)
		}
		got := other.Queues()
		byName := func(x, y streams.Queue) int { return strings.Compare(x.Consumer(), y.Consumer()) }
		slices.SortFunc(got, byName)
		slices.SortFunc(qs, byName)
		if !slices.Equal(got, qs) {
			b.Errorf("found %v, want %v", got, qs)
		}
	})
}

func TestTooManyQueuesAreRefusedInWords(t *testing.T) {
	inBubble(t, func(b *bench) {
		var qs []streams.Queue
		for i := range 21 {
			qs = append(qs, streams.QueuesOf("cpu", fmt.Sprint("model-", i))...)
		}
		fresh, err := b.top.EnsureQueues(b.Context(), qs)
		if len(fresh) != 100 || !errors.Is(err, streams.ErrQueues) || !strings.Contains(err.Error(), "no more than 100 ") || !strings.Contains(err.Error(), "use fewer models") {
			b.Errorf("%d queues, %v", len(fresh), err)
		}
	})
}

func TestAQueueWhoseConsumerIsGoneIsStuckUntilItIsRenewed(t *testing.T) {
	inBubble(t, func(b *bench) {
		stuck := func() bool {
			b.Helper()
			synctest.Wait() // a message that was just stored takes a moment to be seen
			s, err := b.top.Stuck(b.Context(), queue, 0)
			if err != nil {
				b.Fatal(err)
			}
			return s
		}
		b.queues(queue)
		if stuck() {
			b.Error("an empty queue is stuck")
		}
		b.work(0)
		if stuck() {
			b.Error("a queue whose consumer sees its work is stuck")
		}
		p, out := b.pull()
		b.want(p, 1)
		d := came(out)[0]
		if stuck() {
			b.Error("a queue whose work is held by a node is stuck")
		}
		if err := b.js.DeleteConsumer(b.Context(), "ORBIT_0", queue.Consumer()); err != nil {
			b.Fatal(err)
		}
		if !stuck() {
			b.Error("a queue without a consumer is not stuck")
		}
		if err := b.top.Renew(b.Context(), queue, 0); err != nil {
			b.Fatal(err)
		}
		synctest.Wait()
		if stuck() {
			b.Error("made anew, it is stuck still")
		}
		p.Forget()
		b.want(p, 1)
		ds := came(out)
		if len(ds) != 1 || ds[0].Bundle.ID != d.Bundle.ID {
			b.Fatalf("the work is not delivered again: %v", ds)
		}
		if err := b.top.Renew(b.Context(), queue, 0); err != nil {
			b.Errorf("renewing what is well: %v", err)
		}
	})
}

func TestAQueueWhoseWorkIsDoneIsNotStuck(t *testing.T) {
	inBubble(t, func(b *bench) {
		b.queues(queue)
		b.work(0)
		p, out := b.pull()
		b.want(p, 1)
		if err := came(out)[0].Ack(); err != nil {
			b.Fatal(err)
		}
		synctest.Wait()
		if s, err := b.top.Stuck(b.Context(), queue, 0); err != nil || s {
			b.Errorf("%v, %v", s, err)
		}
	})
}

func TestRunsAreSpreadOverThePartitionsForEver(t *testing.T) {
	const parts = 8
	var n [parts]int
	for i := range 8000 {
		n[streams.Partition(orbit.HashID(fmt.Sprint(i)), parts)]++
	}
	if slices.Min(n[:]) < 800 || slices.Max(n[:]) > 1200 {
		t.Errorf("%v", n)
	}
	// Stored work is found by these: other values would be a break with what is stored.
	for run, want := range map[string]int{"werc8gmrzge196qvyk49": 2, "wcjmx9gw17ndb80x7fr7": 5} {
		if got := streams.Partition(run, parts); got != want {
			t.Errorf("%s is in partition %d, want %d", run, got, want)
		}
	}
	if streams.Partition("x", 1) != 0 || streams.Partition("x", 0) != 0 {
		t.Error("with one partition, a run is in another")
	}
}
