package orbittest

import (
	"context"

	"github.com/nats-io/nats.go"

	"github.com/exospherehost/orbit/cluster"
	"github.com/exospherehost/orbit/kv"
	"github.com/exospherehost/orbit/streams"
)

// Store is everything that lies on the servers of a mesh outside a bubble: real processes are held against the same
// promises by the same checks.
type Store struct{ all *stored }

// ReadStore reads every stream from end to end, and proves that it did: it has as many messages as the stream says it has.
// The mesh must be at rest; its error says so where it is not, or where a replica that lags has answered.
func ReadStore(ctx context.Context, nc *nats.Conn) (*Store, error) {
	all, err := read(ctx, nc)
	if err != nil {
		return nil, err
	}
	return &Store{all}, nil
}

// NewStore takes messages, by stream, that were read before.
func NewStore(messages map[string][]streams.Stored, blobs cluster.Blobs) (*Store, error) {
	all, err := newStored(messages, nil, blobs)
	if err != nil {
		return nil, err
	}
	return &Store{all}, nil
}

// Violations holds everything stored against what a run promises. accepted are the runs that there must be, and no others.
func (s *Store) Violations(accepted []string) []string {
	return append(s.all.violations(accepted), s.all.secrets()...)
}

// Runs are the documents of all runs, by id.
func (s *Store) Runs() map[string]*kv.Run { return s.all.runs }

// Plan is a stored plan; nil where there is none.
func (s *Store) Plan(hash string) *cluster.Plan { return s.all.plans[hash] }

// Blob reads a blob.
func (s *Store) Blob(name string) ([]byte, error) { return s.all.blobs(name) }

// Records are the records of all runs, in stream order.
func (s *Store) Records() []streams.Stored { return s.all.under("orbit.record.") }

// Recorded gives the sequence of each bundle's record.
func (s *Store) Recorded() map[string]uint64 { return s.all.recorded() }

// Messages is the number of messages in all streams.
func (s *Store) Messages() (n int) {
	for _, msgs := range s.all.streams {
		n += len(msgs)
	}
	return n
}

// ShowsSecret tells whether a secret can be read in data, as it is or encoded.
func ShowsSecret(data []byte) bool { return showsSecret(data) }
