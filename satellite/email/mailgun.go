package email

import (
	"bytes"
	"context"
	"encoding/base64"
	"mime/multipart"
	"net/http"
	"strings"

	"github.com/exospherehost/orbit"
	"github.com/exospherehost/orbit/satellite/internal/service"
)

// mailgun sends mails as they are: https://documentation.mailgun.com/docs/mailgun/api-reference/send/mailgun/messages
// It keeps the Message-ID of the mail.
func (m *Mailer) mailgun(secrets map[string]string, region string) (carrier, error) {
	key, host := secrets["MAILGUN_API_KEY"], secrets["MAILGUN_DOMAIN"]
	switch {
	case key == "":
		return nil, orbit.Permanent(orbit.CodeDenied, "secrets hold no MAILGUN_API_KEY; give one")
	case host == "" || strings.ContainsAny(host, " /?#%@:"):
		return nil, orbit.Permanent(orbit.CodeInvalidConfig, "secrets hold no MAILGUN_DOMAIN; give the domain that Mailgun sends for, such as mg.example.com")
	}
	base := m.endpoints["mailgun"]
	switch {
	case base != "":
	case region == "eu":
		base = "https://api.eu.mailgun.net"
	default:
		base = "https://api.mailgun.net"
	}
	login := base64.StdEncoding.EncodeToString([]byte("api:" + key))
	return func(ctx context.Context, l *letter, mime []byte) (sent, error) {
		var b bytes.Buffer
		w := multipart.NewWriter(&b)
		err := w.WriteField("to", strings.Join(l.recipients(), ","))
		if err != nil {
			return sent{}, err
		}
		part, err := w.CreateFormFile("message", "message.mime")
		if err != nil {
			return sent{}, err
		}
		if _, err := part.Write(mime); err != nil {
			return sent{}, err
		}
		if err := w.Close(); err != nil {
			return sent{}, err
		}
		call := &service.Call{Method: http.MethodPost, URL: service.At(base, "/v3/"+host+"/messages.mime"), Header: http.Header{"Content-Type": {w.FormDataContentType()}}, Body: b.Bytes(),
			Limit: m.patience, Denied: "check MAILGUN_API_KEY in secrets, and whether the account is in the region of the config", Secrets: []string{key, login}}
		call.Header.Set("Authorization", "Basic "+login)
		answer, err := m.client.Do(ctx, call)
		if err == nil {
			err = answer.Refused()
		}
		if err != nil {
			return sent{}, err
		}
		return sent{id: l.id}, nil
	}, nil
}
