// Package alert is the family of satellites that tell a person: send-alert and its preset for PagerDuty.
//
// It owns their descriptions. Mail is the family beside it, satellite/email.
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
		"Raises an incident at PagerDuty, or posts a message to a Slack or Discord channel. The attempts of one item raise one incident.")
	general.SecretFields = append([]string{"config.webhook-url"}, pagerduty...)
	preset := describe("send-pagerduty-alert", "Send an alert to PagerDuty",
		"The same as exospherehost/send-alert with provider pagerduty. It takes an API key and the service's id, or an integration's routing key.")
	preset.SecretFields = pagerduty
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
	}
}
