package streams

import (
	"context"
	"time"

	"github.com/nats-io/nats.go"
)

const (
	// readPatience is how long a read waits for its next message: a healthy server sends a whole batch in far less.
	readPatience = 10 * time.Second
	// readLook is how often it is looked whether the connection was lost meanwhile: then the answer will not come.
	readLook = 250 * time.Millisecond
)

// patience waits for the parts of an answer.
type patience struct {
	*time.Ticker
	nc         *nats.Conn
	reconnects uint64
}

func newPatience(nc *nats.Conn) *patience {
	return &patience{time.NewTicker(readLook), nc, nc.Stats().Reconnects}
}

// next gives the next part. ErrUnknown: it does not come in time, or the server that was asked for it is gone.
func (p *patience) next(ctx context.Context, in <-chan *nats.Msg) (*nats.Msg, error) {
	for begun := time.Now(); ; {
		select {
		case m := <-in:
			return m, nil
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-p.C:
			if time.Since(begun) > readPatience || p.nc.Stats().Reconnects != p.reconnects {
				return nil, ErrUnknown
			}
		}
	}
}
