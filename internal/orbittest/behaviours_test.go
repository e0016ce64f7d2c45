package orbittest_test

import (
	"context"

	"github.com/exospherehost/orbit/internal/orbittest"
)

type ctx = context.Context

// emit returns the given objects.
func emit(objects ...map[string]any) orbittest.Behaviour {
	return func(_ context.Context, x *orbittest.Execution) error {
		for _, o := range objects {
			if err := x.Emit(o); err != nil {
				return err
			}
		}
		return nil
	}
}

// onExecution does one thing at the n-th execution of an item, from 1, and then does the last for ever.
func onExecution(all ...orbittest.Behaviour) orbittest.Behaviour {
	return func(ctx context.Context, x *orbittest.Execution) error {
		return all[min(x.Count, len(all))-1](ctx, x)
	}
}
