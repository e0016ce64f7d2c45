package gateway

import (
	"errors"
	"fmt"
	"testing"

	"github.com/nats-io/nats.go/jetstream"
)

func TestOnlyAnElectionIsWaitedFor(t *testing.T) {
	for _, c := range []struct {
		err  error
		want bool
	}{
		{fmt.Errorf("look for queues: %w", &jetstream.APIError{Code: 503, ErrorCode: 10008}), true},
		{&jetstream.APIError{Code: 503, ErrorCode: 10039}, false}, // JetStream is not enabled
		{errors.New("no"), false},
	} {
		if got := electing(c.err); got != c.want {
			t.Errorf("%v: %t", c.err, got)
		}
	}
}
