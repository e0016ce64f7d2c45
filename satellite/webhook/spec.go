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
		Available:  true,
	}
}
