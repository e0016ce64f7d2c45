package email_test

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"mime"
	"mime/multipart"
	"net/http"
	"net/mail"
	"strings"
	"testing"
	"time"

	"github.com/exospherehost/orbit"
	"github.com/exospherehost/orbit/satellite/internal/servicetest"
)

func base64Of(text string) string { return base64.StdEncoding.EncodeToString([]byte(text)) }

// configs are working ones of the services over HTTP.
func configs() map[string]m {
	return map[string]m{
		"ses":     {"provider": "ses", "from": "Orbit <orbit@example.com>", "secrets": m{"AWS_ACCESS_KEY": "AKID", "AWS_SECRET_KEY": "k3y-s3cret", "AWS_REGION": "eu-west-1"}},
		"mailgun": {"provider": "mailgun", "from": "orbit@example.com", "secrets": m{"MAILGUN_API_KEY": "k3y-s3cret", "MAILGUN_DOMAIN": "mg.example.com"}},
	}
}

var everybody = m{"to": "Ä <a@example.org>", "cc": []any{"c@example.org"}, "bcc": "d@example.org", "subject": "Hello", "body": "One"}

func at(server *servicetest.Fake) options {
	return options{endpoints: map[string]string{"ses": server.URL, "mailgun": server.URL}}
}

func TestSESGetsARawMail(t *testing.T) {
	server := servicetest.Serve(t, say(200, nil, `{"MessageId":"0102018f"}`))
	got, err := send(at(server), configs()["ses"], everybody)
	if err != nil {
		t.Fatal(err)
	}
	same(t, "outcome", m{"message-id": "<0102018f@eu-west-1.amazonses.com>"}, got)
	h := server.Heard()[0]
	same(t, "request", []string{"POST", "/v2/email/outbound-emails", "", "application/json"}, []string{h.Method, h.Path, h.Query, h.Header.Get("Content-Type")})
	if a := h.Header.Get("Authorization"); !strings.HasPrefix(a, "AWS4-HMAC-SHA256 Credential=AKID/") || !strings.Contains(a, "/eu-west-1/ses/aws4_request, SignedHeaders=content-type;host;x-amz-date, ") {
		t.Errorf("Authorization: %s", a)
	}
	body := parsed(t, h.Body).(m)
	raw, err := base64.StdEncoding.DecodeString(body["Content"].(m)["Raw"].(m)["Data"].(string))
	if err != nil {
		t.Fatal(err)
	}
	checkMail(t, string(raw))
	delete(body, "Content")
	same(t, "envelope", parsed(t, `{"FromEmailAddress":"orbit@example.com","Destination":{"ToAddresses":["a@example.org"],"CcAddresses":["c@example.org"],"BccAddresses":["d@example.org"]}}`), body)
}

func TestMailgunGetsTheMailAsAForm(t *testing.T) {
	server := servicetest.Serve(t, say(200, nil, `{"id":"<x@mg>","message":"Queued. Thank you."}`))
	got, err := send(at(server), configs()["mailgun"], everybody)
	if err != nil {
		t.Fatal(err)
	}
	same(t, "outcome", m{"message-id": id}, got)
	h := server.Heard()[0]
	same(t, "request", []string{"POST", "/v3/mg.example.com/messages.mime", "Basic " + base64Of("api:k3y-s3cret")}, []string{h.Method, h.Path, h.Header.Get("Authorization")})
	_, params, err := mime.ParseMediaType(h.Header.Get("Content-Type"))
	if err != nil {
		t.Fatal(err)
	}
	form, err := multipart.NewReader(bytes.NewReader([]byte(h.Body)), params["boundary"]).ReadForm(1 << 20)
	if err != nil {
		t.Fatal(err)
	}
	same(t, "recipients", []string{"a@example.org,c@example.org,d@example.org"}, form.Value["to"])
	f, err := form.File["message"][0].Open()
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	var b bytes.Buffer
	if _, err := b.ReadFrom(f); err != nil {
		t.Fatal(err)
	}
	checkMail(t, b.String())
}

