package streams

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// Stored is one message as it lies in a stream.
type Stored struct {
	Seq     uint64
	Subject string
	Time    time.Time
	Data    []byte
	Header  nats.Header
}

// ReadBatch reads up to batch messages on the subjects that filter matches, from sequence from on, in stream order. It
// removes nothing and needs no consumer. On a replicated stream it may answer from a replica that lags: what it gives is
// a prefix, never a gap. more tells whether the server has more to give.
func ReadBatch(ctx context.Context, nc *nats.Conn, stream, filter string, from uint64, batch int, f func(Stored) error) (more bool, err error) {
	left, err := readBatch(ctx, nc, stream, filter, from, batch, f)
	return left > 0, err
}

// Pending is the number of messages on the subjects that filter matches, from sequence from on. It costs reading one.
func Pending(ctx context.Context, nc *nats.Conn, stream, filter string, from uint64) (uint64, error) {
	first := uint64(0)
	left, err := readBatch(ctx, nc, stream, filter, from, 1, func(Stored) error { first = 1; return nil })
	return first + left, err
}

func readBatch(ctx context.Context, nc *nats.Conn, stream, filter string, from uint64, batch int, f func(Stored) error) (left uint64, err error) {
	body, err := json.Marshal(map[string]any{"seq": max(1, from), "next_by_subj": filter, "batch": batch, "max_bytes": 8 << 20})
	if err != nil {
		return 0, err
	}
	inbox := nats.NewInbox()
	in := make(chan *nats.Msg, batch+1) // all that can come; a subscription's own queue would take 512 KiB for each read
	sub, err := nc.ChanSubscribe(inbox, in)
	if err != nil {
		return 0, fmt.Errorf("read %s: %w", stream, err)
	}
	defer func() { _ = sub.Unsubscribe() }()
	if err := nc.PublishRequest("$JS.API.DIRECT.GET."+stream, inbox, body); err != nil {
		return 0, fmt.Errorf("read %s: %w", stream, err)
	}
	patience := newPatience(nc)
	defer patience.Stop()
	for {
		m, err := patience.next(ctx, in)
		if err != nil {
			return 0, fmt.Errorf("read %s: %w", stream, err)
		}
		switch m.Header.Get("Status") {
		case "204": // end of the batch
			left, _ = strconv.ParseUint(m.Header.Get("Nats-Num-Pending"), 10, 64)
			return left, nil
		case "404": // nothing there
			return 0, nil
		case "503":
			return 0, fmt.Errorf("read %s: %w", stream, ErrNoStream)
		case "":
		default:
			return 0, fmt.Errorf("read %s: %s %s", stream, m.Header.Get("Status"), m.Header.Get("Description"))
		}
		s, err := storedOf(m)
		if err != nil {
			return 0, fmt.Errorf("read %s: %w", stream, err)
		}
		if err := f(s); err != nil {
			return 0, err
		}
	}
}

// replicaPause is the time between looks at a replica that lags; it is behind by milliseconds, unless it has just come back.
const replicaPause = 50 * time.Millisecond

