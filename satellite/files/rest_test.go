package files

import (
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/exospherehost/orbit"
	"github.com/exospherehost/orbit/satellite"
)

// cloud is a fake of Google's or Microsoft's store that can be told what to answer.
type cloud struct {
	name    string // of the service
	uri     string
	host    string
	secrets map[string]any
	opener  *Opener
	answer  *atomic.Pointer[http.HandlerFunc]
	pages   *atomic.Int32
	keys    string
}

func clouds(t *testing.T, keys ...string) []cloud {
	t.Helper()
	g, a := newFakeGCS(t, keys...), newFakeAzure(t, keys...)
	o := NewOpener(map[string]string{"gcs": g.URL, "azure-blob": a.URL})
	o.attempts = 1
	t.Cleanup(o.Close)
	return []cloud{
		{"Google Cloud Storage", "gs://bucket", g.host(), g.secrets(t), o, &g.answer, &g.pages, "GOOGLE_APPLICATION_CREDENTIALS_JSON (or GCS_ACCESS_KEY and GCS_SECRET_KEY)"},
		{"Azure Blob Storage", "az://bucket", a.host(), a.secrets(), o, &a.answer, &a.pages, azureKeys},
	}
}

func (c cloud) list(t *testing.T, emit satellite.Emit) error {
	t.Helper()
	p, _ := providerAt(c.uri)
	return find(t, c.opener, "get-files").Run(t.Context(), &satellite.Invocation{Config: config{
		"provider": p.name, "folder-path": c.uri + "/", "secrets": c.secrets}}, emit)
}

// says lets the cloud give one answer to everything.
func (c cloud) says(answer http.HandlerFunc) { c.answer.Store(&answer) }

func drop(orbit.Object) error { return nil }

func TestACloudsRefusalHasASentence(t *testing.T) {
	for _, c := range clouds(t) {
		bucket := "bucket bucket"
		if c.name == "Azure Blob Storage" {
			bucket = "container bucket"
		}
		for _, r := range []struct {
			status    int
			word      string
			want      orbit.Code
			retryable bool
			after     time.Duration
			message   string
		}{
			{401, "authError", orbit.CodeDenied, false, 0, "the credentials in secrets may not read %[1]s at %[2]s (HTTP 401, authError); check %[3]s, and what they are allowed"},
			{403, "forbidden", orbit.CodeDenied, false, 0, "the credentials in secrets may not read %[1]s at %[2]s (HTTP 403, forbidden); check %[3]s, and what they are allowed"},
			{404, "notFound", orbit.CodeNotFound, false, 0, "%[1]s was not found at %[2]s; check bucket and path"},
			{404, "ContainerNotFound", orbit.CodeNotFound, false, 0, "%[1]s was not found at %[2]s; check its name and the account"},
			{400, "invalid", orbit.CodeRejected, false, 0, "%[4]s at %[2]s rejects the request for %[1]s (HTTP 400, invalid); check the path and the endpoint"},
			{307, "", orbit.CodeRejected, false, 0, "%[4]s at %[2]s rejects the request for %[1]s (HTTP 307); check the path and the endpoint"},
			{409, "BlobArchived", orbit.CodeRejected, false, 0, "%[1]s is archived and cannot be read at %[2]s; restore it first"},
			{408, "", orbit.CodeUnavailable, true, 0, "%[4]s at %[2]s cannot serve %[1]s at the moment (HTTP 408); try again later"},
			{429, "rateLimitExceeded", orbit.CodeUnavailable, true, 7 * time.Second, "%[4]s at %[2]s cannot serve %[1]s at the moment (HTTP 429, rateLimitExceeded); try again later"},
			{503, "ServerBusy", orbit.CodeUnavailable, true, 7 * time.Second, "%[4]s at %[2]s cannot serve %[1]s at the moment (HTTP 503, ServerBusy); try again later"},
			{503, "CANARY not one word", orbit.CodeUnavailable, true, 7 * time.Second, "%[4]s at %[2]s cannot serve %[1]s at the moment (HTTP 503); try again later"},
		} {
			c.says(func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("X-Ms-Error-Code", r.word)
				w.Header().Set("Location", "http://127.0.0.1:1/elsewhere")
				if r.after > 0 {
					w.Header().Set("Retry-After", "7")
				}
				w.WriteHeader(r.status)
				fmt.Fprintf(w, `{"error": {"message": "CANARY", "errors": [{"reason": %q}]}}`, r.word)
			})
			err := c.list(t, drop)
			wantError(t, err, r.want, r.retryable, fmt.Sprintf(r.message+"%[5]s", bucket, c.host, c.keys, c.name, ""))
			if after := orbit.AsError(err).After; after != r.after {
				t.Errorf("%s: wait %s, want %s", r.word, after, r.after)
			}
			noCanary(t, err)
		}
	}
}

