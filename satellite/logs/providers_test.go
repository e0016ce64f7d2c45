package logs_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/exospherehost/orbit"
	"github.com/exospherehost/orbit/satellite/internal/servicetest"
)

var two = []any{
	rec("k1", "info", "read <a>\nand \"b\"", when, m{"pages": 3, "ok": true, "ratio": 0.5, "list": []any{1, "x"}}),
	rec("k2", "error", "broken", "2026-03-01T12:00:01Z", m{}),
}

func TestNewRelicGetsOnePackedPayload(t *testing.T) {
	server := servicetest.Serve(t, say(202, nil, `{"requestId":"r"}`))
	got, err := forward(t, map[string]string{"new-relic": server.URL}, config("new-relic", m{"account-id": 12, "application-id": "34"}), two...)
	if err != nil {
		t.Fatal(err)
	}
	same(t, "outcome", m{"sent": 2}, got)
	h := server.Heard()[0]
	same(t, "request", []string{"POST", "/log/v1", ""}, []string{h.Method, h.Path, h.Query})
	same(t, "headers", map[string]string{"Api-Key": "k3y-s3cret", "Content-Type": "application/json", "Content-Encoding": "gzip", "User-Agent": "exosphere-orbit"},
		h.Headers("Api-Key", "Content-Type", "Content-Encoding", "User-Agent"))
	same(t, "body", parsed(t, `[{"common":{"attributes":{"logtype":"exosphere-orbit","application-id":"34","entity.guid":"MTJ8QVBNfEFQUExJQ0FUSU9OfDM0"}},
		"logs":[
		 {"timestamp":1772366400500,"message":"read <a>\nand \"b\"","attributes":{"level":"info","run":"run1","cluster":"demo/reports","satellite":"parse","item":"parse/0.1","attempt":2,"node":"n1",
		  "record-id":"k1","fields.pages":3,"fields.ok":true,"fields.ratio":0.5,"fields.list":"[1,\"x\"]"}},
		 {"timestamp":1772366401000,"message":"broken","attributes":{"level":"error","run":"run1","cluster":"demo/reports","satellite":"parse","item":"parse/0.1","attempt":2,"node":"n1","record-id":"k2"}}]}]`),
		parsed(t, h.Body))
}

func TestTheEntityOfAnApplicationNeedsItsNumbers(t *testing.T) {
	server := servicetest.Serve(t)
	if _, err := forward(t, map[string]string{"new-relic": server.URL + "/log/v1"}, config("new-relic", nil), two...); err != nil {
		t.Fatal(err)
	}
	if h := server.Heard()[0]; strings.Contains(h.Body, "entity.guid") || h.Path != "/log/v1" {
		t.Errorf("sent %s to %s", h.Body, h.Path)
	}
}

func TestDatadogGetsAList(t *testing.T) {
	server := servicetest.Serve(t, say(202, nil, `{}`))
	got, err := forward(t, map[string]string{"datadog": server.URL}, config("datadog", nil), two...)
	if err != nil {
		t.Fatal(err)
	}
	same(t, "outcome", m{"sent": 2}, got)
	h := server.Heard()[0]
	same(t, "request", []string{"POST", "/api/v2/logs", ""}, []string{h.Method, h.Path, h.Query})
	same(t, "headers", map[string]string{"Dd-Api-Key": "k3y-s3cret", "Content-Type": "application/json"}, h.Headers("Dd-Api-Key", "Content-Type"))
	list := parsed(t, h.Body).([]any)
	same(t, "first", parsed(t, `{"ddsource":"exosphere-orbit","service":"app","hostname":"n1","ddtags":"account:acc,cluster:demo/reports","timestamp":"2026-03-01T12:00:00.500Z",
		"status":"info","message":"read <a>\nand \"b\"","id":"k1","run":"run1","cluster":"demo/reports","satellite":"parse","item":"parse/0.1","attempt":2,"node":"n1",
		"fields":{"pages":3,"ok":true,"ratio":0.5,"list":[1,"x"]}}`), list[0])
}

func TestLogzIOGetsLines(t *testing.T) {
	server := servicetest.Serve(t)
	got, err := forward(t, map[string]string{"logz-io": server.URL}, config("logz-io", nil), two...)
	if err != nil {
		t.Fatal(err)
	}
	same(t, "outcome", m{"sent": 2}, got)
	h := server.Heard()[0]
	same(t, "request", []string{"POST", "/", "token=k3y-s3cret&type=app"}, []string{h.Method, h.Path, h.Query})
	lines := strings.Split(h.Body, "\n")
	if len(lines) != 2 {
		t.Fatalf("lines %q", lines)
	}
	same(t, "second", parsed(t, `{"@timestamp":"2026-03-01T12:00:01.000Z","account":"acc","level":"error","message":"broken","id":"k2","run":"run1","cluster":"demo/reports","satellite":"parse",
		"item":"parse/0.1","attempt":2,"node":"n1","fields":{}}`), parsed(t, lines[1]))
}

