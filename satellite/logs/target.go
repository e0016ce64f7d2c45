package logs

import (
	"context"
	"net/http"
	"strings"

	"github.com/exospherehost/orbit"
	"github.com/exospherehost/orbit/satellite"
	"github.com/exospherehost/orbit/satellite/internal/service"
)

// target is where the records of a step go, as its config says.
type target struct {
	client   *service.Client
	endpoint string // of the node, instead of the service's own address; "": none
	name     string // of the provider
	account  string
	key      string
	app      string
	run      string
	id       string // of the batch: the same for every attempt
	config   map[string]any
	secrets  map[string]string
}

func (f *Forwarder) target(inv *satellite.Invocation) *target {
	t := &target{client: f.client, name: text(inv.Config["provider"]), account: text(inv.Config["account-id"]), key: strings.TrimSpace(text(inv.Config["api-key"])),
		app: text(inv.Config["application-id"]), run: inv.Run, id: inv.IdempotencyKey(), config: inv.Config, secrets: inv.Secrets()}
	if t.name == "" {
		t.name = newRelicName // only the preset's config may leave it out
	}
	t.endpoint = f.endpoints[t.name]
	return t
}

// provider gives the service that the config names.
func (t *target) provider() (provider, error) {
	switch t.name {
	case newRelicName:
		return &newRelic{t}, nil
	case "datadog":
		return newDatadog(t)
	case "logz-io":
		return newLogzIO(t)
	case "cloudwatch":
		return newCloudWatch(t)
	case "kusto":
		return newKusto(t)
	case "sentry":
		return newSentry(t)
	}
	return nil, orbit.Permanent(orbit.CodeInvalidConfig, "provider %q is none of new-relic, datadog, logz-io, cloudwatch, kusto, sentry", t.name)
}

// option gives an optional field of the config as text.
func (t *target) option(name, fallback string) string {
	if v := text(t.config[name]); v != "" {
		return v
	}
	return fallback
}

// call is a request to the service with a body, made ready for its errors.
func (t *target) call(url string, header http.Header, body []byte) *service.Call {
	return &service.Call{Method: http.MethodPost, URL: url, Header: header, Body: body, Denied: "check api-key", Secrets: []string{t.key}}
}

// send makes a request that takes all rows or none.
func (t *target) send(ctx context.Context, call *service.Call, rows []row) (outcome, error) {
	answer, err := t.client.Do(ctx, call)
	if err == nil {
		err = answer.Refused()
	}
	if err != nil {
		return outcome{}, err
	}
	return outcome{sent: len(rows)}, nil
}

// isHost tells whether a text may be a part of a host's name.
func isHost(text string) bool {
	return text != "" && len(text) <= 100 && !strings.ContainsFunc(text, func(r rune) bool {
		return (r < 'a' || r > 'z') && (r < '0' || r > '9') && r != '-' && r != '.'
	})
}
