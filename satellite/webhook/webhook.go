// Package webhook is the satellite exospherehost/call-webhook: one HTTP request for each item, its answer as the one
// object returned.
//
//	config, input ──newRequest──► *http.Request ──exchange──► answer ──► {status, headers, body}
//
// It owns the request, the reading of the answer and the judgement whose fault a failure is. It refuses to retry: the
// error says whether another attempt may help, and the caller makes it.
package webhook

import (
	"context"
	"time"

	"github.com/exospherehost/orbit"
	"github.com/exospherehost/orbit/satellite"
	"github.com/exospherehost/orbit/satellite/internal/service"
)

// defaultTimeout bounds an exchange whose config names no timeout.
const defaultTimeout = 30 * time.Second

// Webhook is the satellite. It keeps connections open between items; Close gives them up.
type Webhook struct {
	spec    *satellite.Spec
	clients *clients
}

// New makes the satellite.
func New() *Webhook { return &Webhook{spec: newSpec(), clients: newClients()} }

// Spec describes call-webhook.
func (w *Webhook) Spec() *satellite.Spec { return w.spec }

// Run sends the request of one item and emits the answer.
func (w *Webhook) Run(ctx context.Context, inv *satellite.Invocation, emit satellite.Emit) error {
	limit, err := timeout(inv.Config)
	if err != nil {
		return err
	}
	exchange, cancel := context.WithTimeout(ctx, limit)
	defer cancel()

	req, err := newRequest(exchange, inv)
	if err != nil {
		return err
	}
	resp, err := w.clients.pick(inv.Config).Do(req)
	if err != nil {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		return fault(req, limit, err)
	}
	defer resp.Body.Close()

	answer, err := readAnswer(resp)
	if err != nil {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		return fault(req, limit, err)
	}
	if answer.status < 200 || answer.status > 299 {
		return refusal(resp, answer)
	}
	object, err := orbit.NewObject(answer.value())
	if err != nil {
		return orbit.Permanent(orbit.CodeRejected, "%s answered with a body that is no usable JSON: %v", service.Name(req), err)
	}
	return emit(object)
}

// Close closes the connections that wait to be used again. The satellite stays usable.
func (w *Webhook) Close() error {
	w.clients.close()
	return nil
}

func timeout(config map[string]any) (time.Duration, error) {
	limit := defaultTimeout
	switch v := config["timeout"].(type) {
	case nil:
	case string:
		d, err := time.ParseDuration(v)
		if err != nil {
			return 0, orbit.Permanent(orbit.CodeInvalidConfig, "timeout %q is no duration; write it like 30s", v)
		}
		limit = d
	case int:
		limit = time.Duration(v) * time.Second
	case float64:
		limit = time.Duration(v * float64(time.Second))
	default:
		return 0, orbit.Permanent(orbit.CodeInvalidConfig, "timeout must be a duration such as 30s")
	}
	if limit <= 0 {
		return 0, orbit.Permanent(orbit.CodeInvalidConfig, "timeout must be more than 0")
	}
	return limit, nil
}