// checkMail looks at what stands in the mail, and what does not.
func checkMail(t *testing.T, text string) {
	t.Helper()
	message, err := mail.ReadMessage(strings.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	h := message.Header
	same(t, "headers", []string{id, "=?utf-8?q?=C3=84?= <a@example.org>", "<c@example.org>", "", "Hello"}, []string{h.Get("Message-ID"), h.Get("To"), h.Get("Cc"), h.Get("Bcc"), h.Get("Subject")})
	if at, err := h.Date(); err != nil || time.Since(at) > time.Hour {
		t.Errorf("date %v, %v", at, err)
	}
}

func TestServicesOverHTTPAreJudged(t *testing.T) {
	for service, config := range configs() {
		for name, c := range map[string]struct {
			said servicetest.Said
			want orbit.Error
		}{
			"too many requests": {say(429, http.Header{"Retry-After": {"7"}}, ""), orbit.Error{Code: orbit.CodeUnavailable, Retryable: true, After: 7 * time.Second, Message: "429"}},
			"out of order":      {say(500, nil, "oops"), orbit.Error{Code: orbit.CodeUnavailable, Retryable: true, Message: "oops"}},
			"an unknown key":    {say(401, nil, "not k3y-s3cret"), orbit.Error{Code: orbit.CodeDenied, Message: "not ***; check "}},
			"a bad request":     {say(400, nil, `{"message":"to parameter is not a valid address"}`), orbit.Error{Code: orbit.CodeRejected, Message: "is not a valid address"}},
		} {
			t.Run(service+", "+name, func(t *testing.T) {
				_, err := send(at(servicetest.Serve(t, c.said)), config, everybody)
				judge(t, err, c.want)
			})
		}
		slow := servicetest.Slow(t)
		_, err := send(options{endpoints: map[string]string{service: slow}, patience: 30 * time.Millisecond}, config, everybody)
		judge(t, err, orbit.Error{Code: orbit.CodeTimeout, Retryable: true, Message: "gave no full answer within 30ms"})
		_, err = send(options{endpoints: map[string]string{service: servicetest.Gone(t)}}, config, everybody)
		judge(t, err, orbit.Error{Code: orbit.CodeUnavailable, Retryable: true, Message: "connection refused"})
		for _, body := range []string{"thanks", strings.Repeat("x", 2<<20)} {
			if got, err := send(at(servicetest.Serve(t, say(200, nil, body))), config, everybody); err != nil || got["message-id"] != id {
				t.Errorf("%s: %v, %v", service, got, err)
			}
		}
	}
	server := servicetest.Serve(t, say(400, http.Header{"X-Amzn-Errortype": {"LimitExceededException"}}, `{"message":"Daily message quota exceeded."}`))
	_, err := send(at(server), configs()["ses"], everybody)
	judge(t, err, orbit.Error{Code: orbit.CodeUnavailable, Retryable: true, Message: "LimitExceededException: Daily message quota exceeded."})
}

func TestServicesOverHTTPNeedTheirSecrets(t *testing.T) {
	var crowd []any
	for i := range 51 {
		crowd = append(crowd, fmt.Sprintf("a%d@example.org", i))
	}
	for name, c := range map[string]struct {
		service string
		secrets m
		input   m
		want    orbit.Error
	}{
		"no key of AWS":     {"ses", m{"AWS_REGION": "eu-west-1"}, everybody, orbit.Error{Code: orbit.CodeDenied, Message: "secrets lack AWS_ACCESS_KEY"}},
		"no region":         {"ses", m{"AWS_ACCESS_KEY": "a", "AWS_SECRET_KEY": "b"}, everybody, orbit.Error{Code: orbit.CodeInvalidConfig, Message: "there is no region of AWS"}},
		"no key of Mailgun": {"mailgun", m{"MAILGUN_DOMAIN": "x"}, everybody, orbit.Error{Code: orbit.CodeDenied, Message: "no MAILGUN_API_KEY"}},
		"no domain":         {"mailgun", m{"MAILGUN_API_KEY": "k", "MAILGUN_DOMAIN": "x/../y"}, everybody, orbit.Error{Code: orbit.CodeInvalidConfig, Message: "no MAILGUN_DOMAIN"}},
		"a crowd": {"ses", configs()["ses"]["secrets"].(m), m{"to": crowd, "subject": "s", "body": ""},
			orbit.Error{Code: orbit.CodeTooLarge, Message: "51 recipients, and SES takes 50"}},
	} {
		t.Run(name, func(t *testing.T) {
			config := configs()[c.service]
			config["secrets"] = c.secrets
			_, err := send(options{}, config, c.input)
			judge(t, err, c.want)
		})
	}
}
