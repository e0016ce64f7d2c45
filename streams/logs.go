package streams

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/exospherehost/orbit"
)

const (
	// logsAge is how long log records are kept.
	logsAge = 7 * 24 * time.Hour
	// logsDuplicates is the window in which a batch that is sent again is stored once: longer than a publisher goes on trying.
	logsDuplicates = 2 * time.Minute
)

// logsBytes is how much of the log is kept: some ten million records. The server sets that much room aside; one that does
// not have it gets the next, a smaller log.
var logsBytes = []int64{2 << 30, 256 << 20, 16 << 20}

// noRoom are the server's answers where a stream's limit is more than it, or any server of its cluster, has room for.
var noRoom = []jetstream.ErrorCode{10005, 10023, 10047}

// ensureLogs creates the stream of log records. The oldest give way to new ones, so that it never takes the room of work
// and records, and writing to it never fails for want of room.
func (t *Topology) ensureLogs(ctx context.Context) (err error) {
	for _, size := range logsBytes {
		err = t.stream(ctx, jetstream.StreamConfig{Name: LogsStream, Retention: jetstream.LimitsPolicy,
			Description: "Exosphere Orbit: what was said about items while they ran", Subjects: []string{"orbit.logs.>"},
			Storage: jetstream.FileStorage, Replicas: t.Replicas, Discard: jetstream.DiscardOld, MaxAge: logsAge, MaxBytes: size,
			Duplicates: logsDuplicates, AllowDirect: true})
		var api *jetstream.APIError
		if !errors.As(err, &api) || !slices.Contains(noRoom, api.ErrorCode) {
			return err
		}
	}
	return err
}

// LogMessage puts a batch of log records into the run's log. Its Nats-Msg-Id names this very batch: part tells the batches
// of one execution apart.
func LogMessage(p, part int, b *orbit.LogBatch) (*nats.Msg, error) {
	data, err := b.Encode()
	if err != nil {
		return nil, err
	}
	return &nats.Msg{Subject: LogsSubject(p, b.Run), Data: data, Header: nats.Header{
		nats.MsgIdHdr: {b.Bundle + "~" + b.Node + "~" + strconv.FormatInt(b.Since.UnixNano(), 36) + "~" + strconv.Itoa(part)},
		HeaderRun:     {b.Run},
		HeaderStep:    {b.Satellite},
	}}, nil
}

// logReadBatch is the number of messages of the log that are read at once: of full ones 8 MiB.
const logReadBatch = 64

// ReadLog calls f for the messages in the log of a run after one sequence, up to another, in stream order; to 0: up to what is
// the last now, by the word of the stream's leader. A replica that lags is waited for. What gave way to newer records is
// left out. ErrNoStream where there is no log.
func ReadLog(ctx context.Context, nc *nats.Conn, p int, run string, after, to uint64, f func(Stored) error) error {
	subject := LogsSubject(p, run)
	if to == 0 {
		last, err := Last(ctx, nc, LogsStream, subject)
		var refused *ServerError
		switch {
		case errors.Is(err, ErrNotFound):
			return nil
		case errors.As(err, &refused) && refused.Code == codeNoStream:
			return ErrNoStream
		case err != nil:
			return err
		}
		to = last.Seq
	}
	for began := time.Now(); after < to; {
		before := after
		_, err := ReadBatch(ctx, nc, LogsStream, subject, after+1, logReadBatch, func(m Stored) error {
			if m.Seq > to {
				after = to
				return errRead
			}
			after = m.Seq
			return f(m)
		})
		if err != nil && !errors.Is(err, errRead) {
			return err
		}
		if after > before {
			began = time.Now()
			continue
		}
		if _, err := At(ctx, nc, LogsStream, to); errors.Is(err, ErrNotFound) {
			return nil // all of it gave way
		} else if err != nil {
			return err
		}
		if time.Since(began) > readPatience {
			return fmt.Errorf("read the log of run %s: what was asked for does not come: %w", run, ErrUnknown)
		}
		select {
		case <-time.After(replicaPause):
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return nil
}

// errRead ends a read that has what it wanted.
var errRead = errors.New("enough")
