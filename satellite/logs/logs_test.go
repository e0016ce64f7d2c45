package logs_test

import (
	"context"
	"fmt"
	"maps"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/rs/zerolog"
	"go.uber.org/goleak"

	"github.com/exospherehost/orbit"
	"github.com/exospherehost/orbit/satellite"
	"github.com/exospherehost/orbit/satellite/internal/servicetest"
	"github.com/exospherehost/orbit/satellite/logs"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

type (
	m    = map[string]any
	said = servicetest.Said
)

var (
	say    = servicetest.Say
	judge  = servicetest.Judge
	same   = servicetest.Same
	parsed = servicetest.JSON
)

// forward runs forward-logs once.
func forward(t *testing.T, endpoints map[string]string, config m, records ...any) (map[string]any, error) {
	t.Helper()
	f := logs.New(endpoints)
	f.SetLimit(2 * time.Second)
	defer f.Close()
	return forwardBy(f, config, records...)
}

func forwardBy(f *logs.Forwarder, config m, records ...any) (map[string]any, error) {
	inv := &satellite.Invocation{Run: "run1", Step: "send", Lineage: "0", Attempt: 1, Config: config, Log: zerolog.Nop(),
		Input: m{"records": records, "run": "run1", "cluster": "demo/reports", "batch": 1, "last": false}}
	var got map[string]any
	err := f.Satellites()[0].Run(context.Background(), inv, func(o orbit.Object) error {
		v, err := o.Value()
		got, _ = v.(map[string]any)
		return err
	})
	return got, err
}

// rec is a record of the platform's.
func rec(key, level, message, when string, fields m) any {
	return m{"key": key, "time": when, "level": level, "message": message, "fields": fields, "run": "run1", "satellite": "parse", "item": "parse/0.1", "attempt": 2, "node": "n1"}
}

const when = "2026-03-01T12:00:00.5Z"

// configs are one of each provider, without secrets of more than a word.
func config(provider string, more m) m {
	c := m{"provider": provider, "account-id": "acc", "api-key": "k3y-s3cret", "application-id": "app"}
	switch provider {
	case "cloudwatch":
		c["region"] = "eu-west-1"
	case "kusto":
		c["database"], c["table"], c["api-key"] = "db", "Logs", "eyJh.k3y-s3cret.c"
	case "sentry":
		c["application-id"], c["account-id"] = 42, "o7"
	}
	maps.Copy(c, more)
	return c
}

var providers = []string{"new-relic", "datadog", "logz-io", "cloudwatch", "kusto", "sentry"}

func TestEveryServicesFailuresAreJudgedAlike(t *testing.T) {
	for _, provider := range providers {
		for name, c := range map[string]struct {
			said said
			want orbit.Error // a part of its message
		}{
			"too many requests":  {say(429, http.Header{"Retry-After": {"7"}}, ""), orbit.Error{Code: orbit.CodeUnavailable, Retryable: true, After: 7 * time.Second, Message: "429"}},
			"out of order":       {say(503, nil, "<html>busy"), orbit.Error{Code: orbit.CodeUnavailable, Retryable: true, Message: "busy"}},
			"an unknown key":     {say(401, nil, "k3y-s3cret is unknown"), orbit.Error{Code: orbit.CodeDenied, Message: "*** is unknown; "}},
			"a key that may not": {say(403, nil, ""), orbit.Error{Code: orbit.CodeDenied, Message: "403 Forbidden; "}},
			"a bad request":      {say(400, nil, "no such thing"), orbit.Error{Code: orbit.CodeRejected, Message: "400 Bad Request: no such thing"}},
		} {
			t.Run(provider+", "+name, func(t *testing.T) {
				if provider == "kusto" && name == "an unknown key" {
					c.said.Body = "eyJh.k3y-s3cret.c is unknown"
				}
				server := servicetest.Serve(t, c.said)
				_, err := forward(t, map[string]string{provider: server.URL}, config(provider, nil), rec("a", "info", "hello", when, nil))
				judge(t, err, c.want)
			})
		}
	}
}

func TestAServiceThatDoesNotAnswerIsTriedAgain(t *testing.T) {
	slow, gone := servicetest.Slow(t), servicetest.Gone(t)
	for _, provider := range providers {
		f := logs.New(map[string]string{provider: slow})
		f.SetLimit(30 * time.Millisecond)
		_, err := forwardBy(f, config(provider, nil), rec("a", "info", "hello", when, nil))
		judge(t, err, orbit.Error{Code: orbit.CodeTimeout, Retryable: true, Message: "gave no full answer within 30ms"})
		f.Close()
		_, err = forward(t, map[string]string{provider: gone}, config(provider, nil), rec("a", "info", "hello", when, nil))
		judge(t, err, orbit.Error{Code: orbit.CodeUnavailable, Retryable: true, Message: "cannot be reached: connection refused"})
	}
}

func TestAnswersThatSayNothingAreFine(t *testing.T) {
	for _, provider := range providers {
		for name, body := range map[string]string{"no JSON": "thanks", "huge": strings.Repeat("x", 2<<20)} {
			server := servicetest.Serve(t, say(200, nil, body))
			got, err := forward(t, map[string]string{provider: server.URL}, config(provider, nil), rec("a", "info", "hello", when, nil))
			if err != nil || got["sent"] != 1 {
				t.Errorf("%s, %s: %v, %v", provider, name, got, err)
			}
		}
	}
}

func TestRecordsBelowTheLevelAreLeftOut(t *testing.T) {
	for level, want := range map[string]int{"debug": 4, "": 3, "info": 3, "warn": 2, "error": 1} {
		server := servicetest.Serve(t)
		c := config("datadog", nil)
		if level != "" {
			c["log-level"] = level
		}
		got, err := forward(t, map[string]string{"datadog": server.URL}, c, rec("a", "debug", "1", when, nil), rec("b", "info", "2", when, nil),
			rec("c", "warn", "3", when, nil), rec("d", "error", "4", when, nil))
		if err != nil || got["sent"] != want {
			t.Errorf("%q: %v, %v", level, got, err)
		}
	}
	server := servicetest.Serve(t)
	got, err := forward(t, map[string]string{"datadog": server.URL}, config("datadog", m{"log-level": "error"}), rec("b", "info", "2", when, nil))
	if err != nil || got["sent"] != 0 || len(server.Heard()) != 0 {
		t.Errorf("with nothing to send: %v, %v, %d requests", got, err, len(server.Heard()))
	}
}

func TestARecordHasOneIDForEver(t *testing.T) {
	var ids [][]string
	for range 2 {
		server := servicetest.Serve(t)
		records := []any{rec("key1", "info", "hello", when, nil), m{"time": when, "level": "info", "message": "mine"}, m{"time": when, "level": "odd", "message": "mine"}}
		if _, err := forward(t, map[string]string{"datadog": server.URL}, config("datadog", nil), records...); err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, e := range parsed(t, server.Heard()[0].Body).([]any) {
			got = append(got, e.(m)["id"].(string))
		}
		ids = append(ids, got)
	}
	same(t, "ids of the second attempt", ids[0], ids[1])
	if ids[0][0] != "key1" || ids[0][1] == ids[0][2] || ids[0][1] == "" {
		t.Errorf("ids %q", ids[0])
	}
}

func TestWhatIsNoBatchIsRefused(t *testing.T) {
	for name, input := range map[string]any{
		"there are no records":       nil,
		"records[0] is no map":       m{"records": []any{"x"}},
		"records[0].time is no time": m{"records": []any{m{"time": "now", "level": "info", "message": "x"}}},
	} {
		f := logs.New(nil)
		err := f.Satellites()[1].Run(context.Background(), &satellite.Invocation{Config: config("new-relic", nil), Input: input}, nil)
		judge(t, err, orbit.Error{Code: orbit.CodeInvalidInput, Message: name})
		f.Close()
	}
}

func TestConfigsThatAProviderCannotUseAreRefused(t *testing.T) {
	for name, c := range map[string]m{
		"provider \"pigeon\" is none of": config("pigeon", nil),
		"site is no site":                config("datadog", m{"site": "evil.com/x?"}),
		"holds no spaces":                config("logz-io", m{"application-id": "a b"}),
		"region is no region of Logz.io": config("logz-io", m{"region": "x/y"}),
		"region is no region of AWS":     config("cloudwatch", m{"region": ""}),
		"not the number of the account":  config("cloudwatch", m{"account-id": 123456789012}),
		"needs cluster-url, database":    config("kusto", m{"database": ""}),
		"is no DSN of Sentry":            config("sentry", m{"api-key": "https://sentry.io/1"}),
		"the number of the organization": config("sentry", m{"account-id": "mine"}),
		"the number of the project":      config("sentry", m{"application-id": "mine"}),
	} {
		_, err := forward(t, nil, c, rec("a", "info", "hello", when, nil))
		judge(t, err, orbit.Error{Code: orbit.CodeInvalidConfig, Message: name})
	}
}

func TestRecordsGoWhereTheAccountIs(t *testing.T) {
	for want, c := range map[string]m{
		"https://log-api.newrelic.com":                            config("new-relic", nil),
		"https://log-api.eu.newrelic.com":                         config("new-relic", m{"api-key": "eu01xx12"}),
		"https://gov-log-api.newrelic.com":                        config("new-relic", m{"api-key": "gov01x12"}),
		"https://http-intake.logs.datadoghq.com":                  config("datadog", nil),
		"https://http-intake.logs.us5.datadoghq.com":              config("datadog", m{"site": "us5.datadoghq.com"}),
		"https://listener.logz.io:8071/?token=k&type=app":         config("logz-io", m{"api-key": "k"}),
		"https://listener-eu.logz.io:8071/?token=k&type=app":      config("logz-io", m{"api-key": "k", "region": "eu"}),
		"https://logs.eu-west-1.amazonaws.com/":                   config("cloudwatch", nil),
		"https://a.kusto.net/v1/rest/ingest/d/T?streamFormat=CSV": config("kusto", m{"cluster-url": "https://a.kusto.net/", "database": "d", "table": "T"}),
		"https://o7.ingest.us.sentry.io/api/42/envelope/":         config("sentry", nil),
		"https://o7.ingest.de.sentry.io/api/42/envelope/":         config("sentry", m{"account-id": 7, "region": "de"}),
		"https://sentry.example.com/x/api/5/envelope/":            config("sentry", m{"api-key": "https://k@sentry.example.com/x/5"}),
	} {
		if got, err := logs.Address(c); got != want || err != nil {
			t.Errorf("%s, %v, want %s", got, err, want)
		}
	}
}

func TestABatchGoesInAsManyRequestsAsTheServiceWants(t *testing.T) {
	var many []any
	for i := range 1001 {
		many = append(many, rec(fmt.Sprint(i), "info", "m", when, nil))
	}
	long := func(n int) any { return rec("l", "info", strings.Repeat("x", n), when, nil) }
	for name, c := range map[string]struct {
		provider string
		records  []any
		requests int
	}{
		"Datadog's 1000 records":    {"datadog", many, 2},
		"Datadog's 5 MB":            {"datadog", []any{long(800_000), long(800_000), long(800_000), long(800_000), long(800_000), long(800_000), long(800_000)}, 2},
		"Sentry's 100 logs":         {"sentry", many, 11},
		"New Relic's 1 MB":          {"new-relic", append(many, long(9_000_000)), 1},
		"New Relic's 1 MB, over it": {"new-relic", []any{long(200_000), long(200_000), long(200_000), long(200_000), long(200_000), long(200_000), long(200_000), long(200_000)}, 2},
		"Logz.io's 10 MB":           {"logz-io", []any{long(1 << 20), long(1 << 20)}, 1},
		"CloudWatch's MiB":          {"cloudwatch", []any{long(1 << 20), long(1 << 20), long(1 << 20), long(1 << 20), long(1 << 20)}, 2},
		"CloudWatch's 24 hours":     {"cloudwatch", []any{rec("a", "info", "1", "2026-03-02T12:00:00Z", nil), rec("b", "info", "2", "2026-03-01T12:00:00Z", nil)}, 2},
		"Kusto's 4 MB":              {"kusto", []any{long(1 << 20), long(1 << 20), long(1 << 20), long(1 << 20), long(1 << 20)}, 2},
	} {
		t.Run(name, func(t *testing.T) {
			server := servicetest.Serve(t)
			got, err := forward(t, map[string]string{c.provider: server.URL}, config(c.provider, nil), c.records...)
			if err != nil || got["sent"] != len(c.records) {
				t.Fatalf("%v, %v", got, err)
			}
			if len(server.Heard()) != c.requests {
				t.Errorf("%d requests, want %d", len(server.Heard()), c.requests)
			}
		})
	}
}

func TestWhatAServiceHasTakenIsNotSentAgain(t *testing.T) {
	records := []any{rec("a", "info", "1", when, nil), rec("b", "info", "2", when, nil), rec("c", "info", "3", when, nil)}
	// Its limits are narrower than it says: all three are too much, and so is the last alone.
	server := servicetest.Serve(t, say(413, nil, ""), say(200, nil, ""), say(413, nil, ""), say(200, nil, ""), say(413, nil, ""))
	got, err := forward(t, map[string]string{"datadog": server.URL}, config("datadog", nil), records...)
	if err != nil {
		t.Fatal(err)
	}
	same(t, "outcome", m{"sent": 2, "refused": 1}, got)
	var sent []string
	for _, h := range server.Heard() {
		var ids []string
		for _, e := range parsed(t, h.Body).([]any) {
			ids = append(ids, e.(m)["id"].(string))
		}
		sent = append(sent, strings.Join(ids, ""))
	}
	same(t, "requests", []string{"abc", "a", "bc", "b", "c"}, sent)

	server = servicetest.Serve(t, say(200, nil, ""), say(500, nil, ""))
	var many []any
	for i := range 150 {
		many = append(many, rec(fmt.Sprint(i), "info", "m", when, nil))
	}
	_, err = forward(t, map[string]string{"sentry": server.URL}, config("sentry", nil), many...)
	judge(t, err, orbit.Error{Code: orbit.CodeUnavailable, Retryable: true, Message: "; 100 of 150 records were taken before that"})
}
