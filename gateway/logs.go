package gateway

import (
	"context"
	"errors"
	"fmt"
	"hash/maphash"
	"net/http"

	"github.com/exospherehost/orbit"
	"github.com/exospherehost/orbit/streams"
)

// logReadBatch is the number of messages of the log that are read at once: of full ones 8 MiB, of which a page takes few.
const logReadBatch = 64

// logReader reads the log of one run, from a place on. It drops repeats: what a bundle said before its node died is said
// again by whoever runs it next.
type logReader struct {
	g         *Gateway
	run       string
	satellite string         // "": all
	least     orbit.LogLevel // "": all

	from  logPlace // of the next record
	seen  *recent  // keys of records
	whole bool     // seen knows what comes before the place where the reader began
}

// logPlace is a record's place in the log: the message and the record in it. Its text is the cursor of the API.
type logPlace struct {
	seq uint64
	n   int
}

// String gives the cursor.
func (p logPlace) String() string { return fmt.Sprintf("%d.%d", p.seq, p.n) }

func (g *Gateway) newLogReader(run, cursor, satellite string, least orbit.LogLevel) (*logReader, error) {
	l := &logReader{g: g, run: run, satellite: satellite, least: least, from: logPlace{seq: 1}, seen: &recent{}}
	if cursor == "" {
		l.whole = true
		return l, nil
	}
	if _, err := fmt.Sscanf(cursor, "%d.%d", &l.from.seq, &l.from.n); err != nil || l.from.n < 0 {
		return nil, badRequest("cursor=%s is none that this list gave", cursor)
	}
	return l, nil
}

// read implements timeline.
func (l *logReader) read(ctx context.Context, f func(orbit.LogRecord, fmt.Stringer) error) error {
	for {
		before := l.from
		more, err := streams.ReadBatch(ctx, l.g.opts.Conn, streams.LogsStream, l.subject(), l.from.seq, logReadBatch, func(m streams.Stored) error {
			return l.message(ctx, m, f)
		})
		if errors.Is(err, streams.ErrNoStream) {
			return errNoLog()
		}
		if err != nil || !more || l.from == before {
			return err
		}
	}
}

func (l *logReader) subject() string {
	return streams.LogsSubject(streams.Partition(l.run, l.g.topology.Partitions), l.run)
}

// message gives f the records of one message.
func (l *logReader) message(ctx context.Context, m streams.Stored, f func(orbit.LogRecord, fmt.Stringer) error) error {
	at := logPlace{seq: m.Seq}
	if m.Seq == l.from.seq {
		at.n = l.from.n
	}
	b, err := orbit.DecodeLogBatch(m.Data)
	if err != nil || b.Run != l.run { // only a foreign writer makes such a thing
		l.from = logPlace{seq: m.Seq + 1}
		return nil
	}
	if !l.whole && (b.Delivery > 1 || m.Time.Sub(b.Since) > streams.AckWait) { // someone else may have run it before
		if err := l.lookBack(ctx); err != nil {
			return err
		}
	}
	for ; at.n < len(b.Records); at.n++ {
		l.from = at
		r := b.Record(at.n)
		if l.seen.has(r.Key) {
			continue
		}
		if (l.satellite == "" || r.Satellite == l.satellite) && (l.least == "" || r.Level.AtLeast(l.least)) {
			if err := f(r, logPlace{at.seq, at.n + 1}); err != nil {
				return err
			}
		}
		l.seen.add(r.Key)
	}
	l.from = logPlace{seq: m.Seq + 1}
	return nil
}

// lookBack notes what was said before the place where the reader began. It is rare: only where a bundle may have been run
// twice.
func (l *logReader) lookBack(ctx context.Context) error {
	before := &logReader{g: l.g, run: l.run, from: logPlace{seq: 1}, seen: l.seen, whole: true}
	err := before.read(ctx, func(orbit.LogRecord, fmt.Stringer) error {
		if at := before.from; at.seq > l.from.seq || at.seq == l.from.seq && at.n >= l.from.n {
			return errPageFull
		}
		return nil
	})
	if err == nil || errors.Is(err, errPageFull) {
		l.whole = true
		return nil
	}
	return err
}

// ends implements timeline.
func (l *logReader) ends(ctx context.Context) (bool, error) {
	last, err := streams.Last(ctx, l.g.opts.Conn, streams.LogsStream, l.subject())
	if errors.Is(err, streams.ErrNotFound) {
		return true, nil
	}
	var refused *streams.ServerError
	if errors.As(err, &refused) { // it refuses this for one reason
		return false, errNoLog()
	}
	return last.Seq < l.from.seq, err
}

func errNoLog() error {
	return problem(http.StatusServiceUnavailable, "the stream %s is not there, so no log can be read; a gateway makes it when it starts", streams.LogsStream)
}

// recentKeys bounds what a reader remembers, to some 20 MiB: repeats come within minutes of what they repeat.
const recentKeys = 1 << 20

// recent remembers keys that were seen lately.
type recent struct{ young, old map[uint64]struct{} }

var keySeed = maphash.MakeSeed()

func (r *recent) has(key string) bool {
	h := maphash.String(keySeed, key)
	_, young := r.young[h]
	_, old := r.old[h]
	return young || old
}

func (r *recent) add(key string) {
	if r.young == nil || len(r.young) >= recentKeys/2 {
		r.young, r.old = map[uint64]struct{}{}, r.young
	}
	r.young[maphash.String(keySeed, key)] = struct{}{}
}