// ReadAll is ReadBatch until the end; f gets every message that was there at the start. What that is the leader of the stream
// says: a replica that lags gives a prefix, and is asked again until it has caught up. ErrUnknown where it does not in time.
func ReadAll(ctx context.Context, nc *nats.Conn, stream, filter string, from uint64, f func(Stored) error) error {
	came := time.Now() // when a message last did
	all := filter
	if all == ">" {
		all = "*.>" // for ">" the server looks at the last sequence alone, which may have been removed; every subject has two words
	}
	for {
		last, err := Last(ctx, nc, stream, all)
		switch {
		case errors.Is(err, ErrNotFound) || err == nil && last.Seq < from:
			return nil // nothing was there, or what is missing was removed meanwhile
		case err == nil:
			begun := from
			if from, err = readOn(ctx, nc, stream, filter, from, f); err != nil || from > last.Seq {
				return err
			}
			if from > begun {
				came = time.Now()
			}
		case !leaderless(err):
			return err
		}
		if time.Since(came) > readPatience {
			return fmt.Errorf("read %s: what was asked for does not come: %w", stream, ErrUnknown)
		}
		select {
		case <-time.After(replicaPause):
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// readOn reads as much as a replica has, and gives the sequence after the last of it.
func readOn(ctx context.Context, nc *nats.Conn, stream, filter string, from uint64, f func(Stored) error) (next uint64, err error) {
	for {
		next = from
		more, err := ReadBatch(ctx, nc, stream, filter, from, 1000, func(s Stored) error {
			next = s.Seq + 1
			return f(s)
		})
		if err != nil || !more || next == from {
			return next, err
		}
		from = next
	}
}

// leaderless tells whether a read was refused because the servers are about to choose a leader, which takes seconds.
func leaderless(err error) bool {
	var refused *ServerError
	return errors.As(err, &refused) && refused.Code == codeUnavailable
}

// Last reads the last message on a subject from the leader of the stream, so it is never stale. ErrNotFound where there is none.
func Last(ctx context.Context, nc *nats.Conn, stream, subject string) (Stored, error) {
	return get(ctx, nc, stream, subject, map[string]any{"last_by_subj": subject})
}

// At reads the message at a sequence from the leader of the stream. ErrNotFound where there is none.
func At(ctx context.Context, nc *nats.Conn, stream string, seq uint64) (Stored, error) {
	return get(ctx, nc, stream, fmt.Sprintf("message %d of %s", seq, stream), map[string]any{"seq": seq})
}

func get(ctx context.Context, nc *nats.Conn, stream, what string, which map[string]any) (Stored, error) {
	body, err := json.Marshal(which)
	if err != nil {
		return Stored{}, err
	}
	wait, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	m, err := nc.RequestWithContext(wait, "$JS.API.STREAM.MSG.GET."+stream, body)
	if err != nil {
		if ctx.Err() != nil {
			return Stored{}, ctx.Err()
		}
		return Stored{}, fmt.Errorf("read %s: %w", what, ErrUnknown)
	}
	var answer struct {
		Message *struct {
			Subject string    `json:"subject"`
			Seq     uint64    `json:"seq"`
			Header  []byte    `json:"hdrs"`
			Data    []byte    `json:"data"`
			Time    time.Time `json:"time"`
		} `json:"message"`
		Error *ServerError `json:"error"`
	}
	if err := json.Unmarshal(m.Data, &answer); err != nil {
		return Stored{}, fmt.Errorf("read %s: %w", what, err)
	}
	if answer.Error != nil {
		if answer.Error.Code == 10037 { // no message found
			return Stored{}, ErrNotFound
		}
		return Stored{}, fmt.Errorf("read %s: %w", what, answer.Error)
	}
	if answer.Message == nil {
		return Stored{}, ErrNotFound
	}
	s := Stored{Seq: answer.Message.Seq, Subject: answer.Message.Subject, Time: answer.Message.Time, Data: answer.Message.Data}
	if len(answer.Message.Header) > 0 {
		if s.Header, err = nats.DecodeHeadersMsg(answer.Message.Header); err != nil {
			return Stored{}, fmt.Errorf("read %s: %w", what, err)
		}
	}
	return s, nil
}

// LastRecord reads the record of a bundle from the leader of its stream.
func LastRecord(ctx context.Context, nc *nats.Conn, p int, run, bundle string) (Stored, error) {
	return Last(ctx, nc, StreamName(p), RecordSubject(p, run, bundle))
}

// Purge removes every message on the subjects that filter matches. Only what cannot run any more may be purged.
func Purge(ctx context.Context, js jetstream.JetStream, stream, filter string) error {
	s, err := js.Stream(ctx, stream)
	if err != nil {
		return fmt.Errorf("purge %s: %w", filter, err)
	}
	if err := s.Purge(ctx, jetstream.WithPurgeSubject(filter)); err != nil {
		return fmt.Errorf("purge %s: %w", filter, err)
	}
	return nil
}