func TestACloudsAnswerThatIsNoneIsTriedAgain(t *testing.T) {
	for _, c := range clouds(t) {
		for name, r := range map[string]struct {
			answer  func(http.ResponseWriter, *http.Request)
			code    orbit.Code
			retry   bool
			message string
		}{
			"no JSON and no XML": {func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "<html>CANARY") }, orbit.CodeUnavailable, true, " gave an answer that cannot be read; check the endpoint"},
			"cut off": {func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Content-Length", "100")
				fmt.Fprint(w, "{")
			}, orbit.CodeUnavailable, true, " cannot be reached (the connection or its answer broke off); check the endpoint and the network"},
			"huge":         {func(w http.ResponseWriter, _ *http.Request) { _, _ = io.CopyN(w, endless{}, maxPage+2) }, orbit.CodeTooLarge, false, " answered with more than 16 MiB; check the endpoint"},
			"none in time": {func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }, orbit.CodeUnavailable, true, " cannot be reached (it did not answer in time); check the endpoint and the network"},
		} {
			c.says(r.answer)
			o := NewOpener(c.opener.endpoints)
			o.attempts = 1
			if name == "none in time" {
				o.transport.ResponseHeaderTimeout = 20 * time.Millisecond
			}
			c.opener = o
			err := c.list(t, drop)
			o.Close()
			wantError(t, err, r.code, r.retry, c.name+" at "+c.host+r.message)
		}
	}
}

// endless is a body without an end.
type endless struct{}

func (endless) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = ' '
	}
	return len(p), nil
}

func TestACloudThatIsDownIsTriedAgain(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := l.Addr().String()
	l.Close()
	o := NewOpener(map[string]string{"gcs": "http://" + address, "azure-blob": "http://" + address})
	o.attempts = 1
	defer o.Close()
	for uri, name := range map[string]string{"gs://bucket/a": "Google Cloud Storage", "az://bucket/a": "Azure Blob Storage"} {
		_, _, err := read(t, o, uri, map[string]string{"AZURE_STORAGE_ACCOUNT": "account"})
		wantError(t, err, orbit.CodeUnavailable, true, name+" at "+address+" cannot be reached (connection refused); check the endpoint and the network")
	}
}

func TestOneFailedRequestToACloudIsTriedAgainAtOnce(t *testing.T) {
	for _, c := range clouds(t, "a.pdf") {
		c.opener.attempts = httpAttempts
		var failed atomic.Bool
		c.says(func(w http.ResponseWriter, r *http.Request) {
			failed.Store(true)
			c.answer.Store(nil)
			w.WriteHeader(http.StatusServiceUnavailable)
		})
		n := 0
		if err := c.list(t, func(orbit.Object) error { n++; return nil }); err != nil || n != 1 || !failed.Load() {
			t.Errorf("%s: %d files, %v", c.name, n, err)
		}
	}
}

func TestACloudsListingOfAHundredThousandStreams(t *testing.T) {
	const n, page = 100_000, 1000
	names := make([]string, n)
	for i := range names {
		names[i] = fmt.Sprintf("f%06d.pdf", i)
	}
	for _, c := range clouds(t, names...) {
		count := 0
		err := c.list(t, func(orbit.Object) error {
			if pages := int(c.pages.Load()); pages != count/page+1 {
				return fmt.Errorf("object %d was emitted after %d pages", count, pages)
			}
			count++
			return nil
		})
		if err != nil || count != n {
			t.Errorf("%s: %d objects, %v", c.name, count, err)
		}
		full := errors.New("full")
		if err := c.list(t, func(orbit.Object) error { return full }); err != full {
			t.Errorf("%s: emit's error came back as %v", c.name, err)
		}
	}
}

