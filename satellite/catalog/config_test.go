package catalog_test

import (
	"encoding/json"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/exospherehost/orbit/satellite/catalog"
	"github.com/exospherehost/orbit/satellite/schema"
)

type m = map[string]any

// The steps of the introduction's example, as a satellite gets them: expressions resolved, and lists of
// one-key maps turned into maps where the schema wants a map.
func TestTheConfigsOfTheIntroductionFit(t *testing.T) {
	for uses, c := range map[string]struct {
		config m
		input  any
	}{
		"get-files-from-s3": {config: m{
			"bucket": "aikin-financial-reports", "prefix": "sec", "recursive": true, "extension": "pdf",
			"secrets": m{"AWS_ACCESS_KEY": "a", "AWS_SECRET_KEY": "b"},
		}},
		"parse-pdf-with-docling": {config: m{"language": "en", "output-format": "markdown-string", "extract-images": false}},
		"deepseek-r1-distrill-llama-70b": {
			config: m{
				"temperature": 0.5, "max-tokens": 1024, "output-format": "json",
				"output-schema": "{\n    \"company\": string, \n    \"revenue\": number,\n}\n",
			},
			input: m{"prompt": "Parse the following quarterly financial report …\n# Report\n"},
		},
		"call-webhook": {config: m{
			"url": "https://api.aikin.com/v1/financial-reports", "method": "POST", "headers": m{"Authorization": "Bearer t"},
			"body": []any{m{"data": m{"company": "A"}, "file-path": "sec/a.pdf"}},
		}},
		"delete-file-from-s3": {config: m{
			"bucket": "aikin-financial-reports", "file-path": "sec/a.pdf", "secrets": m{"AWS_ACCESS_KEY": "a", "AWS_SECRET_KEY": "b"},
		}},
		"send-logs-to-new-relic": {config: m{"account-id": "1", "api-key": "k", "application-id": "2", "log-level": "info"}},
		"move-file": {config: m{
			"origin-source": "s3", "origin-bucket": "aikin-financial-reports", "origin-file-path": "sec/a.pdf",
			"destination-source": "s3", "destination-bucket": "aikin-financial-reports-failure", "destination-file-path": "failed/quaterly-financial-reports/a.pdf",
			"secrets": m{"ORIGIN_AWS_ACCESS_KEY": "a", "ORIGIN_AWS_SECRET_KEY": "b", "DESTINATION_AWS_ACCESS_KEY": "c", "DESTINATION_AWS_SECRET_KEY": "d"},
		}},
		"send-pagerduty-alert": {
			config: m{"pagerduty-api-key": "k", "pagerduty-service-id": "s"},
			input:  m{"message": "Cluster aikin/strucutred-pdfs failed at 2025-01-01T00:00:00Z\n"},
		},
	} {
		t.Run(uses, func(t *testing.T) {
			if got := wrong(t, uses, "config", c.config); got != nil {
				t.Errorf("config: %v", got)
			}
			if c.input == nil {
				return
			}
			if got := wrong(t, uses, "input", c.input); got != nil {
				t.Errorf("input: %v", got)
			}
		})
	}
}

func TestOtherSpellingsFit(t *testing.T) {
	for name, c := range map[string]struct {
		uses, part string
		value      any
	}{
		"move-file in its own words": {"move-file", "config", m{
			"source-provider": "aws-s3", "source-file-path": "s3://a/b.pdf", "destination-provider": "file", "destination-file-path": "/tmp/b.pdf",
			"secrets": m{"SOURCE_AWS_ACCESS_KEY": "a"},
		}},
		"a file named by its URI":           {"delete-file", "config", m{"file-path": "file:///tmp/a.pdf"}},
		"the preset with its provider":      {"delete-file-from-s3", "config", m{"provider": "s3", "bucket": "a", "file-path": "b"}},
		"the model under its other name":    {"deepseek-r1-distill-llama-70b", "config", m{}},
		"a JSON Schema as a map":            {"gemma-3-27b", "config", m{"output-format": "json", "output-schema": m{"type": "object"}}},
		"no schema":                         {"gemma-3-27b", "config", m{"output-schema": nil}},
		"a conversation":                    {"gemma-3-27b", "input", m{"messages": []any{m{"role": "user", "content": "hello"}}}},
		"a routing key":                     {"send-pagerduty-alert", "config", m{"routing-key": "k"}},
		"a channel":                         {"send-alert", "config", m{"provider": "slack", "webhook-url": "https://hooks.slack.com/services/a"}},
		"New Relic by the general name":     {"forward-logs", "config", m{"provider": "new-relic", "account-id": 1, "api-key": "k", "application-id": 2}},
		"a mail server":                     {"send-email", "config", m{"provider": "smtp", "secrets": m{"SMTP_HOST": "h", "SMTP_PORT": 587}}},
		"a mail to one":                     {"send-email", "input", m{"to": "a@example.com", "subject": "s", "body": ""}},
		"a mail to several":                 {"send-email", "input", m{"to": []any{"a@example.com", "b@example.com"}, "subject": "s", "body": "b", "cc": []any{}}},
		"a webhook's time-out in seconds":   {"call-webhook", "config", m{"url": "http://a/b", "timeout": 30}},
		"a webhook's parameters":            {"call-webhook", "config", m{"url": "http://a/b", "query-params": m{"a": []any{1, "b"}, "c": true}}},
		"a webhook that only names its URL": {"call-webhook", "config", m{"url": "http://localhost:8080"}},
		"a jq program":                      {"jq", "config", m{"query": ".", "timeout": "1m"}},
	} {
		t.Run(name, func(t *testing.T) {
			if got := wrong(t, c.uses, c.part, c.value); got != nil {
				t.Errorf("%s: %v", c.part, got)
			}
		})
	}
}

