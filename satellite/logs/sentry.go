package logs

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"net/url"
	"path"
	"strings"

	"github.com/exospherehost/orbit"
	"github.com/exospherehost/orbit/satellite/internal/service"
)

// sentry sends envelopes of structured logs: https://develop.sentry.dev/sdk/telemetry/logs/
type sentry struct {
	*target
	url    string
	public string // key of the DSN
}

func newSentry(t *target) (provider, error) {
	public, base, project := t.key, t.endpoint, t.app
	switch dsn, err := url.Parse(t.key); {
	case strings.Contains(t.key, "://"):
		if err != nil || dsn.User == nil || dsn.Host == "" || (dsn.Scheme != "https" && dsn.Scheme != "http") || path.Base(dsn.Path) == "/" {
			return nil, orbit.Permanent(orbit.CodeInvalidConfig, "api-key is no DSN of Sentry; write it like https://key@o1.ingest.sentry.io/2, or give the key alone")
		}
		public, project = dsn.User.Username(), path.Base(dsn.Path)
		base = (&url.URL{Scheme: dsn.Scheme, Host: dsn.Host, Path: strings.TrimSuffix(path.Dir(dsn.Path), "/")}).String()
	case base == "":
		region, org := t.option("region", "us"), strings.TrimPrefix(t.account, "o")
		if !isHost(region) || !isNumber(org) {
			return nil, orbit.Permanent(orbit.CodeInvalidConfig, "account-id is the number of the organization at Sentry, and region one such as us or de; or give the whole DSN as api-key")
		}
		base = "https://o" + org + ".ingest." + region + ".sentry.io"
	}
	if !isNumber(project) {
		return nil, orbit.Permanent(orbit.CodeInvalidConfig, "application-id is the number of the project at Sentry, as it ends the DSN")
	}
	return &sentry{t, service.At(base, "/api/"+project+"/envelope/"), public}, nil
}

// An envelope has at most 100 logs, a log 1 MB.
func (s *sentry) limits() limits {
	return limits{rows: 100, bytes: 10_000_000, overhead: 1, row: 900_000}
}

func (s *sentry) encode(r *record) []byte {
	attributes := map[string]any{}
	for key, value := range r.flat(200) {
		kind := "string"
		switch value.(type) {
		case bool:
			kind = "boolean"
		case int:
			kind = "integer"
		case float64:
			kind = "double"
		}
		attributes[key] = map[string]any{"value": value, "type": kind}
	}
	trace := sha256.Sum256([]byte(r.run)) // all of a run is one trace
	return encode(map[string]any{"timestamp": float64(r.at.UnixMicro()) / 1e6, "trace_id": hex.EncodeToString(trace[:16]), "level": r.level, "body": r.message,
		"attributes": attributes})
}

func (s *sentry) put(ctx context.Context, rows []row) (outcome, error) {
	var b bytes.Buffer
	b.WriteString("{}\n")
	b.Write(encode(map[string]any{"type": "log", "item_count": len(rows), "content_type": "application/vnd.sentry.items.log+json"}))
	b.WriteString("\n{\"items\":[")
	b.Write(join(rows, ","))
	b.WriteString("]}\n")
	header := http.Header{"Content-Type": {"application/x-sentry-envelope"},
		"X-Sentry-Auth": {"Sentry sentry_version=7, sentry_key=" + s.public + ", sentry_client=" + service.UserAgent + "/1"}}
	call := s.call(s.url, header, b.Bytes())
	call.Secrets = append(call.Secrets, s.public)
	call.Denied = "check api-key (the public key of the DSN) and application-id (the project)"
	return s.send(ctx, call, rows)
}