func TestCredentialsOfACloudThatAreNone(t *testing.T) {
	g, a := newFakeGCS(t, "a"), newFakeAzure(t, "a")
	o := NewOpener(map[string]string{"gcs": g.URL, "azure-blob": a.URL})
	o.attempts = 1
	defer o.Close()
	key := g.secrets(t)[gcsKeys].(string)
	const noKey = gcsKeys + " in secrets is no key of a service account; give the whole JSON text of the key's file"
	for _, c := range []struct {
		uri     string
		secrets map[string]string
		message string
	}{
		{"gs://bucket/a", map[string]string{gcsKeys: "/etc/key.json"}, noKey},
		{"gs://bucket/a", map[string]string{gcsKeys: `{"type": "authorized_user", "client_email": "CANARY"}`}, noKey},
		{"gs://bucket/a", map[string]string{gcsKeys: strings.Replace(key, "BEGIN PRIVATE KEY", "BEGIN CANARY", 1)}, noKey},
		{"gs://bucket/a", map[string]string{"GCS_ACCESS_KEY": "CANARY"}, "secrets hold GCS_ACCESS_KEY but no GCS_SECRET_KEY; give both"},
		{"gs://bucket/a", map[string]string{}, "gs://bucket/a at " + g.host() + " cannot be read without credentials (HTTP 401, required); add " + gcsKeys + " (or GCS_ACCESS_KEY and GCS_SECRET_KEY) to secrets"},
		{"az://bucket/a", map[string]string{"AZURE_STORAGE_ACCOUNT": "a", "AZURE_STORAGE_KEY": "CANARY"}, "AZURE_STORAGE_KEY in secrets is no base64; copy one of the two access keys of the storage account"},
		{"az://bucket/a", map[string]string{"AZURE_STORAGE_ACCOUNT": azureTestAccount, "AZURE_STORAGE_KEY": "Q0FOQVJZ"},
			"the credentials in secrets may not read az://bucket/a at " + a.host() + " (HTTP 403, AuthenticationFailed); check " + azureKeys + ", and what they are allowed"},
		{"az://bucket/a", map[string]string{"AZURE_STORAGE_ACCOUNT": azureTestAccount, "AZURE_STORAGE_SAS_TOKEN": "?sig=CANARY"},
			"the credentials in secrets may not read az://bucket/a at " + a.host() + " (HTTP 403, AuthenticationFailed); check " + azureKeys + ", and what they are allowed"},
		{"az://bucket/a", map[string]string{},
			"secrets do not say which storage account of Azure; add AZURE_STORAGE_ACCOUNT with AZURE_STORAGE_KEY or AZURE_STORAGE_SAS_TOKEN, or AZURE_STORAGE_CONNECTION_STRING"},
	} {
		_, _, err := read(t, o, c.uri, c.secrets)
		wantError(t, err, orbit.CodeDenied, false, c.message)
		noCanary(t, err)
	}
}

func TestAPublicBucketOfACloudIsReadWithoutCredentials(t *testing.T) {
	g, a := newFakeGCS(t, "a"), newFakeAzure(t, "a")
	g.public, a.public = true, true
	o := NewOpener(map[string]string{"gcs": g.URL, "azure-blob": a.URL})
	defer o.Close()
	for _, uri := range []string{"gs://bucket/a", "az://bucket/a"} {
		if text, _, err := read(t, o, uri, map[string]string{"AZURE_STORAGE_ACCOUNT": "account"}); text != "a" || err != nil {
			t.Errorf("%s: %q, %v", uri, text, err)
		}
	}
}

func TestATokenIsAskedForOnce(t *testing.T) {
	g := newFakeGCS(t, "a")
	o := NewOpener(map[string]string{"gcs": g.URL})
	defer o.Close()
	secrets := map[string]string{gcsKeys: g.secrets(t)[gcsKeys].(string)}
	for range 3 {
		if _, _, err := read(t, o, "gs://bucket/a", secrets); err != nil {
			t.Fatal(err)
		}
	}
	if n := g.tokens.Load(); n != 1 {
		t.Errorf("%d tokens were asked for", n)
	}
}

func TestAnAccountOfAzureIsFoundInItsConnectionString(t *testing.T) {
	for text, want := range map[string]azureAccount{
		"DefaultEndpointsProtocol=https;AccountName=one;AccountKey=a2V5;EndpointSuffix=core.windows.net":        {"https://one.blob.core.windows.net", "one", "a2V5", ""},
		"DefaultEndpointsProtocol=https;AccountName=one;AccountKey=a2V5==;EndpointSuffix=core.chinacloudapi.cn": {"https://one.blob.core.chinacloudapi.cn", "one", "a2V5==", ""},
		"BlobEndpoint=https://two.blob.core.windows.net/;SharedAccessSignature=?sv=1&sig=x%3D":                  {"https://two.blob.core.windows.net/", "two", "", "sv=1&sig=x%3D"},
		"AccountName=dev;AccountKey=a2V5;BlobEndpoint=http://127.0.0.1:10000/dev;":                              {"http://127.0.0.1:10000/dev", "dev", "a2V5", ""},
		"AccountName=one;AccountKey=a2V5": {"https://one.blob.core.windows.net", "one", "a2V5", ""},
	} {
		got, err := newAzureAccount("", []map[string]string{{"AZURE_STORAGE_CONNECTION_STRING": text}})
		if got != want || err != nil {
			t.Errorf("%s: got %+v, %v", text, got, err)
		}
	}
}
