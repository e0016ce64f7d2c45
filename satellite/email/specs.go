// Package email is the satellite send-email: one mail for each item, by SMTP, Amazon SES or Mailgun.
//
//	input, config ──readLetter──► letter ──encode──► MIME ──carrier──► smtp | ses | mailgun
//
// It owns how a mail is written and what a mail server's answers mean. It refuses to open files itself: an OpenFunc does.
// An alert that must wake somebody is the family beside it, satellite/alert.
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
			"tell a repetition. Attachments are file-uris of earlier satellites, and are opened with the secrets that those were given.\n\n" +
			"An SMTP server's answers of the 400s are tried again, those of the 500s fail the item. Where it refuses some recipients for good, " +
			"the others get the mail, and the refused ones are told; where it refuses one for the moment, nobody gets it and it is tried again.\n\n" +
			"Subject and addresses that hold line breaks are refused.",
		Config:       set.Config,
		Input:        set.Input,
		Output:       set.Output,
		SecretFields: []string{"config.secrets"},
		ReadsFiles:   true,
		Pool:         orbit.CorePool,
		Timeout:      5 * time.Minute, // attachments take their time
		BundleHint:   16,
		Failures: []orbit.SatelliteFailure{
			{Code: string(orbit.CodeUnavailable), Retried: true, When: "the server cannot be reached, or refuses for the moment: an answer of the 400s, or the like of it over HTTP"},
			{Code: string(orbit.CodeRejected), When: "the server refuses the sender, all recipients or the mail: an answer of the 500s"},
			{Code: string(orbit.CodeDenied), When: "credentials are missing or refused, or a password would go over a network in the open"},
			{Code: string(orbit.CodeTooLarge), When: "body and attachments are larger than max-size, or than the server takes"},
			{Code: string(orbit.CodeInvalidInput), When: "an address is none, or a subject has several lines"},
			{Code: string(orbit.CodeNotFound), When: "an attachment is not there"},
			{Code: string(orbit.CodeTimeout), Retried: true, When: "the server is silent for two minutes"},
		},
		Example: `uses: satellite/exospherehost/send-email
config:
  provider: smtp
  from: Reports <reports@example.com>
  secrets:
    - SMTP_HOST: ${{ secrets.SMTP_HOST }}
    - SMTP_PORT: 587
    - SMTP_USER: ${{ secrets.SMTP_USER }}
    - SMTP_PASSWORD: ${{ secrets.SMTP_PASSWORD }}
input:
  to: [finance@example.com]
  subject: New report ${{ satellites.get-files.output.file-name }}
  body: It was found by ${{ cluster.identifier }}.
  attachments: ["${{ satellites.get-files.output.file-uri }}"]
`,
	}}
}
