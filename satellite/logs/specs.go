// Package logs is the family of satellites that hand a run's log records to a service: forward-logs and its preset for
// New Relic. They stand under `logs:` of a cluster.
//
// It owns their descriptions. Which records there are, and that none is lost, is the platform's part.
package logs

import (
	"embed"
	"time"

	"github.com/exospherehost/orbit"
	"github.com/exospherehost/orbit/satellite"
	"github.com/exospherehost/orbit/satellite/schema"
)

//go:embed spec/*.json
var specFiles embed.FS

// Specs describes the satellites of this family.
func Specs() []*satellite.Spec {
	return []*satellite.Spec{
		describe("forward-logs", "Send a run's logs to a service",
			"Sends a batch of the run's log records to New Relic, Datadog, Logz.io, CloudWatch, Kusto or Sentry. Records below log-level "+
				"are left out. A batch that is sent again carries the same ids, so that a service can tell a repetition."),
		describe("send-logs-to-new-relic", "Send a run's logs to New Relic",
			"The same as exospherehost/forward-logs with provider new-relic."),
	}
}

func describe(name, title, description string) *satellite.Spec {
	set := schema.MustRead(specFiles, "spec/"+name+".json")
	return &satellite.Spec{
		Name:         "exospherehost/" + name,
		Kind:         "exosphere",
		Title:        title,
		Description:  description,
		Config:       set.Config,
		Input:        set.Input,
		Output:       set.Output,
		SecretFields: []string{"config.account-id", "config.api-key", "config.application-id"},
		Pool:         orbit.CorePool,
		Timeout:      2 * time.Minute,
		BundleHint:   4, // each item is a batch of records already
	}
}
