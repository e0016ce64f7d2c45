// Package alert is the family of satellites that tell a person: send-alert and its preset for PagerDuty.
//
//	input, config ──► pagerDuty | slack | discord ──► {status, dedup-key}
//
// It owns the form that each service wants an alert in. Mail is the family beside it, satellite/email.
package alert

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
	pagerduty := []string{"config.pagerduty-api-key", "config.pagerduty-service-id", "config.routing-key"}
	general := describe("send-alert", "Send an alert",
		"Raises an incident at PagerDuty, or posts a message to a Slack or Discord channel.\n\n"+
			"At PagerDuty the attempts of one item raise one incident, since each carries the same key. Channels know no such key: where the "+
			"answer to an attempt was lost, the next one posts the message again. A message that is longer than the service takes is cut; at "+
			"PagerDuty all of it stands in the details.")
	general.SecretFields = append([]string{"config.webhook-url"}, pagerduty...)
	general.Example = `uses: satellite/exospherehost/send-alert
config:
  provider: slack
  webhook-url: ${{ secrets.SLACK_WEBHOOK_URL }}
input:
  message: ${{ cluster.identifier }} could not read a file, ${{ failure.error }}
  severity: warning
  details: {item: "${{ failure.item }}", code: "${{ failure.code }}"}
`
	preset := describe("send-pagerduty-alert", "Send an alert to PagerDuty",
		"The same as exospherehost/send-alert with provider pagerduty. It takes an API key and the service's id, or an integration's routing key.")
	preset.SecretFields = pagerduty
	preset.Example = `uses: satellite/exospherehost/send-pagerduty-alert
config:
  pagerduty-api-key: ${{ secrets.PAGERDUTY_API_KEY }}
  pagerduty-service-id: ${{ secrets.PAGERDUTY_SERVICE_ID }}
input:
  message: ${{ cluster.identifier }} failed at ${{ failure.satellite }}, ${{ failure.error }}
  severity: critical
`
	return []*satellite.Spec{general, preset}
}

func describe(name, title, description string) *satellite.Spec {
	set := schema.MustRead(specFiles, "spec/"+name+".json")
	return &satellite.Spec{
		Name:        "exospherehost/" + name,
		Kind:        "exosphere",
		Title:       title,
		Description: description,
		Config:      set.Config,
		Input:       set.Input,
		Output:      set.Output,
		Pool:        orbit.CorePool,
		Timeout:     time.Minute,
		BundleHint:  16,
		Failures: []orbit.SatelliteFailure{
			{Code: string(orbit.CodeDenied), When: "the service does not know the key, or the webhook is not to be written to"},
			{Code: string(orbit.CodeUnavailable), Retried: true, When: "the service is down, cannot be reached, or asks for fewer requests"},
			{Code: string(orbit.CodeTimeout), Retried: true, When: "the service gives no answer within 30 seconds"},
			{Code: string(orbit.CodeRejected), When: "the service refuses the alert: a channel or a service of PagerDuty that is gone"},
			{Code: string(orbit.CodeInvalidConfig), When: "a key of PagerDuty's REST API comes without the service's id, or the account's without a user in from"},
		},
	}
}
