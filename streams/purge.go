package streams

import (
	"context"
	"fmt"
	"strconv"

	"github.com/nats-io/nats.go/jetstream"
)

// OfRun lists every filter under which a run may have something, records apart: work, parked, dead and start marks, and
// what waits for its time.
func OfRun(p int, run string) []Filter {
	part := strconv.Itoa(p)
	return []Filter{
		{StreamName(p), "orbit.work.*.*.*." + part + "." + run},
		{StreamName(p), "orbit.parked." + part + "." + run},
		{StreamName(p), "orbit.dead." + part + "." + run + ".>"},
		{LaterStream, "orbit.later." + part + "." + run + ".>"},
		{LaterStream, "orbit.due." + part + "." + run + ".>"},
	}
}

// Filter is some subjects of one stream.
type Filter struct{ Stream, Subject string }

// LastSequence is the sequence of what was stored last in a stream.
func LastSequence(ctx context.Context, js jetstream.JetStream, stream string) (uint64, error) {
	s, err := js.Stream(ctx, stream)
	if err != nil {
		return 0, fmt.Errorf("open the stream %s: %w", stream, err)
	}
	return s.CachedInfo().State.LastSeq, nil
}

// PurgeThrough removes every message that a filter matches, up to and with a sequence. Only what cannot run any more may
// be purged, and what came after the sequence is not known to be that.
func PurgeThrough(ctx context.Context, js jetstream.JetStream, f Filter, through uint64) error {
	s, err := js.Stream(ctx, f.Stream)
	if err == nil {
		err = s.Purge(ctx, jetstream.WithPurgeSubject(f.Subject), jetstream.WithPurgeSequence(through+1))
	}
	if err != nil {
		return fmt.Errorf("purge %s: %w", f.Subject, err)
	}
	return nil
}
