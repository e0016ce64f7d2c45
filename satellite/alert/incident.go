package alert

import (
	"context"
	"net/http"
	"net/url"
	"strings"

	"github.com/exospherehost/orbit"
	"github.com/exospherehost/orbit/satellite/internal/service"
)

// incident makes one by the REST API: https://developer.pagerduty.com/api-reference/a7d81b0e9200f-create-an-incident
//
// The API wants to know, in the header From, in whose name it is made. A key that belongs to a user says so by itself;
// one of the account does not. Where the config names nobody, an account's key is used to look up the key of an
// integration of the service, and the incident is raised by that.
func (p *pagerDuty) incident(ctx context.Context, a *alert) (map[string]any, error) {
	urgency := "high"
	if a.severity == "warning" || a.severity == "info" {
		urgency = "low"
	}
	message := strings.TrimSpace(a.message)
	text := message + "\n\nseverity: " + a.severity + "\nrun: " + a.run + "\nitem: " + a.item
	if a.details != "" {
		text += "\n\n" + a.details
	}
	body := map[string]any{"incident": map[string]any{
		"type": "incident", "title": service.CutRunes(strings.ReplaceAll(message, "\n", " "), maxSummary), "urgency": urgency, "incident_key": a.key,
		"service": map[string]any{"id": p.service, "type": "service_reference"},
		"body":    map[string]any{"type": "incident_body", "details": service.Cut(text, maxDetails)},
	}}
	call := p.call(http.MethodPost, "/incidents")
	call.Header.Set("Content-Type", "application/json")
	if p.from != "" {
		call.Header.Set("From", p.from)
	}
	call.Body = encode(body, "")
	answer, err := p.client.Do(ctx, call)
	if err != nil {
		return nil, err
	}
	var said struct {
		Incident struct {
			Status string `json:"status"`
		} `json:"incident"`
	}
	switch refusal := answer.Refused(); {
	case refusal == nil:
		answer.JSON(&said)
		return outcome(said.Incident.Status, "triggered", a), nil
	case alreadyThere(answer): // an attempt before this one was not told of it
		return outcome("", "triggered", a), nil
	case p.from == "" && (answer.Status == http.StatusBadRequest || answer.Status == http.StatusNotFound):
		return p.byIntegration(ctx, a, refusal)
	default:
		return nil, refusal
	}
}

// alreadyThere tells whether the answer says that an open incident has this key.
func alreadyThere(answer *service.Answer) bool {
	return (answer.Status == http.StatusBadRequest || answer.Status == http.StatusConflict) && strings.Contains(string(answer.Body), "already exists")
}

// byIntegration raises the incident by the key of an integration of the service. refusal is what the API said before.
func (p *pagerDuty) byIntegration(ctx context.Context, a *alert, refusal error) (map[string]any, error) {
	answer, err := p.client.Do(ctx, p.call(http.MethodGet, "/services/"+url.PathEscape(p.service)+"?include%5B%5D=integrations"))
	if err != nil {
		return nil, err
	}
	if err := answer.Refused(); err != nil {
		return nil, err
	}
	var said struct {
		Service struct {
			Integrations []struct {
				Type string `json:"type"`
				Key  string `json:"integration_key"`
			} `json:"integrations"`
		} `json:"service"`
	}
	answer.JSON(&said)
	for _, i := range said.Service.Integrations {
		if i.Type == "events_api_v2_inbound_integration" && i.Key != "" {
			by := *p
			by.routing = i.Key
			return by.event(ctx, a, "the integration of the service has a key that the Events API does not know")
		}
	}
	return nil, orbit.Permanent(orbit.CodeInvalidConfig,
		"%s; set `from` to the address of a user of PagerDuty, or give the routing-key of an Events API v2 integration of the service", refusal)
}

// call is a request to the REST API.
func (p *pagerDuty) call(method, path string) *service.Call {
	header := http.Header{"Authorization": {"Token token=" + p.token}, "Accept": {"application/vnd.pagerduty+json;version=2"}}
	return &service.Call{Method: method, URL: service.At(p.api, path), Header: header, Denied: "check pagerduty-api-key", Secrets: []string{p.token}}
}
