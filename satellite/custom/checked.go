package custom

import (
	"context"

	"github.com/exospherehost/orbit"
	"github.com/exospherehost/orbit/satellite"
	"github.com/exospherehost/orbit/satellite/schema"
)

// outside is a satellite outside this process.
type outside interface {
	satellite.Satellite
	Close() error
}

// checked hands only what fits the schemas to a satellite outside this process: its author wrote them, and need not write the
// same checks again. A node checks config and input of a step, and no incoming object that stands in for the input.
type checked struct {
	outside
	config, input *schema.Schema
}

func newChecked(s outside) (satellite.Satellite, error) {
	config, err := schema.Compile(s.Spec().Config)
	if err != nil {
		return nil, err
	}
	input, err := schema.Compile(s.Spec().Input)
	if err != nil {
		return nil, err
	}
	return &checked{s, config, input}, nil
}

// Run refuses an item that does not fit, and hands on any other.
func (c *checked) Run(ctx context.Context, inv *satellite.Invocation, emit satellite.Emit) error {
	config := inv.Config
	if config == nil {
		config = map[string]any{}
	}
	if bad := c.config.Check(config); len(bad) > 0 {
		return orbit.Permanent(orbit.CodeInvalidConfig, "%s: the config does not fit %s: %s", inv.Item(), c.Spec().Name, bad[0])
	}
	if bad := c.input.Check(inv.Input); len(bad) > 0 {
		return orbit.Permanent(orbit.CodeInvalidInput, "%s: the input does not fit %s: %s", inv.Item(), c.Spec().Name, bad[0])
	}
	return c.outside.Run(ctx, inv, emit)
}
