package streams

import (
	"context"
	"fmt"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/exospherehost/orbit"
)

// Fill is how full a place is that has a limit, in bytes. Limit 0: there is none.
type Fill struct {
	Place       string // as a person would call it
	Used, Limit int64
}

// Share is Used in parts of Limit; 0 where there is no limit.
func (f Fill) Share() float64 {
	if f.Limit <= 0 {
		return 0
	}
	return float64(f.Used) / float64(f.Limit)
}

// String says it as in "the stream ORBIT_0 is 87 % full (87.0 of 100.0 GiB)".
func (f Fill) String() string {
	return fmt.Sprintf("%s is %d %% full (%s of %s)", f.Place, int(100*f.Share()), orbit.Bytes(f.Used), orbit.Bytes(f.Limit))
}

// Fill looks how full the server is, and gives the place that is the fullest: all streams together beside limit (0: none), the
// account beside what the server grants it, a stream beside its own max_bytes. Without any limit Used tells all the same.
func (t *Topology) Fill(ctx context.Context, place string, limit int64) (Fill, error) {
	all := Fill{Place: place, Limit: limit}
	var parts []Fill
	list := t.js.ListStreams(ctx)
	for info := range list.Info() {
		used := int64(info.State.Bytes)
		all.Used += used
		if info.Config.Discard == jetstream.DiscardNew { // others throw away their oldest, and never refuse anything
			parts = append(parts, Fill{"the stream " + info.Config.Name, used, info.Config.MaxBytes})
		}
	}
	if err := list.Err(); err != nil {
		return all, fmt.Errorf("look how full the streams are: %w", err)
	}
	account, err := t.js.AccountInfo(ctx)
	if err != nil {
		return all, fmt.Errorf("look how full the account is: %w", err)
	}
	const name = "the account at the NATS server"
	parts = append(parts, Fill{name, int64(account.Store), account.Limits.MaxStore})
	for _, tier := range account.Tiers {
		parts = append(parts, Fill{name, int64(tier.Store), tier.Limits.MaxStore})
	}
	for _, f := range parts {
		if f.Share() > all.Share() {
			all = f
		}
	}
	return all, nil
}
