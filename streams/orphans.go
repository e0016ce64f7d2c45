package streams

import (
	"context"
	"errors"
	"fmt"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// maxTaken bounds the bundles of one queue that are looked at. More than that are left to their leases.
const maxTaken = 4096

// Taken is a bundle that the server has given to somebody and that is not done.
type Taken struct {
	Lease Lease // by which it is handed back; who has it is not known
	Data  []byte
}

var errPast = errors.New("past what was given away")

// TakenOf lists the bundles of a queue that somebody should have. Some of them may be handed back already, and wait to be given
// to the next.
func TakenOf(ctx context.Context, js jetstream.JetStream, nc *nats.Conn, q Queue, p int) ([]Taken, error) {
	c, err := js.Consumer(ctx, StreamName(p), q.Consumer())
	if err != nil {
		return nil, fmt.Errorf("look at the queue %s: %w", q.Consumer(), err)
	}
	info := c.CachedInfo()
	if info.NumAckPending == 0 || info.NumAckPending > maxTaken {
		return nil, nil
	}
	var taken []Taken
	err = ReadAll(ctx, nc, StreamName(p), q.Filter(p), info.AckFloor.Stream+1, func(s Stored) error {
		if s.Seq > info.Delivered.Stream {
			return errPast
		}
		// The server looks at the sequence of the bundle, and that the order is of a delivery that it has made.
		taken = append(taken, Taken{Lease{ackPrefix + StreamName(p) + "." + q.Consumer(), 1, s.Seq, info.Delivered.Consumer}, s.Data})
		return nil
	})
	if errors.Is(err, errPast) {
		err = nil
	}
	return taken, err
}

// HandBack gives a bundle to whoever asks next, and takes it from who has it.
func HandBack(nc *nats.Conn, l Lease) error { return nc.Publish(l.Subject(), []byte("-NAK")) }