func TestLinesThatLogzIOHasTakenAreNotSentAgain(t *testing.T) {
	server := servicetest.Serve(t, say(400, nil, `{"malformedLines": 0, "successfulLines": 1, "oversizedLines": 1, "emptyLogLines": 0}`))
	got, err := forward(t, map[string]string{"logz-io": server.URL}, config("logz-io", nil), two...)
	if err != nil {
		t.Fatal(err)
	}
	same(t, "outcome", m{"sent": 1, "refused": 1}, got)
	if len(server.Heard()) != 1 {
		t.Errorf("%d requests", len(server.Heard()))
	}
}

const target = "Logs_20140328."

func TestCloudWatchGetsSignedEvents(t *testing.T) {
	server := servicetest.Serve(t, say(200, nil, `{"nextSequenceToken":"1"}`))
	got, err := forward(t, map[string]string{"cloudwatch": server.URL}, config("cloudwatch", m{"secrets": m{"AWS_SESSION_TOKEN": "t"}}), two[1], two[0])
	if err != nil {
		t.Fatal(err)
	}
	same(t, "outcome", m{"sent": 2}, got)
	h := server.Heard()[0]
	same(t, "request", []string{"POST", "/", ""}, []string{h.Method, h.Path, h.Query})
	same(t, "headers", map[string]string{"Content-Type": "application/x-amz-json-1.1", "X-Amz-Target": target + "PutLogEvents", "X-Amz-Security-Token": "t"},
		h.Headers("Content-Type", "X-Amz-Target", "X-Amz-Security-Token"))
	if a := h.Header.Get("Authorization"); !strings.HasPrefix(a, "AWS4-HMAC-SHA256 Credential=acc/") ||
		!strings.Contains(a, "/eu-west-1/logs/aws4_request, SignedHeaders=content-type;host;x-amz-date;x-amz-security-token;x-amz-target, Signature=") {
		t.Errorf("Authorization: %s", a)
	}
	body := parsed(t, h.Body).(m)
	events := body["logEvents"].([]any)
	same(t, "places", []any{"app", "orbit/run1", 1772366400500.0, 1772366401000.0},
		[]any{body["logGroupName"], body["logStreamName"], events[0].(m)["timestamp"], events[1].(m)["timestamp"]})
	same(t, "message", parsed(t, `{"id":"k2","time":"2026-03-01T12:00:01.000Z","level":"error","message":"broken","run":"run1","cluster":"demo/reports","satellite":"parse","item":"parse/0.1",
		"attempt":2,"node":"n1","fields":{}}`), parsed(t, events[1].(m)["message"].(string)))
}

