package orbittest

import (
	"context"
	"sync/atomic"

	"github.com/exospherehost/orbit/streams"
)

// Gauge is what gateways are told of the server's store, in percent, whatever is in it.
type Gauge struct{ percent atomic.Int64 }

// Fill sets how full it is.
func (s *Gauge) Fill(percent int64) { s.percent.Store(percent) }

func (s *Gauge) fill(context.Context) (streams.Fill, error) {
	f := streams.Fill{Place: "the store", Limit: 100}
	if s != nil {
		f.Used = s.percent.Load()
	}
	return f, nil
}
