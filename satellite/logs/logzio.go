package logs

import (
	"context"
	"net/http"
	"net/url"
	"strings"

	"github.com/exospherehost/orbit"
)

// logzIO speaks the bulk listener: https://docs.logz.io/docs/shipping/Code/HTTP
type logzIO struct {
	*target
	url string
}

func newLogzIO(t *target) (provider, error) {
	if strings.ContainsFunc(t.app, func(r rune) bool { return r <= ' ' }) {
		return nil, orbit.Permanent(orbit.CodeInvalidConfig, "application-id is the type of the records at Logz.io, which holds no spaces")
	}
	host, region := "listener", t.option("region", "us")
	if region != "us" {
		host += "-" + region
	}
	if !isHost(host) {
		return nil, orbit.Permanent(orbit.CodeInvalidConfig, "region is no region of Logz.io; write it like eu")
	}
	base := t.endpoint
	if base == "" {
		base = "https://" + host + ".logz.io:8071"
	}
	query := url.Values{"token": {t.key}, "type": {t.app}}
	return &logzIO{t, strings.TrimRight(base, "/") + "/?" + query.Encode()}, nil
}

// A body has at most 10,485,760 bytes, a line 500,000.
func (l *logzIO) limits() limits { return limits{bytes: 10_000_000, overhead: 1, row: 500_000} }

func (l *logzIO) encode(r *record) []byte {
	doc := r.document()
	delete(doc, "time")
	doc["@timestamp"], doc["account"] = r.stamp(), l.account
	return encode(doc)
}

func (l *logzIO) put(ctx context.Context, rows []row) (outcome, error) {
	call := l.call(l.url, http.Header{"Content-Type": {"text/plain"}}, join(rows, "\n"))
	answer, err := l.client.Do(ctx, call)
	if err != nil {
		return outcome{}, err
	}
	// 400 may mean that some lines were bad: the others have been taken, and are not sent again.
	var said struct{ SuccessfulLines, MalformedLines, OversizedLines, EmptyLogLines *int }
	if answer.Status == http.StatusBadRequest && answer.JSON(&said) && said.SuccessfulLines != nil && (said.MalformedLines != nil || said.OversizedLines != nil) {
		sent := min(max(*said.SuccessfulLines, 0), len(rows))
		return outcome{sent: sent, refused: len(rows) - sent}, nil
	}
	if err := answer.Refused(); err != nil {
		return outcome{}, err
	}
	return outcome{sent: len(rows)}, nil
}
