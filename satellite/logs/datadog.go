package logs

import (
	"context"
	"net/http"

	"github.com/exospherehost/orbit"
	"github.com/exospherehost/orbit/satellite/internal/service"
)

// datadog speaks the logs intake, version 2: https://docs.datadoghq.com/api/latest/logs/#send-logs
type datadog struct {
	*target
	base string
}

func newDatadog(t *target) (provider, error) {
	site := t.option("site", "datadoghq.com")
	if !isHost(site) {
		return nil, orbit.Permanent(orbit.CodeInvalidConfig, "site is no site of Datadog; write it like datadoghq.eu")
	}
	base := t.endpoint
	if base == "" {
		base = "https://http-intake.logs." + site
	}
	return &datadog{t, base}, nil
}

// A request has at most 5 MB and 1000 records, a record 1 MB.
func (d *datadog) limits() limits {
	return limits{rows: 1000, bytes: 4_900_000, overhead: 1, row: 900_000}
}

func (d *datadog) encode(r *record) []byte {
	doc := r.document()
	delete(doc, "time")
	delete(doc, "level")
	doc["timestamp"], doc["status"] = r.stamp(), r.level // the names that it reads them by
	doc["ddsource"], doc["service"], doc["hostname"] = "exosphere-orbit", d.app, r.node
	doc["ddtags"] = "account:" + d.account + ",cluster:" + r.cluster
	return encode(doc)
}

func (d *datadog) put(ctx context.Context, rows []row) (outcome, error) {
	body := append(append([]byte{'['}, join(rows, ",")...), ']')
	header := http.Header{"Dd-Api-Key": {d.key}, "Content-Type": {"application/json"}}
	call := d.call(service.At(d.base, "/api/v2/logs"), header, body)
	call.Denied = "check api-key, and whether site is the one of the account"
	return d.send(ctx, call, rows)
}
