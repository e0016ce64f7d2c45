package webhook

import (
	"embed"
	"time"

	"github.com/exospherehost/orbit"
	"github.com/exospherehost/orbit/satellite"
	"github.com/exospherehost/orbit/satellite/schema"
)

//go:embed spec/*.json
var specFiles embed.FS

func newSpec() *satellite.Spec {
	set := schema.MustRead(specFiles, "spec/call-webhook.json")
	return &satellite.Spec{
		Name:  "exospherehost/call-webhook",
		Kind:  "exosphere",
		Title: "Send an HTTP request",
		Description: "Sends one HTTP request and returns its answer as one object: status, headers and body.\n\n" +
			"The body may stand in the step's config or in its input; input wins. Where neither names a body or form-data, POST, PUT and " +
			"PATCH send the incoming object as JSON, and GET, HEAD and DELETE send none. A string is sent as text/plain unless a " +
			"Content-Type header says otherwise; everything else is sent as JSON, lists as they are. Every attempt of an item " +
			"carries the same Idempotency-Key header, so that a receiver can tell a repetition.\n\n" +
			"An answer that is not 2xx is an error. 408, 425, 429 and 5xx, a refused connection and a time-out are tried again, after " +
			"the time that Retry-After asks for (an hour at most); every other status fails the item at once, and so does an " +
			"answer of more than 8 MiB or a certificate that is not valid. On a redirect to another host, the headers of the config are left behind.",
		Config: set.Config,
		Input:  set.Input,
		Output: set.Output,
		SecretFields: []string{
			"config.url", "config.headers", "config.query-params", "config.body", "config.form-data",
			"input.body", "input.query-params", "input.form-data",
		},
		Pool:       orbit.CorePool,
		Timeout:    10 * time.Minute, // the config's own timeout is the one that counts; this is the bound of what it may be set to
		BundleHint: 16,               // a request waits more than it works
		Failures: []orbit.SatelliteFailure{
			{Code: string(orbit.CodeRejected), When: "the answer is a status other than 2xx that no further attempt would change, such as 400, 401 or 404; or the certificate is not valid"},
			{Code: string(orbit.CodeUnavailable), Retried: true, When: "the answer is 408, 425, 429 or 5xx, or the server cannot be reached"},
			{Code: string(orbit.CodeTimeout), Retried: true, When: "the server gives no full answer within timeout"},
			{Code: string(orbit.CodeTooLarge), When: "the answer has more than 8 MiB"},
			{Code: string(orbit.CodeInvalidInput), When: "the input is no map with body, query-params or form-data"},
			{Code: string(orbit.CodeInvalidConfig), When: "url is no http or https URL once its expressions are resolved"},
		},
		Example: `uses: satellite/exospherehost/call-webhook
config:
  url: https://api.example.com/v1/reports
  headers:
    - Authorization: Bearer ${{ secrets.API_TOKEN }}
  timeout: 20s
input:
  body:
    name: ${{ satellites.get-files.output.file-name }}
    size: ${{ satellites.get-files.output.size }}
`,
	}
}
