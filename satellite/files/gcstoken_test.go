package files

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/exospherehost/orbit"
)

func TestATokenServiceThatGivesNoneHasASentence(t *testing.T) {
	g := newFakeGCS(t, "a")
	key := g.secrets(t)[gcsKeys].(string)
	for _, c := range []struct {
		status    int
		body      string
		code      orbit.Code
		retryable bool
		message   string
	}{
		{400, `{"error": "invalid_grant", "error_description": "CANARY"}`, orbit.CodeDenied, false,
			"Google's token service at %s refuses the service account (HTTP 400); check GOOGLE_APPLICATION_CREDENTIALS_JSON in secrets, and that the key is not revoked"},
		{429, "", orbit.CodeUnavailable, true, "Google's token service at %s cannot answer at the moment (HTTP 429); try again later"},
		{503, "", orbit.CodeUnavailable, true, "Google's token service at %s cannot answer at the moment (HTTP 503); try again later"},
		{200, "<html>CANARY", orbit.CodeUnavailable, true, "Google's token service at %s gave an answer that cannot be read; check token_uri of the key"},
		{200, `{"expires_in": 3600}`, orbit.CodeUnavailable, true, "Google's token service at %s gave an answer that cannot be read; check token_uri of the key"},
	} {
		tokens := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(c.status)
			fmt.Fprint(w, c.body)
		}))
		o := NewOpener(map[string]string{"gcs": g.URL})
		o.attempts = 1
		_, _, err := read(t, o, "gs://bucket/a", map[string]string{gcsKeys: strings.Replace(key, g.URL+"/token", tokens.URL, 1)})
		wantError(t, err, c.code, c.retryable, fmt.Sprintf(c.message, strings.TrimPrefix(tokens.URL, "http://")))
		noCanary(t, err)
		o.Close()
		tokens.Close()
	}
}