func TestWhatDoesNotFitIsSaidInASentence(t *testing.T) {
	for name, c := range map[string]struct {
		uses, part string
		value      any
		want       []string
	}{
		"an unknown method":       {"call-webhook", "config", m{"url": "http://a", "method": "SEND"}, []string{"method must be one of POST, GET, PUT, PATCH, DELETE, HEAD"}},
		"a misspelt key":          {"call-webhook", "config", m{"ulr": "http://a"}, []string{"ulr is an unknown key", "url is required"}},
		"no URL":                  {"call-webhook", "config", m{"url": "a/b"}, []string{"url must be a URL such as https://example.com/path"}},
		"body and form":           {"call-webhook", "input", m{"body": 1, "form-data": m{}}, []string{"it takes body or form-data, not both"}},
		"a parameter of maps":     {"call-webhook", "config", m{"url": "http://a", "query-params": m{"a": m{}}}, []string{"query-params.a must be null, true or false, a number, a string or a list, not a map"}},
		"a time-out":              {"jq", "config", m{"query": ".", "timeout": "soon"}, []string{"timeout must be a duration such as 500ms, 30s or 5m"}},
		"a temperature of text":   {"gemma-3-27b", "config", m{"temperature": "hot"}, []string{"temperature must be a number, not a string"}},
		"no prompt":               {"gemma-3-27b", "input", m{}, []string{"it needs prompt or messages"}},
		"both spellings":          {"move-file", "config", m{"source-provider": "s3", "origin-source": "s3", "source-file-path": "a", "destination-source": "s3", "destination-file-path": "b"}, []string{"it takes source-provider or origin-source, not both: they are the same"}},
		"nothing to move":         {"move-file", "config", m{}, []string{"it needs destination-provider or destination-source", "it needs source-file-path or origin-file-path", "it needs source-provider or origin-source", "destination-file-path is required"}},
		"a secret of neither end": {"move-file", "config", m{"source-provider": "s3", "source-file-path": "a", "destination-source": "s3", "destination-file-path": "b", "secrets": m{"AWS_ACCESS_KEY": "k"}}, []string{"secrets.AWS_ACCESS_KEY is an unknown key"}},
		"no key for PagerDuty":    {"send-alert", "config", m{"provider": "pagerduty"}, []string{"it needs pagerduty-api-key or routing-key"}},
		"an unknown provider":     {"send-alert", "config", m{"provider": "pager"}, []string{"provider must be one of pagerduty, slack, discord"}},
		"no message":              {"send-alert", "input", m{}, []string{"message is required"}},
	} {
		t.Run(name, func(t *testing.T) {
			if d := cmp.Diff(c.want, wrong(t, c.uses, c.part, c.value)); d != "" {
				t.Errorf("violations (-want +got):\n%s", d)
			}
		})
	}
}

func wrong(t *testing.T, uses, part string, value any) []string {
	t.Helper()
	registry, err := catalog.Specs()
	if err != nil {
		t.Fatal(err)
	}
	spec, ok := registry.Lookup("satellite/exospherehost/" + uses)
	if !ok {
		t.Fatalf("no satellite %s", uses)
	}
	s, err := schema.Compile(map[string]json.RawMessage{"config": spec.Config, "input": spec.Input}[part])
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	for _, v := range s.Check(value) {
		out = append(out, v.String())
	}
	return out
}
