package alert

import (
	"bytes"
	"context"
	"encoding/json"
	"net/http"

	"github.com/exospherehost/orbit"
	"github.com/exospherehost/orbit/satellite"
	"github.com/exospherehost/orbit/satellite/internal/service"
)

// Sender sends alerts to the services. It keeps connections open between items; Close gives them up.
type Sender struct {
	client    *service.Client
	endpoints map[string]string
}

// New makes a Sender. endpoints may hold, by the name of a provider, the URL that stands in for the service's own.
func New(endpoints map[string]string) *Sender {
	return &Sender{client: service.NewClient(), endpoints: endpoints}
}

// Satellites gives send-alert and its preset.
func (s *Sender) Satellites() []satellite.Satellite {
	var all []satellite.Satellite
	for _, spec := range Specs() {
		all = append(all, &send{spec, s})
	}
	return all
}

// Close closes the connections that wait to be used again. The satellites stay usable.
func (s *Sender) Close() { s.client.Close() }

// send is one of the satellites.
type send struct {
	spec *satellite.Spec
	*Sender
}

// Spec describes it.
func (s *send) Spec() *satellite.Spec { return s.spec }

// alert is what is to be told.
type alert struct {
	message  string
	severity string
	details  string // as JSON, or text as it is; "" where there are none
	raw      any    // the details as they came
	key      string // the same for every attempt
	run      string
	step     string
	item     string
}

// Run sends one alert and emits what the service said.
func (s *send) Run(ctx context.Context, inv *satellite.Invocation, emit satellite.Emit) error {
	a, err := readAlert(inv)
	if err != nil {
		return err
	}
	var answer map[string]any
	switch provider, _ := inv.Config["provider"].(string); provider {
	case "", "pagerduty": // only the preset's config may leave it out
		answer, err = s.pagerDuty(inv.Config).send(ctx, a)
	case "slack":
		answer, err = s.slack(ctx, inv.Config, a)
	case "discord":
		answer, err = s.discord(ctx, inv.Config, a)
	default:
		err = orbit.Permanent(orbit.CodeInvalidConfig, "provider %q is none of pagerduty, slack, discord", provider)
	}
	if err != nil {
		return err
	}
	o, err := orbit.NewObject(answer)
	if err != nil {
		return err
	}
	return emit(o)
}

func readAlert(inv *satellite.Invocation) (*alert, error) {
	input, _ := inv.Input.(map[string]any)
	a := &alert{severity: "error", raw: input["details"], key: inv.IdempotencyKey(), run: inv.Run, step: inv.Step, item: inv.Item()}
	a.message, _ = input["message"].(string)
	if a.message == "" {
		return nil, orbit.Permanent(orbit.CodeInvalidInput, "there is no message in the input; say in `message` what is wrong")
	}
	if severity, _ := input["severity"].(string); severity != "" {
		a.severity = severity
	}
	switch d := a.raw.(type) {
	case nil:
	case string:
		a.details = d
	default:
		a.details = string(encode(d, "  "))
	}
	return a, nil
}

// encode writes a JSON-like value; the values that satellites get always encode.
func encode(v any, indent string) []byte {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", indent)
	if err := enc.Encode(v); err != nil {
		return []byte("null")
	}
	return bytes.TrimSuffix(b.Bytes(), []byte("\n"))
}

// asJSON are the headers of a request with a JSON body.
func asJSON() http.Header { return http.Header{"Content-Type": {"application/json"}} }
