package alert_test

import (
	"context"
	"maps"
	"net/http"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/exospherehost/orbit"
	"github.com/exospherehost/orbit/satellite"
	"github.com/exospherehost/orbit/satellite/alert"
	"github.com/exospherehost/orbit/satellite/internal/servicetest"
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

const (
	routingKey = "0123456789abcdef01234567s3cret89" // 32 letters and digits
	apiKey     = "u+s3cret-67890123456"
	hook       = "https://hooks.example.com/services/T0/B0/verys3cretpart"
)

// send runs send-alert once.
func send(base string, config, input m) (m, error) {
	s := alert.New(map[string]string{"pagerduty": base, "slack": base, "discord": base})
	defer s.Close()
	s.SetLimit(2 * time.Second)
	return sendBy(s, config, input)
}

func sendBy(s *alert.Sender, config, input m) (m, error) {
	var got m
	inv := &satellite.Invocation{Run: "run1", Step: "tell", Lineage: "0.3", Attempt: 1, Config: config, HasInput: true, Input: input}
	err := s.Satellites()[0].Run(context.Background(), inv, func(o orbit.Object) error {
		v, err := o.Value()
		got, _ = v.(m)
		return err
	})
	return got, err
}

var (
	key    = (&satellite.Invocation{Run: "run1", Step: "tell", Lineage: "0.3"}).IdempotencyKey()
	broken = m{"message": "It <is> broken\n", "severity": "critical", "details": m{"file": "a.pdf", "n": 1}}
)

// configs are a working one of each service.
func configs() map[string]m {
	return map[string]m{
		"events":  {"provider": "pagerduty", "routing-key": routingKey},
		"rest":    {"pagerduty-api-key": apiKey, "pagerduty-service-id": "PSVC", "from": "a@example.com"},
		"slack":   {"provider": "slack", "webhook-url": hook},
		"discord": {"provider": "discord", "webhook-url": hook},
	}
}

func TestEveryServicesFailuresAreJudgedAlike(t *testing.T) {
	for service, config := range configs() {
		for name, c := range map[string]struct {
			said said
			want orbit.Error
		}{
			"too many requests":    {say(429, http.Header{"Retry-After": {"7"}}, ""), orbit.Error{Code: orbit.CodeUnavailable, Retryable: true, After: 7 * time.Second, Message: "429"}},
			"out of order":         {say(500, nil, "oops"), orbit.Error{Code: orbit.CodeUnavailable, Retryable: true, Message: "oops"}},
			"an unknown key":       {say(401, nil, ""), orbit.Error{Code: orbit.CodeDenied, Message: "; check "}},
			"a key that may not":   {say(403, nil, ""), orbit.Error{Code: orbit.CodeDenied, Message: "; check "}},
			"a bad request":        {say(400, nil, "invalid_payload"), orbit.Error{Code: orbit.CodeRejected, Message: "400 Bad Request: invalid_payload"}},
			"a place that is gone": {say(404, nil, `{"message": "Unknown Webhook", "code": 10015}`), orbit.Error{Code: orbit.CodeRejected, Message: "Unknown Webhook"}},
		} {
			t.Run(service+", "+name, func(t *testing.T) {
				if name == "an unknown key" { // a service repeats what it was given
					c.said.Body = map[string]string{"events": routingKey, "rest": apiKey, "slack": "verys3cretpart", "discord": "verys3cretpart"}[service]
				}
				_, err := send(servicetest.Serve(t, c.said).URL, config, broken)
				judge(t, err, c.want)
			})
		}
	}
}

func TestAServiceThatDoesNotAnswerIsTriedAgain(t *testing.T) {
	slow, gone := servicetest.Slow(t), servicetest.Gone(t)
	for service, config := range configs() {
		s := alert.New(map[string]string{"pagerduty": slow, "slack": slow, "discord": slow})
		s.SetLimit(30 * time.Millisecond)
		_, err := sendBy(s, config, broken)
		judge(t, err, orbit.Error{Code: orbit.CodeTimeout, Retryable: true, Message: "gave no full answer within 30ms"})
		s.Close()
		if _, err = send(gone, config, broken); err == nil {
			t.Errorf("%s: nobody answered, and that is no error", service)
		}
		judge(t, err, orbit.Error{Code: orbit.CodeUnavailable, Retryable: true, Message: "cannot be reached: connection refused"})
	}
}

func TestAnswersThatSayNothingAreFine(t *testing.T) {
	for service, config := range configs() {
		for _, body := range []string{"", "thanks", strings.Repeat("x", 2<<20)} {
			got, err := send(servicetest.Serve(t, say(200, nil, body)).URL, config, broken)
			if err != nil || got["status"] == "" {
				t.Errorf("%s: %v, %v", service, got, err)
			}
		}
	}
}

func TestPagerDutyGetsAnEvent(t *testing.T) {
	for name, config := range map[string]m{
		"a routing key":              {"routing-key": routingKey},
		"the same as an API key":     {"pagerduty-api-key": routingKey, "pagerduty-service-id": "PSVC"},
		"a routing key of any form":  {"provider": "pagerduty", "routing-key": "R0-s3cret"},
		"a routing key over the API": {"provider": "pagerduty", "routing-key": routingKey, "pagerduty-api-key": apiKey},
	} {
		t.Run(name, func(t *testing.T) {
			server := servicetest.Serve(t, say(202, nil, `{"status":"success","message":"Event processed","dedup_key":"`+key+`"}`))
			got, err := send(server.URL, config, broken)
			if err != nil {
				t.Fatal(err)
			}
			same(t, "outcome", m{"status": "success", "dedup-key": key}, got)
			h := server.Heard()[0]
			same(t, "request", []string{"POST", "/v2/enqueue", "", "application/json"}, []string{h.Method, h.Path, h.Query, h.Header.Get("Content-Type")})
			body := parsed(t, h.Body).(m)
			if k := body["routing_key"].(string); k != routingKey && k != "R0-s3cret" {
				t.Errorf("routing key %s", k)
			}
			delete(body, "routing_key")
			same(t, "body", parsed(t, `{"event_action":"trigger","dedup_key":"`+key+`","client":"Exosphere Orbit","payload":{"summary":"It <is> broken","source":"orbit run run1",
				"severity":"critical","component":"tell","custom_details":{"run":"run1","item":"tell/0.3","details":{"file":"a.pdf","n":1}}}}`), body)
		})
	}
}

func TestPagerDutyIsWhereTheAccountIs(t *testing.T) {
	s := alert.New(nil)
	defer s.Close()
	for region, want := range map[string]string{"": "https://events.pagerduty.com https://api.pagerduty.com", "eu": "https://events.eu.pagerduty.com https://api.eu.pagerduty.com"} {
		if got := s.Addresses(m{"region": region}); got != want {
			t.Errorf("%q: %s", region, got)
		}
	}
}

func TestALongMessageIsCutAndStandsInTheDetails(t *testing.T) {
	server := servicetest.Serve(t)
	long := strings.Repeat("é", 2000)
	if _, err := send(server.URL, m{"routing-key": routingKey}, m{"message": long, "details": strings.Repeat("d", 600_000)}); err != nil {
		t.Fatal(err)
	}
	h := server.Heard()[0]
	payload := parsed(t, h.Body).(m)["payload"].(m)
	details := payload["custom_details"].(m)
	if n := len([]rune(payload["summary"].(string))); n != 1024 || details["message"] != long || payload["severity"] != "error" || len(h.Body) > 512_000 {
		t.Errorf("a summary of %d characters, a body of %d", n, len(h.Body))
	}
}

func TestPagerDutySaysThatItDoesNotKnowARoutingKey(t *testing.T) {
	server := servicetest.Serve(t, say(400, nil, `{"status":"invalid event","message":"Event object is invalid","errors":["'routing_key' is invalid (blank)"]}`))
	_, err := send(server.URL, m{"routing-key": routingKey}, broken)
	judge(t, err, orbit.Error{Code: orbit.CodeDenied, Message: "; check routing-key"})
}

func TestPagerDutyGetsAnIncident(t *testing.T) {
	server := servicetest.Serve(t, say(201, nil, `{"incident":{"id":"Q1","status":"triggered"}}`))
	got, err := send(server.URL, configs()["rest"], broken)
	if err != nil {
		t.Fatal(err)
	}
	same(t, "outcome", m{"status": "triggered", "dedup-key": key}, got)
	h := server.Heard()[0]
	same(t, "request", []string{"POST", "/incidents", ""}, []string{h.Method, h.Path, h.Query})
	same(t, "headers", map[string]string{"Authorization": "Token token=" + apiKey, "Accept": "application/vnd.pagerduty+json;version=2", "Content-Type": "application/json", "From": "a@example.com"},
		h.Headers("Authorization", "Accept", "Content-Type", "From"))
	same(t, "body", parsed(t, `{"incident":{"type":"incident","title":"It <is> broken","urgency":"high","incident_key":"`+key+`","service":{"id":"PSVC","type":"service_reference"},
		"body":{"type":"incident_body","details":"It <is> broken\n\nseverity: critical\nrun: run1\nitem: tell/0.3\n\n{\n  \"file\": \"a.pdf\",\n  \"n\": 1\n}"}}}`), parsed(t, h.Body))
}

func TestAnIncidentInNobodysName(t *testing.T) {
	const unknown = `{"error":{"message":"Requester User Not Found","code":1008}}`
	integrations := `{"service":{"integrations":[{"type":"generic_email_inbound_integration"},{"type":"events_api_v2_inbound_integration","integration_key":"` + routingKey + `"}]}}`
	for name, c := range map[string]struct {
		script []said
		paths  string
		status string
		err    *orbit.Error
	}{
		"by a user's key":           {[]said{say(201, nil, `{"incident":{"status":"triggered"}}`)}, "/incidents", "triggered", nil},
		"by the account's":          {[]said{say(400, nil, unknown), say(200, nil, integrations), say(202, nil, `{"status":"success"}`)}, "/incidents /services/PSVC /v2/enqueue", "success", nil},
		"without an integration":    {[]said{say(400, nil, unknown), say(200, nil, `{"service":{}}`)}, "/incidents /services/PSVC", "", &orbit.Error{Code: orbit.CodeInvalidConfig, Message: "Requester User Not Found"}},
		"on a service that is gone": {[]said{say(404, nil, ""), say(404, nil, "")}, "/incidents /services/PSVC", "", &orbit.Error{Code: orbit.CodeRejected, Message: "/services/PSVC answered 404"}},
		"a second time": {[]said{say(400, nil, `{"error":{"errors":["Open incident with matching dedup key already exists on this service"]}}`)},
			"/incidents", "triggered", nil},
		"on bad terms with the integration": {[]said{say(400, nil, unknown), say(200, nil, integrations), say(403, nil, "")}, "/incidents /services/PSVC /v2/enqueue", "",
			&orbit.Error{Code: orbit.CodeDenied, Message: "the integration of the service has a key"}},
	} {
		t.Run(name, func(t *testing.T) {
			server := servicetest.Serve(t, c.script...)
			got, err := send(server.URL, m{"pagerduty-api-key": apiKey, "pagerduty-service-id": "PSVC"}, m{"message": "x", "severity": "info"})
			var paths []string
			for _, h := range server.Heard() {
				paths = append(paths, h.Path)
				if _, ok := h.Header["From"]; ok {
					t.Error("it names somebody")
				}
			}
			same(t, "requests", c.paths, strings.Join(paths, " "))
			if len(server.Heard()) > 1 {
				same(t, "query", "include%5B%5D=integrations", server.Heard()[1].Query)
			}
			if c.err != nil {
				judge(t, err, *c.err)
				return
			}
			if err != nil || got["status"] != c.status {
				t.Errorf("%v, %v", got, err)
			}
		})
	}
}

func TestSlackGetsBlocks(t *testing.T) {
	server := servicetest.Serve(t, say(200, nil, "ok"))
	got, err := send(server.URL+"/proxy", configs()["slack"], broken)
	if err != nil {
		t.Fatal(err)
	}
	same(t, "outcome", m{"status": "ok"}, got)
	h := server.Heard()[0]
	same(t, "request", []string{"POST", "/proxy/services/T0/B0/verys3cretpart", "", "application/json"}, []string{h.Method, h.Path, h.Query, h.Header.Get("Content-Type")})
	same(t, "body", parsed(t, "{\"text\":\"It &lt;is&gt; broken\",\"blocks\":["+
		"{\"type\":\"section\",\"text\":{\"type\":\"plain_text\",\"text\":\"It <is> broken\"}},"+
		"{\"type\":\"section\",\"text\":{\"type\":\"mrkdwn\",\"text\":\"```{\\n  \\\"file\\\": \\\"a.pdf\\\",\\n  \\\"n\\\": 1\\n}```\"}},"+
		"{\"type\":\"context\",\"elements\":[{\"type\":\"mrkdwn\",\"text\":\"critical · run run1 · tell/0.3\"}]}]}"), parsed(t, h.Body))
}

func TestLongTextsFitTheChannels(t *testing.T) {
	server := servicetest.Serve(t)
	long := m{"message": strings.Repeat("&", 9000), "details": strings.Repeat("&", 9000)}
	for _, service := range []string{"slack", "discord"} {
		if _, err := send(server.URL, configs()[service], long); err != nil {
			t.Fatal(err)
		}
	}
	blocks := parsed(t, server.Heard()[0].Body).(m)["blocks"].([]any)
	for i, b := range blocks[:2] {
		if n := len([]rune(b.(m)["text"].(m)["text"].(string))); n > 3000 || n < 2900 {
			t.Errorf("block %d has %d characters", i, n)
		}
	}
	body := parsed(t, server.Heard()[1].Body).(m)
	if n := len([]rune(body["content"].(string))); n != 2000 {
		t.Errorf("content of %d characters", n)
	}
	if n := len([]rune(body["embeds"].([]any)[0].(m)["description"].(string))); n > 4096 {
		t.Errorf("description of %d characters", n)
	}
}

func TestDiscordGetsAMessageThatCallsNobody(t *testing.T) {
	server := servicetest.Serve(t, say(200, nil, `{"id":"1"}`))
	config := configs()["discord"]
	config["webhook-url"] = hook + "?thread_id=5"
	got, err := send(server.URL, config, broken)
	if err != nil {
		t.Fatal(err)
	}
	same(t, "outcome", m{"status": "ok"}, got)
	h := server.Heard()[0]
	same(t, "request", []string{"POST", "/services/T0/B0/verys3cretpart", "thread_id=5&wait=true"}, []string{h.Method, h.Path, h.Query})
	same(t, "body", parsed(t, "{\"content\":\"It <is> broken\",\"allowed_mentions\":{\"parse\":[]},\"embeds\":[{\"color\":9109504,\"description\":\"```\\n{\\n  \\\"file\\\": \\\"a.pdf\\\",\\n  \\\"n\\\": 1\\n}\\n```\","+
		"\"footer\":{\"text\":\"critical · run run1 · tell/0.3\"}}]}"), parsed(t, h.Body))
}

func TestDiscordSaysHowLongToWait(t *testing.T) {
	for body, want := range map[string]time.Duration{
		`{"message":"You are being rate limited.","retry_after":0.65,"global":false}`: 650 * time.Millisecond,
		`{"retry_after":99999}`: time.Hour,
		`error code: 1015`:      9 * time.Second,
	} {
		server := servicetest.Serve(t, say(429, http.Header{"Retry-After": {"9"}}, body))
		_, err := send(server.URL, configs()["discord"], broken)
		judge(t, err, orbit.Error{Code: orbit.CodeUnavailable, Retryable: true, After: want, Message: "the Discord webhook at 127.0.0.1"})
	}
}

func TestWhatCannotBeSentIsRefused(t *testing.T) {
	for name, c := range map[string]struct {
		config, input m
		want          orbit.Error
	}{
		"no message":           {configs()["events"], m{}, orbit.Error{Code: orbit.CodeInvalidInput, Message: "there is no message"}},
		"no key":               {m{"provider": "pagerduty"}, broken, orbit.Error{Code: orbit.CodeInvalidConfig, Message: "neither a pagerduty-api-key nor a routing-key"}},
		"no service":           {m{"pagerduty-api-key": apiKey}, broken, orbit.Error{Code: orbit.CodeInvalidConfig, Message: "which needs pagerduty-service-id"}},
		"no webhook":           {m{"provider": "slack"}, broken, orbit.Error{Code: orbit.CodeInvalidConfig, Message: "slack needs a webhook-url"}},
		"a webhook of nowhere": {m{"provider": "discord", "webhook-url": "ftp://s3cret"}, broken, orbit.Error{Code: orbit.CodeInvalidConfig, Message: "discord needs a webhook-url"}},
		"an unknown provider":  {m{"provider": "pigeon"}, broken, orbit.Error{Code: orbit.CodeInvalidConfig, Message: `provider "pigeon" is none of`}},
	} {
		t.Run(name, func(t *testing.T) {
			config := maps.Clone(c.config)
			_, err := send("", config, c.input)
			judge(t, err, c.want)
		})
	}
}
