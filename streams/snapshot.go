package streams

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/nats-io/nats.go"
)

const (
	// snapshotPiece is what one message of a snapshot holds; with snapshotWindow it bounds what is under way unread.
	snapshotPiece  = 128 << 10
	snapshotWindow = 8 << 20
	// snapshotPatience is how long the server may take for one step: the last step of a restore builds the stream.
	snapshotPatience = 10 * time.Minute
)

// Snapshot tells what a snapshot is of.
type Snapshot struct {
	Config json.RawMessage // of the stream
	State  json.RawMessage
	Last   uint64 // the last sequence that it may hold
}

// TakeSnapshot has the server write down a stream: begin is told what comes, and then piece is called for each piece of it,
// in order. Consumers are left out: they are made anew, and what a consumer had given out is given out again. What is
// removed or replaced while the snapshot is taken may be missing in it; what is stored meanwhile comes after Last.
func TakeSnapshot(ctx context.Context, nc *nats.Conn, stream string, begin func(Snapshot) error, piece func([]byte) error) error {
	inbox := nats.NewInbox()
	in := make(chan *nats.Msg, snapshotWindow/snapshotPiece+8) // all that comes before the first answer
	sub, err := nc.ChanSubscribe(inbox, in)
	if err != nil {
		return fmt.Errorf("back up the stream %s: %w", stream, err)
	}
	defer func() { _ = sub.Unsubscribe() }()
	var answer struct {
		Config json.RawMessage `json:"config"`
		State  json.RawMessage `json:"state"`
		Error  *ServerError    `json:"error"`
	}
	ask := map[string]any{"deliver_subject": inbox, "no_consumers": true, "chunk_size": snapshotPiece, "window_size": snapshotWindow}
	if err := call(ctx, nc, "$JS.API.STREAM.SNAPSHOT."+stream, ask, &answer); err != nil {
		return fmt.Errorf("back up the stream %s: %w", stream, err)
	}
	if answer.Error != nil {
		return fmt.Errorf("back up the stream %s: %w", stream, answer.Error)
	}
	var state struct {
		Last uint64 `json:"last_seq"`
	}
	if err := json.Unmarshal(answer.State, &state); err != nil {
		return fmt.Errorf("back up the stream %s: %w", stream, err)
	}
	if err := begin(Snapshot{answer.Config, answer.State, state.Last}); err != nil {
		return err
	}
	for {
		select {
		case m := <-in:
			if len(m.Data) == 0 { // the end
				if status := m.Header.Get("Status"); status != "" && status != "204" {
					return fmt.Errorf("back up the stream %s: the server broke off: %s %s", stream, status, m.Header.Get("Description"))
				}
				return nil
			}
			if err := piece(m.Data); err != nil {
				return err
			}
			if m.Reply != "" {
				_ = m.Respond(nil) // lost: the server waits for the answers to others, and at last breaks off
			}
		case <-time.After(readPatience):
			return fmt.Errorf("back up the stream %s: %w", stream, ErrUnknown)
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// RestoreSnapshot makes a stream from a snapshot; next gives its pieces, and none at the end. The stream must not be there.
// Failing, it may leave a part of the stream behind.
func RestoreSnapshot(ctx context.Context, nc *nats.Conn, stream string, config, state json.RawMessage, next func() ([]byte, error)) error {
	fail := func(err error) error { return fmt.Errorf("restore the stream %s: %w", stream, err) }
	var answer struct {
		Deliver string       `json:"deliver_subject"`
		Error   *ServerError `json:"error"`
	}
	if err := call(ctx, nc, "$JS.API.STREAM.RESTORE."+stream, map[string]any{"config": config, "state": state}, &answer); err != nil {
		return fail(err)
	}
	if answer.Error != nil {
		return fail(answer.Error)
	}
	for {
		data, err := next()
		if err != nil {
			// The server would wait for more for some seconds, and then keep what it has: it is told that this was all, and
			// answers when it touches the stream no more.
			end, cancel := context.WithTimeout(context.WithoutCancel(ctx), snapshotPatience)
			_, _ = nc.RequestWithContext(end, answer.Deliver, nil)
			cancel()
			return err
		}
		wait, cancel := context.WithTimeout(ctx, snapshotPatience)
		m, err := nc.RequestWithContext(wait, answer.Deliver, data)
		cancel()
		if err != nil {
			return fail(err)
		}
		var said struct {
			Error *ServerError `json:"error"`
		}
		if len(m.Data) > 0 && json.Unmarshal(m.Data, &said) == nil && said.Error != nil {
			return fail(said.Error)
		}
		if len(data) == 0 {
			if len(m.Data) == 0 {
				return fail(errors.New("the server did not say that it is done"))
			}
			return nil
		}
	}
}

// call asks the JetStream API. Some of it wants nothing asked, and nil is that.
func call(ctx context.Context, nc *nats.Conn, subject string, ask, answer any) (err error) {
	var body []byte
	if ask != nil {
		if body, err = json.Marshal(ask); err != nil {
			return err
		}
	}
	wait, cancel := context.WithTimeout(ctx, readPatience)
	defer cancel()
	m, err := nc.RequestWithContext(wait, subject, body)
	if err != nil {
		return err
	}
	return json.Unmarshal(m.Data, answer)
}
