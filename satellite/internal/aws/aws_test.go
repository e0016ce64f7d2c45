package aws_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"

	"github.com/exospherehost/orbit"
	"github.com/exospherehost/orbit/satellite/internal/aws"
	"github.com/exospherehost/orbit/satellite/internal/service"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// The examples of Amazon's own test suite for Signature Version 4 (aws-sig-v4-test-suite), and the one of its user guide.
func TestSignaturesAreThoseOfThePublishedTestSuite(t *testing.T) {
	suite := aws.Account{AccessKey: "AKIDEXAMPLE", SecretKey: "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY", Region: "us-east-1"}
	form := http.Header{"Content-Type": {"application/x-www-form-urlencoded"}}
	for name, c := range map[string]struct {
		method, url, api string
		header           http.Header
		body             string
		signed, want     string
	}{
		"get-vanilla":                      {"GET", "https://example.amazonaws.com/", "service", nil, "", "host;x-amz-date", "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31"},
		"get-vanilla-query-order-key-case": {"GET", "https://example.amazonaws.com/?Param2=value2&Param1=value1", "service", nil, "", "host;x-amz-date", "b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500"},
		"post-vanilla":                     {"POST", "https://example.amazonaws.com", "service", nil, "", "host;x-amz-date", "5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b"},
		"post-x-www-form-urlencoded":       {"POST", "https://example.amazonaws.com/", "service", form, "Param1=value1", "content-type;host;x-amz-date", "ff11897932ad3f4e8b18135d722051e5ac45fc38421b1da7b9d196a0fe09473a"},
		"the user guide's":                 {"GET", "https://iam.amazonaws.com/?Action=ListUsers&Version=2010-05-08", "iam", http.Header{"Content-Type": {"application/x-www-form-urlencoded; charset=utf-8"}}, "", "content-type;host;x-amz-date", "5d672d79c15b13162d9279b0855cfba6789a8edb4c82c400e06b5924a6f2b5d7"},
	} {
		t.Run(name, func(t *testing.T) {
			target, err := url.Parse(c.url)
			if err != nil {
				t.Fatal(err)
			}
			header := c.header.Clone()
			if header == nil {
				header = http.Header{}
			}
			aws.Sign(c.method, target, header, []byte(c.body), suite, c.api, time.Date(2015, 8, 30, 12, 36, 0, 0, time.UTC))
			want := "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/" + c.api + "/aws4_request, SignedHeaders=" + c.signed + ", Signature=" + c.want
			if got := header.Get("Authorization"); got != want {
				t.Errorf("\n%s, want\n%s", got, want)
			}
		})
	}
}

func TestASessionTokenIsSignedToo(t *testing.T) {
	header := http.Header{}
	aws.Sign("POST", &url.URL{Host: "h", Path: "/a b/é"}, header, nil, aws.Account{AccessKey: "A", SecretKey: "s", SessionToken: "token", Region: "eu-west-1"}, "ses", time.Now())
	if header.Get("X-Amz-Security-Token") != "token" || !strings.Contains(header.Get("Authorization"), "SignedHeaders=host;x-amz-date;x-amz-security-token,") {
		t.Errorf("headers %v", header)
	}
}

func TestErrorsAreJudgedByTheirCodes(t *testing.T) {
	const who = "POST URL/ answered "
	for name, c := range map[string]struct {
		status int
		header http.Header
		body   string
		want   *orbit.Error
	}{
		"a throttled request":   {400, nil, `{"__type":"ThrottlingException","message":"Rate exceeded"}`, orbit.Transient(orbit.CodeUnavailable, who+"ThrottlingException: Rate exceeded")},
		"with a wait":           {400, http.Header{"Retry-After": {"3"}}, `{"__type":"x.y#TooManyRequestsException"}`, orbit.RetryAfter(3*time.Second, orbit.CodeUnavailable, who+"TooManyRequestsException")},
		"a header's code":       {400, http.Header{"X-Amzn-Errortype": {"LimitExceededException:http://internal/"}}, `{"message":"m"}`, orbit.Transient(orbit.CodeUnavailable, who+"LimitExceededException: m")},
		"an unknown key":        {400, nil, `{"__type":"UnrecognizedClientException","message":"The security token is invalid."}`, orbit.Permanent(orbit.CodeDenied, who+"UnrecognizedClientException: The security token is invalid.; check the key")},
		"a wrong secret":        {403, nil, `{"__type":"InvalidSignatureException","message":"not s3cr3t-key"}`, orbit.Permanent(orbit.CodeDenied, who+"InvalidSignatureException: not ***; check the key")},
		"a wrong clock":         {403, nil, `{"code":"RequestExpired","message":"old"}`, orbit.Transient(orbit.CodeUnavailable, who+"RequestExpired: old; set the clock of the node")},
		"denied without a code": {403, nil, ``, orbit.Permanent(orbit.CodeDenied, who+"403 Forbidden; check the key")},
		"anything else":         {400, nil, `{"__type":"InvalidParameterException","message":"no"}`, orbit.Permanent(orbit.CodeRejected, who+`400 Bad Request: {"__type":"InvalidParameterException","message":"no"}`)},
		"a status":              {503, nil, `<html>`, orbit.Transient(orbit.CodeUnavailable, who+"503 Service Unavailable: <html>")},
	} {
		t.Run(name, func(t *testing.T) {
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				for k, v := range c.header {
					w.Header()[k] = v
				}
				w.WriteHeader(c.status)
				_, _ = io.WriteString(w, c.body)
			}))
			defer server.Close()
			client := service.NewClient()
			defer client.Close()
			_, err := aws.Do(context.Background(), client, aws.Account{AccessKey: "AKID", SecretKey: "s3cr3t-key", Region: "eu-west-1"}, "logs",
				&service.Call{Method: "POST", URL: server.URL + "/", Denied: "check the key"})
			var got *orbit.Error
			if !errors.As(err, &got) {
				t.Fatalf("Do returned %v", err)
			}
			c.want.Message = strings.Replace(c.want.Message, "URL", server.URL, 1)
			if d := cmp.Diff(c.want, got); d != "" {
				t.Errorf("error (-want +got):\n%s", d)
			}
		})
	}
}

func TestOnlyNamesOfRegionsBecomeHosts(t *testing.T) {
	for region, want := range map[string]bool{"eu-west-1": true, "us-gov-east-1": true, "": false, "a.b": false, "evil/": false, "EU": false, strings.Repeat("a", 33): false} {
		if got := aws.ValidRegion(region); got != want {
			t.Errorf("%q: %v", region, got)
		}
	}
	if got := aws.Host("logs", "eu-west-1") + " " + aws.Host("logs", "cn-north-1"); got != "logs.eu-west-1.amazonaws.com logs.cn-north-1.amazonaws.com.cn" {
		t.Error(got)
	}
}
