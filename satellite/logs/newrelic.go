package logs

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/base64"
	"net/http"
	"strings"

	"github.com/exospherehost/orbit"
	"github.com/exospherehost/orbit/satellite/internal/service"
)

const newRelicName = "new-relic"

// newRelic speaks the Log API: https://docs.newrelic.com/docs/logs/log-api/introduction-log-api/
type newRelic struct{ *target }

// A payload has at most 1 MB (10^6 bytes) and a record at most 255 attributes. 50 kB are left for what all records of a
// payload have in common. Of a message
// 128,000 bytes are kept.
func (n *newRelic) limits() limits {
	return limits{bytes: 950_000, overhead: 1, row: 128_000}
}

func (n *newRelic) encode(r *record) []byte {
	return encode(map[string]any{"timestamp": r.at.UnixMilli(), "message": r.message, "attributes": r.flat(240)})
}

func (n *newRelic) put(ctx context.Context, rows []row) (outcome, error) {
	common := map[string]any{"logtype": "exosphere-orbit", "application-id": n.app}
	if guid := n.entity(); guid != "" {
		common["entity.guid"] = guid
	}
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	for _, part := range [][]byte{[]byte(`[{"common":{"attributes":`), encode(common), []byte(`},"logs":[`), join(rows, ","), []byte(`]}]`)} {
		_, _ = z.Write(part) // a buffer takes everything
	}
	if err := z.Close(); err != nil {
		return outcome{}, orbit.Transient(orbit.CodeInternal, "the records could not be compressed: %v", err)
	}
	header := http.Header{"Api-Key": {n.key}, "Content-Type": {"application/json"}, "Content-Encoding": {"gzip"}}
	return n.send(ctx, n.call(service.At(n.base(), "/log/v1"), header, b.Bytes()), rows)
}

// base finds the data center: the licence keys of those in Europe and for the public sector begin with their names.
func (n *newRelic) base() string {
	switch {
	case n.endpoint != "":
		return n.endpoint
	case strings.HasPrefix(n.key, "eu01"):
		return "https://log-api.eu.newrelic.com"
	case strings.HasPrefix(n.key, "gov01"):
		return "https://gov-log-api.newrelic.com"
	}
	return "https://log-api.newrelic.com"
}

// entity is the application's id in the whole of New Relic, by which records are shown beside it: account, domain, type
// and number, in base64. "" where account-id and application-id are not the numbers that New Relic gives.
func (n *newRelic) entity() string {
	if !isNumber(n.account) || !isNumber(n.app) {
		return ""
	}
	return base64.RawStdEncoding.EncodeToString([]byte(n.account + "|APM|APPLICATION|" + n.app))
}

func isNumber(text string) bool {
	return text != "" && !strings.ContainsFunc(text, func(r rune) bool { return r < '0' || r > '9' })
}
