package node

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/exospherehost/orbit"
	"github.com/exospherehost/orbit/cluster"
	"github.com/exospherehost/orbit/streams"
)

// permitPatience is how long a bundle keeps its slot to wait for its rate; past it the bundle is handed back meanwhile.
const permitPatience = 5 * time.Second

// slowDown says that a bundle is to be tried again later, because of the rate-limit of its step.
type slowDown struct{ wait time.Duration }

func (s *slowDown) Error() string {
	return fmt.Sprintf("its rate-limit lets it begin in %s", s.wait.Round(time.Millisecond))
}

// permit waits until the attempts of a bundle's items may begin: one item, where the step has a limit on its rate. Without a
// leader none may.
func (n *Node) permit(ctx context.Context, b *orbit.Bundle, p *plan) error {
	s, ok := p.Step(b.Step)
	if !ok || s.RateLimit == nil {
		return nil
	}
	for range b.Items {
		if err := n.permitOne(ctx, b, s); err != nil {
			return err
		}
	}
	return nil
}

func (n *Node) permitOne(ctx context.Context, b *orbit.Bundle, s *cluster.Step) error {
	for waited := time.Duration(0); ; {
		ask, cancel := context.WithTimeout(ctx, streams.PermitPatience)
		m, err := n.opts.Conn.RequestWithContext(ask, streams.PermitSubject(streams.Partition(b.Run, n.partitions())), streams.PermitRequest{Run: b.Run, Step: s.Identifier}.Encode())
		cancel()
		p := streams.Permit{Wait: time.Second}
		if err == nil {
			if p, err = streams.DecodePermit(m.Data); err != nil {
				return err
			}
		} else if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		if !p.Granted && waited+p.Wait > permitPatience {
			return &slowDown{p.Wait}
		}
		select {
		case <-time.After(p.Wait):
		case <-ctx.Done():
			return context.Cause(ctx)
		}
		if waited += p.Wait; p.Granted {
			return nil
		}
	}
}

// backIn is how long a bundle that was not run is kept from its queue.
func backIn(err error) time.Duration {
	if slow := (*slowDown)(nil); errors.As(err, &slow) {
		return min(max(slow.wait, soon), time.Minute) // no longer: the leader may know better by then
	}
	return soon
}
