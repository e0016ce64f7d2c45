package alert

import (
	"context"
	"net/http"
	"strings"

	"github.com/exospherehost/orbit"
	"github.com/exospherehost/orbit/satellite/internal/service"
)

// pagerDuty raises incidents at PagerDuty. Which of its two APIs depends on the key:
//
//	routing-key, or a pagerduty-api-key of 32 letters and digits ──► Events API v2: an integration's key, which knows its service
//	any other pagerduty-api-key, with pagerduty-service-id       ──► REST API: an incident on that service
type pagerDuty struct {
	client      *service.Client
	events, api string // base addresses
	routing     string // key of an integration; "" where token is given
	token       string // key of the REST API
	service     string
	from        string
}

func (s *Sender) pagerDuty(config map[string]any) *pagerDuty {
	field := func(name string) string {
		v, _ := config[name].(string)
		return strings.TrimSpace(v)
	}
	p := &pagerDuty{client: s.client, routing: field("routing-key"), service: field("pagerduty-service-id"), from: field("from")}
	if key := field("pagerduty-api-key"); p.routing == "" && isRoutingKey(key) {
		p.routing = key
	} else {
		p.token = key
	}
	p.events, p.api = "https://events.pagerduty.com", "https://api.pagerduty.com"
	if field("region") == "eu" {
		p.events, p.api = "https://events.eu.pagerduty.com", "https://api.eu.pagerduty.com"
	}
	if base := s.endpoints["pagerduty"]; base != "" {
		p.events, p.api = base, base
	}
	return p
}

// isRoutingKey tells the key of an integration, which has 32 letters and digits, from one of the REST API, which has 20 signs.
func isRoutingKey(key string) bool {
	return len(key) == 32 && !strings.ContainsFunc(key, func(r rune) bool {
		return (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (r < '0' || r > '9')
	})
}

// send raises the incident. Every attempt of an item raises the same.
func (p *pagerDuty) send(ctx context.Context, a *alert) (map[string]any, error) {
	switch {
	case p.routing != "":
		return p.event(ctx, a, "check routing-key, or the integration's key in pagerduty-api-key")
	case p.token == "":
		return nil, orbit.Permanent(orbit.CodeInvalidConfig, "there is neither a pagerduty-api-key nor a routing-key; give one of them")
	case p.service == "":
		return nil, orbit.Permanent(orbit.CodeInvalidConfig, "pagerduty-api-key is a key of the REST API, which needs pagerduty-service-id; give that, or an integration's routing-key")
	}
	return p.incident(ctx, a)
}

const (
	maxSummary = 1024    // characters
	maxDetails = 400_000 // bytes, of an event that has at most 512 KB
)

// event sends an event: https://developer.pagerduty.com/docs/events-api-v2/trigger-events/
func (p *pagerDuty) event(ctx context.Context, a *alert, advice string) (map[string]any, error) {
	custom := map[string]any{"run": a.run, "item": a.item}
	switch {
	case len(a.details) > maxDetails:
		custom["details"] = service.Cut(a.details, maxDetails)
	case a.raw != nil:
		custom["details"] = a.raw
	}
	message := strings.TrimSpace(a.message)
	summary := service.CutRunes(message, maxSummary)
	if summary != message {
		custom["message"] = service.Cut(message, 100_000)
	}
	body := map[string]any{
		"routing_key": p.routing, "event_action": "trigger", "dedup_key": a.key, "client": "Exosphere Orbit",
		"payload": map[string]any{"summary": summary, "source": "orbit run " + a.run, "severity": a.severity, "component": a.step, "custom_details": custom},
	}
	call := &service.Call{Method: http.MethodPost, URL: service.At(p.events, "/v2/enqueue"), Header: asJSON(), Body: encode(body, ""), Denied: advice, Secrets: []string{p.routing, p.token}}
	answer, err := p.client.Do(ctx, call)
	if err != nil {
		return nil, err
	}
	if answer.Status == http.StatusBadRequest && strings.Contains(string(answer.Body), "routing_key") { // so it says that it does not know the key
		return nil, orbit.Permanent(orbit.CodeDenied, "%s; %s", answer.Refused(), advice)
	}
	if err := answer.Refused(); err != nil {
		return nil, err
	}
	var said struct {
		Status string `json:"status"`
	}
	answer.JSON(&said)
	return outcome(said.Status, "success", a), nil
}

// outcome is what the satellite returns.
func outcome(status, otherwise string, a *alert) map[string]any {
	if status == "" {
		status = otherwise
	}
	return map[string]any{"status": status, "dedup-key": a.key}
}
