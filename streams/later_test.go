package streams_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/exospherehost/orbit"
	"github.com/exospherehost/orbit/streams"
)

// due collects when something comes out, until the test ends. fail says whether to refuse the n-th, from 1.
func (b *bench) due(fail func(n int) bool) func() []time.Time {
	var at []time.Time
	ctx, cancel := context.WithCancel(b.Context())
	done := make(chan error, 1)
	go func() {
		n := 0
		done <- streams.ConsumeDue(ctx, b.js, 0, func(_ context.Context, data []byte) error {
			if _, err := orbit.DecodeBundle(data); err != nil {
				b.Errorf("what came out is no bundle: %v", err)
			}
			if n++; fail(n) {
				return errors.New("not now")
			}
			at = append(at, time.Now())
			return nil
		})
	}()
	b.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			b.Errorf("it ended with %v", err)
		}
	})
	return func() []time.Time { synctest.Wait(); return at }
}

// later schedules a bundle.
func (b *bench) later(n int, at time.Time) {
	b.Helper()
	b.do(streams.ScheduleMessage(0, run, bundle(n).ID, bundle(n).Encode(), at))
}

func TestScheduledBundlesComeOutAtTheirTime(t *testing.T) {
	inBubble(t, func(b *bench) {
		at := b.due(func(int) bool { return false })
		now := time.Now()
		b.later(0, now.Add(20*time.Minute))
		b.later(1, now.Add(time.Minute))
		b.later(2, now.Add(-time.Hour)) // long due
		time.Sleep(30 * time.Minute)
		came := at()
		if len(came) != 3 {
			b.Fatalf("%d of 3 came out", len(came))
		}
		for i, want := range []time.Duration{0, time.Minute, 20 * time.Minute} {
			if got := came[i].Sub(now); got < want || got > want+5*time.Second {
				b.Errorf("number %d came out after %s, want %s", i, got, want)
			}
		}
		if n := b.stored(streams.LaterStream, ">"); n != 0 {
			b.Errorf("%d messages are left", n)
		}
	})
}

func TestABundleScheduledTwiceComesOutOnce(t *testing.T) {
	inBubble(t, func(b *bench) {
		at := b.due(func(int) bool { return false })
		now := time.Now()
		b.later(0, now.Add(10*time.Minute))
		b.later(0, now.Add(10*time.Minute))
		time.Sleep(5 * time.Minute) // past the two minutes in which the stream knows an id
		b.later(0, now.Add(10*time.Minute))
		time.Sleep(10 * time.Minute)
		if n := len(at()); n != 1 {
			b.Errorf("it came out %d times", n)
		}
	})
}

func TestADueBundleThatWasNotTakenComesAgain(t *testing.T) {
	inBubble(t, func(b *bench) {
		at := b.due(func(n int) bool { return n < 4 })
		b.later(0, time.Now().Add(time.Minute))
		time.Sleep(2 * time.Minute)
		if n := len(at()); n != 1 {
			b.Errorf("it was taken %d times", n)
		}
	})
}

func TestConsumingWithoutTheStreamIsAnError(t *testing.T) {
	inBubble(t, func(b *bench) {
		if err := b.js.DeleteStream(b.Context(), streams.LaterStream); err != nil {
			b.Fatal(err)
		}
		if err := streams.ConsumeDue(b.Context(), b.js, 0, nil); err == nil {
			b.Error("it waits for ever")
		}
	})
}
