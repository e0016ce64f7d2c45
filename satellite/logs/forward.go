package logs

import (
	"context"

	"github.com/exospherehost/orbit"
	"github.com/exospherehost/orbit/satellite"
	"github.com/exospherehost/orbit/satellite/internal/service"
)

// Forwarder sends records to the services. It keeps connections open between batches; Close gives them up.
type Forwarder struct {
	client    *service.Client
	endpoints map[string]string
}

// New makes a Forwarder. endpoints may hold, by the name of a provider, the URL that stands in for the service's own.
func New(endpoints map[string]string) *Forwarder {
	return &Forwarder{client: service.NewClient(), endpoints: endpoints}
}

// Satellites gives forward-logs and its preset.
func (f *Forwarder) Satellites() []satellite.Satellite {
	var all []satellite.Satellite
	for _, spec := range Specs() {
		all = append(all, &forward{spec, f})
	}
	return all
}

// Close closes the connections that wait to be used again. The satellites stay usable.
func (f *Forwarder) Close() { f.client.Close() }

// forward is one of the satellites.
type forward struct {
	spec *satellite.Spec
	*Forwarder
}

// Spec describes it.
func (f *forward) Spec() *satellite.Spec { return f.spec }

// Run sends one batch and emits how many records the service took.
func (f *forward) Run(ctx context.Context, inv *satellite.Invocation, emit satellite.Emit) error {
	least := orbit.LogInfo
	if level := orbit.LogLevel(text(inv.Config["log-level"])); level.Valid() {
		least = level
	}
	records, err := readRecords(inv, least)
	if err != nil {
		return err
	}
	t := f.target(inv)
	p, err := t.provider()
	if err != nil {
		return err
	}
	var done outcome
	if len(records) > 0 {
		if done, err = deliver(ctx, p, records); err != nil {
			return err
		}
	}
	answer := map[string]any{"sent": done.sent}
	if done.refused > 0 {
		answer["refused"] = done.refused
		inv.Log.Warn().Int("records", done.refused).Str("provider", t.name).Msg("the service left out records of the log: they are too old, too large or not in a form that it takes")
	}
	o, err := orbit.NewObject(answer)
	if err != nil {
		return err
	}
	return emit(o)
}
