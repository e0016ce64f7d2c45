// Package logs is the family of satellites that hand a run's log records to a service: forward-logs and its preset for
// New Relic. They stand under `logs:` of a cluster.
//
//	batch ──readRecords──► records ──deliver──► requests within the limits of a provider ──► {sent}
//
// It owns the form that each service wants records in, and its limits. Which records there are, and that none is lost, is
// the platform's part.
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
	general := describe("forward-logs", "Send a run's logs to a service",
		"Sends a batch of the run's log records to New Relic, Datadog, Logz.io, CloudWatch, Kusto (Azure Data Explorer) or Sentry. Records "+
			"below log-level are left out. A batch that is larger than one request of the service may be goes in several.\n\n"+
			"Records are sent at least once: where a request failed, or its answer was lost, the whole batch is sent again by the next attempt. "+
			"Each record carries an id that stays the same, as record-id or id, so that repetitions can be told.\n\n"+
			"A record that is too large for the service loses its fields, then the end of its message. CloudWatch leaves out what is older "+
			"than 14 days, Datadog what is older than 18 hours.")
	general.SecretFields = append(general.SecretFields, "config.secrets")
	general.Example = `uses: satellite/exospherehost/forward-logs
config:
  provider: cloudwatch
  region: eu-west-1
  account-id: ${{ secrets.AWS_ACCESS_KEY }}
  api-key: ${{ secrets.AWS_SECRET_KEY }}
  application-id: /orbit/reports
  log-level: warn
`
	preset := describe("send-logs-to-new-relic", "Send a run's logs to New Relic",
		"The same as exospherehost/forward-logs with provider new-relic.")
	preset.Example = `uses: satellite/exospherehost/send-logs-to-new-relic
config:
  account-id: ${{ secrets.NEW_RELIC_ACCOUNT_ID }}
  api-key: ${{ secrets.NEW_RELIC_API_KEY }}
  application-id: ${{ secrets.NEW_RELIC_APPLICATION_ID }}
  log-level: info
`
	return []*satellite.Spec{general, preset}
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
		Failures: []orbit.SatelliteFailure{
			{Code: string(orbit.CodeDenied), When: "the service does not know the key, or the key may not write logs"},
			{Code: string(orbit.CodeUnavailable), Retried: true, When: "the service is down, cannot be reached, or asks for fewer requests"},
			{Code: string(orbit.CodeTimeout), Retried: true, When: "the service gives no answer within 30 seconds"},
			{Code: string(orbit.CodeRejected), When: "the service refuses a request as a whole"},
			{Code: string(orbit.CodeNotFound), When: "the log group of CloudWatch is not there"},
			{Code: string(orbit.CodeInvalidConfig), When: "a field that the provider needs is missing or in another form"},
		},
	}
}