func TestCloudWatchAnswers(t *testing.T) {
	missing := say(400, nil, `{"__type":"ResourceNotFoundException","message":"The specified log stream does not exist."}`)
	for name, c := range map[string]struct {
		script  []said
		actions string
		want    m
		err     *orbit.Error
	}{
		"a stream that is made":       {[]said{missing, say(200, nil, ""), say(200, nil, "{}")}, "PutLogEvents CreateLogStream PutLogEvents", m{"sent": 2}, nil},
		"a stream another made":       {[]said{missing, say(400, nil, `{"__type":"ResourceAlreadyExistsException"}`), say(200, nil, "{}")}, "PutLogEvents CreateLogStream PutLogEvents", m{"sent": 2}, nil},
		"a group that is not there":   {[]said{missing, missing}, "PutLogEvents CreateLogStream", nil, &orbit.Error{Code: orbit.CodeNotFound, Message: "there is no log group app in eu-west-1; make it"}},
		"events that are too old":     {[]said{say(200, nil, `{"rejectedLogEventsInfo":{"tooOldLogEventEndIndex":1}}`)}, "PutLogEvents", m{"sent": 1, "refused": 1}, nil},
		"events of another time":      {[]said{say(200, nil, `{"rejectedLogEventsInfo":{"expiredLogEventEndIndex":1,"tooNewLogEventStartIndex":1}}`)}, "PutLogEvents", m{"sent": 0, "refused": 2}, nil},
		"events that it has":          {[]said{say(400, nil, `{"__type":"DataAlreadyAcceptedException"}`)}, "PutLogEvents", m{"sent": 2}, nil},
		"a throttled request":         {[]said{say(400, nil, `{"__type":"ThrottlingException"}`)}, "PutLogEvents", nil, &orbit.Error{Code: orbit.CodeUnavailable, Retryable: true, Message: "(PutLogEvents) answered ThrottlingException"}},
		"a key that may write only":   {[]said{missing, say(400, nil, `{"__type":"AccessDeniedException","message":"no"}`)}, "PutLogEvents CreateLogStream", nil, &orbit.Error{Code: orbit.CodeDenied, Message: "it may use logs:CreateLogStream"}},
		"a key that is not known":     {[]said{say(400, nil, `{"__type":"UnrecognizedClientException"}`)}, "PutLogEvents", nil, &orbit.Error{Code: orbit.CodeDenied, Message: "check account-id (the access key's id)"}},
		"a parameter that is refused": {[]said{say(400, nil, `{"__type":"InvalidParameterException","message":"x"}`)}, "PutLogEvents", nil, &orbit.Error{Code: orbit.CodeRejected, Message: "CloudWatch Logs in eu-west-1 (PutLogEvents) answered 400"}},
	} {
		t.Run(name, func(t *testing.T) {
			server := servicetest.Serve(t, c.script...)
			got, err := forward(t, map[string]string{"cloudwatch": server.URL}, config("cloudwatch", m{"log-stream": "mine"}), two...)
			var actions []string
			for _, h := range server.Heard() {
				actions = append(actions, strings.TrimPrefix(h.Header.Get("X-Amz-Target"), target))
			}
			same(t, "actions", c.actions, strings.Join(actions, " "))
			if len(server.Heard()) > 1 {
				same(t, "CreateLogStream", parsed(t, `{"logGroupName":"app","logStreamName":"mine"}`), parsed(t, server.Heard()[1].Body))
			}
			if c.err != nil {
				judge(t, err, *c.err)
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			same(t, "outcome", c.want, got)
		})
	}
}

func TestKustoGetsRowsFromAnApplicationThatHasLoggedIn(t *testing.T) {
	login := servicetest.Serve(t, say(200, nil, `{"token_type":"Bearer","access_token":"t0ken"}`))
	server := servicetest.Serve(t, say(200, nil, `{"Tables":[]}`))
	c := config("kusto", m{"cluster-url": server.URL, "login-url": login.URL, "api-key": "k3y-s3cret", "database": "my db"})
	got, err := forward(t, nil, c, two...)
	if err != nil {
		t.Fatal(err)
	}
	same(t, "outcome", m{"sent": 2}, got)
	h := login.Heard()[0]
	same(t, "login", []string{"POST", "/acc/oauth2/v2.0/token", "client_id=app&client_secret=k3y-s3cret&grant_type=client_credentials&scope=" +
		strings.NewReplacer(":", "%3A", "/", "%2F").Replace(server.URL+"/.default")}, []string{h.Method, h.Path, h.Body})
	h = server.Heard()[0]
	same(t, "request", []string{"POST", "/v1/rest/ingest/my db/Logs", "streamFormat=CSV"}, []string{h.Method, h.Path, h.Query})
	same(t, "headers", map[string]string{"Authorization": "Bearer t0ken", "Content-Type": "text/csv; charset=utf-8"}, h.Headers("Authorization", "Content-Type"))
	same(t, "rows", "k1,2026-03-01T12:00:00.500Z,info,\"read <a>\nand \"\"b\"\"\",run1,demo/reports,parse,parse/0.1,2,n1,\"{\"\"list\"\":[1,\"\"x\"\"],\"\"ok\"\":true,\"\"pages\"\":3,\"\"ratio\"\":0.5}\"\n"+
		"k2,2026-03-01T12:00:01.000Z,error,broken,run1,demo/reports,parse,parse/0.1,2,n1,{}", h.Body)
	if !strings.HasPrefix(h.Header.Get("X-Ms-Client-Request-Id"), "orbit;") {
		t.Errorf("headers %v", h.Header)
	}
}

func TestKustoWithAMappingGetsObjects(t *testing.T) {
	server := servicetest.Serve(t)
	if _, err := forward(t, map[string]string{"kusto": server.URL}, config("kusto", m{"mapping": "orbit"}), two...); err != nil {
		t.Fatal(err)
	}
	h := server.Heard()[0]
	same(t, "request", []string{"/v1/rest/ingest/db/Logs", "mappingName=orbit&streamFormat=MultiJSON", "Bearer eyJh.k3y-s3cret.c"}, []string{h.Path, h.Query, h.Header.Get("Authorization")})
	same(t, "second", "k2", parsed(t, strings.Split(h.Body, "\n")[1]).(m)["id"])
}

func TestKustoAnswers(t *testing.T) {
	fine := say(200, nil, `{"access_token":"t0ken-s3cret"}`)
	for name, c := range map[string]struct {
		login, ingest said
		want          orbit.Error
	}{
		"a wrong secret":         {say(401, nil, `{"error":"invalid_client"}`), said{}, orbit.Error{Code: orbit.CodeDenied, Message: "check account-id (the tenant), application-id"}},
		"an unknown tenant":      {say(400, nil, `{"error":"invalid_request","error_description":"AADSTS90002"}`), said{}, orbit.Error{Code: orbit.CodeDenied, Message: "AADSTS90002"}},
		"a login out of order":   {say(503, nil, ""), said{}, orbit.Error{Code: orbit.CodeUnavailable, Retryable: true, Message: "/acc/oauth2/v2.0/token answered 503"}},
		"a login without token":  {say(200, nil, "hello"), said{}, orbit.Error{Code: orbit.CodeUnavailable, Retryable: true, Message: "answered without a token"}},
		"a role that is missing": {fine, say(403, nil, "t0ken-s3cret may not"), orbit.Error{Code: orbit.CodeDenied, Message: "*** may not; give the application of application-id the role"}},
		"a table that is not":    {fine, say(400, nil, `{"error":{"@permanent":true,"message":"no table"}}`), orbit.Error{Code: orbit.CodeRejected, Message: "no table"}},
		"a passing trouble":      {fine, say(400, nil, `{"error":{"@permanent":false,"message":"later"}}`), orbit.Error{Code: orbit.CodeUnavailable, Retryable: true, Message: "later"}},
	} {
		t.Run(name, func(t *testing.T) {
			login, server := servicetest.Serve(t, c.login), servicetest.Serve(t, c.ingest)
			_, err := forward(t, nil, config("kusto", m{"cluster-url": server.URL, "login-url": login.URL, "api-key": "k3y-s3cret"}), two...)
			judge(t, err, c.want)
		})
	}
}

func TestSentryGetsAnEnvelopeOfLogs(t *testing.T) {
	server := servicetest.Serve(t, say(200, nil, `{}`))
	dsn := strings.Replace(server.URL, "http://", "http://k3y-s3cret@", 1) + "/relay/42"
	for _, c := range []struct {
		endpoints map[string]string
		config    m
		path      string
	}{
		{map[string]string{"sentry": server.URL}, config("sentry", nil), "/api/42/envelope/"},
		{nil, config("sentry", m{"api-key": dsn, "account-id": "x", "application-id": "y"}), "/relay/api/42/envelope/"},
	} {
		got, err := forward(t, c.endpoints, c.config, two...)
		if err != nil {
			t.Fatal(err)
		}
		same(t, "outcome", m{"sent": 2}, got)
		h := server.Heard()[len(server.Heard())-1]
		same(t, "request", []string{"POST", c.path, ""}, []string{h.Method, h.Path, h.Query})
		same(t, "headers", map[string]string{"Content-Type": "application/x-sentry-envelope", "X-Sentry-Auth": "Sentry sentry_version=7, sentry_key=k3y-s3cret, sentry_client=exosphere-orbit/1"},
			h.Headers("Content-Type", "X-Sentry-Auth"))
		lines := strings.Split(h.Body, "\n")
		same(t, "head", []any{m{}, m{"type": "log", "item_count": 2.0, "content_type": "application/vnd.sentry.items.log+json"}}, []any{parsed(t, lines[0]), parsed(t, lines[1])})
		first := parsed(t, lines[2]).(m)["items"].([]any)[0].(m)
		attributes := first["attributes"].(m)
		same(t, "first", []any{1772366400.5, "info", "read <a>\nand \"b\"", 32,
			m{"value": "run1", "type": "string"}, m{"value": 2.0, "type": "integer"}, m{"value": 0.5, "type": "double"}, m{"value": true, "type": "boolean"}, m{"value": "k1", "type": "string"}},
			[]any{first["timestamp"], first["level"], first["body"], len(first["trace_id"].(string)),
				attributes["run"], attributes["attempt"], attributes["fields.ratio"], attributes["fields.ok"], attributes["record-id"]})
	}
}

func TestASpecialKeyOfASentryDSNIsNotShown(t *testing.T) {
	server := servicetest.Serve(t, say(403, http.Header{}, "k3y-s3cret"))
	dsn := strings.Replace(server.URL, "http://", "http://k3y-s3cret@", 1) + "/42"
	_, err := forward(t, nil, config("sentry", m{"api-key": dsn}), two...)
	judge(t, err, orbit.Error{Code: orbit.CodeDenied, Message: "check api-key (the public key of the DSN)"})
}
