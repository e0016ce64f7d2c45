package email

import (
	"context"
	"crypto/x509"
	"io"
	"time"

	"github.com/exospherehost/orbit"
	"github.com/exospherehost/orbit/satellite"
	"github.com/exospherehost/orbit/satellite/internal/service"
)

// OpenFunc opens a file by its URI with the first of the secrets that fit. size is -1 where it is not known. Errors are
// an *orbit.Error, or that of ctx.
type OpenFunc func(ctx context.Context, uri string, secrets ...map[string]string) (body io.ReadCloser, size int64, err error)

// patience is how long a mail service may take for one answer, or for one piece of an attachment.
const patience = 2 * time.Minute

// Mailer sends mails. It keeps HTTP connections open between items; Close gives them up.
type Mailer struct {
	open      OpenFunc
	client    *service.Client
	endpoints map[string]string
	patience  time.Duration
	roots     *x509.CertPool // authorities that SMTP servers are trusted by; nil: those of the machine
}

// New makes a Mailer that opens attachments by open. endpoints may hold, under "ses" and "mailgun", the URL that stands
// in for the service's own.
func New(open OpenFunc, endpoints map[string]string) *Mailer {
	return &Mailer{open: open, client: service.NewClient(), endpoints: endpoints, patience: patience}
}

// Satellites gives send-email.
func (m *Mailer) Satellites() []satellite.Satellite {
	return []satellite.Satellite{&send{Specs()[0], m}}
}

// Close closes the connections that wait to be used again. The satellite stays usable.
func (m *Mailer) Close() { m.client.Close() }

type send struct {
	spec *satellite.Spec
	*Mailer
}

// Spec describes it.
func (s *send) Spec() *satellite.Spec { return s.spec }

// sent is what has become of a mail.
type sent struct {
	id      string
	refused []refusal
}

// refusal is a recipient that the server does not take.
type refusal struct{ address, reason string }

// Run sends one mail and emits its Message-ID.
func (s *send) Run(ctx context.Context, inv *satellite.Invocation, emit satellite.Emit) error {
	secrets := readSecrets(inv.Config)
	letter, err := readLetter(inv, secrets)
	if err != nil {
		return err
	}
	carry, err := s.carrier(inv.Config, secrets)
	if err != nil {
		return err
	}
	if letter.attachments, err = s.attachments(ctx, inv, letter); err != nil {
		return err
	}
	mime, err := letter.encode(time.Now())
	if err != nil {
		return orbit.Permanent(orbit.CodeInvalidInput, "the mail cannot be written: %v", err)
	}
	done, err := carry(ctx, letter, mime)
	if err != nil {
		return err
	}
	answer := map[string]any{"message-id": done.id}
	if len(done.refused) > 0 {
		list := make([]any, len(done.refused))
		for i, r := range done.refused {
			list[i] = map[string]any{"address": r.address, "reason": r.reason}
			inv.Log.Warn().Str("address", r.address).Str("reason", r.reason).Msg("the mail was sent, but not to this address")
		}
		answer["refused"] = list
	}
	o, err := orbit.NewObject(answer)
	if err != nil {
		return err
	}
	return emit(o)
}

// carrier hands a mail over.
type carrier func(ctx context.Context, l *letter, mime []byte) (sent, error)

func (m *Mailer) carrier(config map[string]any, secrets map[string]string) (carrier, error) {
	region, _ := config["region"].(string)
	switch provider, _ := config["provider"].(string); provider {
	case "smtp":
		encryption, _ := config["encryption"].(string)
		return m.smtp(secrets, encryption)
	case "ses":
		return m.ses(secrets, region)
	case "mailgun":
		return m.mailgun(secrets, region)
	default:
		return nil, orbit.Permanent(orbit.CodeInvalidConfig, "provider %q is none of smtp, ses, mailgun", provider)
	}
}
