package streams

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// ScheduleMessage puts a work message into ORBIT_LATER, to come out on its due subject at the given time. Only gateways
// publish it. Stored twice it is still one schedule: one subject, one schedule, and its id deduplicates.
func ScheduleMessage(p int, run, bundle string, data []byte, at time.Time) *nats.Msg {
	return &nats.Msg{Subject: LaterSubject(p, run, bundle), Data: data, Header: nats.Header{
		"Nats-Schedule":        {"@at " + at.UTC().Format(time.RFC3339Nano)},
		"Nats-Schedule-Target": {DueSubject(p, run, bundle)},
		nats.MsgIdHdr:          {"later~" + bundle},
	}}
}

// ConsumeDue hands each bundle whose time has come to f, which publishes it as work. When f fails the bundle comes again.
// It returns when ctx has ended.
func ConsumeDue(ctx context.Context, js jetstream.JetStream, p int, f func(ctx context.Context, data []byte) error) error {
	for ctx.Err() == nil {
		con, err := js.Consumer(ctx, LaterStream, dueConsumer(p))
		if err != nil {
			if ctx.Err() != nil {
				return nil
			}
			if errors.Is(err, jetstream.ErrConsumerNotFound) || errors.Is(err, jetstream.ErrStreamNotFound) {
				return fmt.Errorf("consume due bundles: %w", err)
			}
			pause(ctx, time.Second)
			continue
		}
		iter, err := con.Messages(jetstream.PullMaxMessages(500), jetstream.PullHeartbeat(2*time.Second), jetstream.PullExpiry(30*time.Second))
		if err != nil {
			pause(ctx, time.Second)
			continue
		}
		stop := context.AfterFunc(ctx, iter.Stop)
		for {
			m, err := iter.Next()
			if errors.Is(err, jetstream.ErrNoHeartbeat) {
				continue
			}
			if err != nil {
				break
			}
			if err := f(ctx, m.Data()); err != nil {
				_ = m.NakWithDelay(time.Second) // not published: it comes again
				continue
			}
			// Dying before this ack: the bundle is published again under the same id.
			_ = m.Ack()
		}
		stop()
		iter.Stop()
	}
	return nil
}

func pause(ctx context.Context, d time.Duration) {
	select {
	case <-time.After(d):
	case <-ctx.Done():
	}
}
