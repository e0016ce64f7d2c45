// Package email is the satellite send-email: one mail for each item, by SMTP, Amazon SES or Mailgun.
//
// It owns its description. An alert that must wake somebody is the family beside it, satellite/alert.
package email

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
	set := schema.MustRead(specFiles, "spec/send-email.json")
	return []*satellite.Spec{{
		Name:  "exospherehost/send-email",
		Kind:  "exosphere",
		Title: "Send a mail",
		Description: "Sends one mail and returns its Message-ID, which is the same for every attempt of an item, so that a mailbox can " +
			"tell a repetition. Attachments are file-uris of earlier satellites.",
		Config:       set.Config,
		Input:        set.Input,
		Output:       set.Output,
		SecretFields: []string{"config.secrets"},
		ReadsFiles:   true,
		Pool:         orbit.CorePool,
		Timeout:      5 * time.Minute, // attachments take their time
		BundleHint:   16,
	}}
}
