package email

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"net/http"

	"github.com/exospherehost/orbit"
	"github.com/exospherehost/orbit/satellite/internal/aws"
	"github.com/exospherehost/orbit/satellite/internal/service"
)

// maxSESRecipients is of one mail, to, cc and bcc together.
const maxSESRecipients = 50

// ses speaks version 2 of the API of Amazon SES: https://docs.aws.amazon.com/ses/latest/APIReference-V2/API_SendEmail.html
//
// SES puts a Message-ID of its own into a mail, so that one is returned. It knows no key for repetitions.
func (m *Mailer) ses(secrets map[string]string, region string) (carrier, error) {
	first := func(names ...string) string {
		for _, n := range names {
			if secrets[n] != "" {
				return secrets[n]
			}
		}
		return ""
	}
	who := aws.Account{AccessKey: first("AWS_ACCESS_KEY", "AWS_ACCESS_KEY_ID"), SecretKey: first("AWS_SECRET_KEY", "AWS_SECRET_ACCESS_KEY"),
		SessionToken: first("AWS_SESSION_TOKEN"), Region: region}
	if who.Region == "" {
		who.Region = first("AWS_REGION")
	}
	switch {
	case who.AccessKey == "" || who.SecretKey == "":
		return nil, orbit.Permanent(orbit.CodeDenied, "secrets lack AWS_ACCESS_KEY or AWS_SECRET_KEY; give both")
	case !aws.ValidRegion(who.Region):
		return nil, orbit.Permanent(orbit.CodeInvalidConfig, "there is no region of AWS; set AWS_REGION in secrets, such as eu-west-1")
	}
	base := m.endpoints["ses"]
	if base == "" {
		base = "https://" + aws.Host("email", who.Region)
	}
	return func(ctx context.Context, l *letter, mime []byte) (sent, error) {
		if n := len(l.recipients()); n > maxSESRecipients {
			return sent{}, orbit.Permanent(orbit.CodeTooLarge, "the mail has %d recipients, and SES takes %d; send several mails", n, maxSESRecipients)
		}
		body, err := json.Marshal(map[string]any{
			"FromEmailAddress": l.from.Address,
			"Destination":      map[string]any{"ToAddresses": bare(l.to), "CcAddresses": bare(l.cc), "BccAddresses": bare(l.bcc)},
			"Content":          map[string]any{"Raw": map[string]any{"Data": base64.StdEncoding.EncodeToString(mime)}},
		})
		if err != nil {
			return sent{}, err
		}
		call := &service.Call{Method: http.MethodPost, URL: service.At(base, "/v2/email/outbound-emails"), Header: http.Header{"Content-Type": {"application/json"}}, Body: body,
			Limit: m.patience, Denied: "check AWS_ACCESS_KEY and AWS_SECRET_KEY in secrets, and that they may use ses:SendRawEmail"}
		answer, err := aws.Do(ctx, m.client, who, "ses", call)
		if err != nil {
			return sent{}, err
		}
		var said struct{ MessageID string }
		if !answer.JSON(&said) || said.MessageID == "" {
			return sent{id: l.id}, nil
		}
		host := who.Region + ".amazonses.com"
		if who.Region == "us-east-1" {
			host = "email.amazonses.com"
		}
		return sent{id: "<" + said.MessageID + "@" + host + ">"}, nil
	}, nil
}
