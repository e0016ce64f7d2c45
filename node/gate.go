package node

import "context"

// gate lets bundles run beside one another, or one alone. Every bundle takes a pass; one that must be alone takes all of
// them, so it waits until nothing else runs, and nothing else begins until it is done.
type gate struct {
	passes chan struct{} // one for each slot
	alone  chan struct{} // held by the one that collects all passes, so that two never share them out
}

func newGate(slots int) *gate {
	return &gate{passes: make(chan struct{}, slots), alone: make(chan struct{}, 1)}
}

// enter waits for a pass, or for all of them, and gives the function that returns them. It fails only when ctx ends.
func (g *gate) enter(ctx context.Context, alone bool) (leave func(), err error) {
	want := 1
	if alone {
		select {
		case g.alone <- struct{}{}:
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		}
		want = cap(g.passes)
	}
	took := 0
	leave = func() {
		for range took {
			<-g.passes
		}
		if alone {
			<-g.alone
		}
	}
	for ; took < want; took++ {
		select {
		case g.passes <- struct{}{}:
			continue
		default: // only who must wait asks ctx for its channel, which is made when first asked for
		}
		select {
		case g.passes <- struct{}{}:
		case <-ctx.Done():
			leave()
			return nil, context.Cause(ctx)
		}
	}
	return leave, nil
}
