package gateway

import (
	"context"
	"errors"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/exospherehost/orbit/streams"
)

// errEnough ends a look at a stream.
var errEnough = errors.New("enough")

// oldest walks through a stream as its messages come of age: in order, each once. Documents are in the order of their last
// change, so what nobody has touched for long is always next, and nothing need be kept in mind but the place.
type oldest struct {
	stream, filter string
	at             uint64    // everything before it has come of age and was seen to
	idle           time.Time // before then the next is too young
	ahead          struct {  // what move takes over
		at   uint64
		idle time.Time
	}
}

// look calls f for messages that are older than an age, until f has enough (errEnough). The same ones come again until
// move is called.
func (o *oldest) look(ctx context.Context, nc *nats.Conn, age time.Duration, f func(streams.Stored) error) error {
	o.ahead.at, o.ahead.idle = o.at, o.idle
	if time.Now().Before(o.idle) {
		return nil
	}
	o.ahead.idle = time.Now().Add(archiveEvery)
	err := streams.ReadAll(ctx, nc, o.stream, o.filter, o.at, func(m streams.Stored) error {
		if young := age - time.Since(m.Time); young > 0 { // and so is everything behind it
			o.ahead.idle = time.Now().Add(min(young, time.Hour))
			return errEnough
		}
		if err := f(m); err != nil {
			o.ahead.idle = time.Time{}
			return err
		}
		o.ahead.at = m.Seq + 1
		return nil
	})
	if errors.Is(err, errEnough) {
		return nil
	}
	return err
}

// move goes on to what comes after the last look.
func (o *oldest) move() { o.at, o.idle = o.ahead.at, o.ahead.idle }
