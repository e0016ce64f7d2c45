package email_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/rs/zerolog"
	"go.uber.org/goleak"

	"github.com/exospherehost/orbit"
	"github.com/exospherehost/orbit/internal/standin/smtp"
	"github.com/exospherehost/orbit/satellite"
	"github.com/exospherehost/orbit/satellite/email"
	"github.com/exospherehost/orbit/satellite/internal/servicetest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

type m = map[string]any

var (
	say    = servicetest.Say
	judge  = servicetest.Judge
	same   = servicetest.Same
	parsed = servicetest.JSON
)

// certificate gives one for 127.0.0.1, and who trusts it.
func certificate(t *testing.T) (*tls.Config, *x509.CertPool) {
	t.Helper()
	server := httptest.NewTLSServer(http.NotFoundHandler())
	defer server.Close()
	roots := x509.NewCertPool()
	roots.AddCert(server.Certificate())
	return &tls.Config{Certificates: server.TLS.Certificates}, roots
}

// open reads files of the machine, as an opener does.
func open(_ context.Context, uri string, secrets ...map[string]string) (io.ReadCloser, int64, error) {
	if path, ok := strings.CutPrefix(uri, "file://"); ok {
		f, err := os.Open(strings.ReplaceAll(path, "%20", " "))
		if err != nil {
			return nil, 0, orbit.Permanent(orbit.CodeNotFound, "%s is not there", uri)
		}
		return f, -1, nil
	}
	return io.NopCloser(strings.NewReader(fmt.Sprint(secrets[0]["AWS_ACCESS_KEY"]))), 4, nil
}

// options of a test's mail.
type options struct {
	endpoints map[string]string
	roots     *x509.CertPool
	patience  time.Duration
	grants    []map[string]string
}

func send(o options, config, input m) (m, error) {
	mailer := email.New(open, o.endpoints)
	defer mailer.Close()
	if o.patience == 0 {
		o.patience = 2 * time.Second
	}
	mailer.SetPatience(o.patience)
	mailer.Trust(o.roots)
	var got m
	inv := &satellite.Invocation{Run: "run1", Step: "mail", Lineage: "0", Attempt: 1, Config: config, HasInput: true, Input: input, Grants: o.grants, Log: zerolog.Nop()}
	err := mailer.Satellites()[0].Run(context.Background(), inv, func(o orbit.Object) error {
		v, err := o.Value()
		got, _ = v.(m)
		return err
	})
	return got, err
}

var id = "<" + (&satellite.Invocation{Run: "run1", Step: "mail", Lineage: "0"}).IdempotencyKey() + "@example.com>"

// by makes a config for the server at a port of this machine.
func by(port string, more m) m {
	c := m{"provider": "smtp", "from": "Orbit <orbit@example.com>", "secrets": m{"SMTP_HOST": "127.0.0.1", "SMTP_PORT": port}}
	maps.Copy(c, more)
	return c
}

func withPassword(port string, more m) m {
	c := by(port, more)
	c["secrets"] = m{"SMTP_HOST": "127.0.0.1", "SMTP_PORT": port, "SMTP_USER": "orbit", "SMTP_PASSWORD": "pa55-s3cret"}
	return c
}

var simple = m{"to": "a@example.org", "subject": "Hello", "body": "One\nTwo\n"}

func TestAMailArrives(t *testing.T) {
	s := start(t, smtp.Options{})
	got, err := send(options{}, by(s.Port(), nil), m{"to": []any{"a@example.org", "Bö <b@example.org>"}, "cc": "c@example.org", "bcc": []any{"d@example.org", "a@example.org"}, "reply-to": "r@example.com",
		"subject": "Größe\n", "body": "Zwölf\n.\nEnd"})
	if err != nil {
		t.Fatal(err)
	}
	same(t, "outcome", m{"message-id": id}, got)
	lines, mails := s.Told()
	same(t, "commands", []string{"MAIL FROM:<orbit@example.com> BODY=8BITMIME", "RCPT TO:<a@example.org>", "RCPT TO:<b@example.org>", "RCPT TO:<c@example.org>", "RCPT TO:<d@example.org>", "DATA", "QUIT"}, lines[1:])
	head, body, _ := strings.Cut(mails[0], "\r\n\r\n")
	var kept []string
	for _, line := range strings.Split(head, "\r\n") {
		if !strings.HasPrefix(line, "Date: ") {
			kept = append(kept, line)
		}
	}
	same(t, "header", []string{"Message-ID: " + id, `From: "Orbit" <orbit@example.com>`, "To: <a@example.org>, =?utf-8?q?B=C3=B6?= <b@example.org>", "Cc: <c@example.org>", "Reply-To: <r@example.com>",
		"Subject: =?utf-8?q?Gr=C3=B6=C3=9Fe?=", "Auto-Submitted: auto-generated", "MIME-Version: 1.0", "Content-Type: text/plain; charset=utf-8", "Content-Transfer-Encoding: quoted-printable"}, kept)
	same(t, "body", "Zw=C3=B6lf\r\n.\r\nEnd\r\n", body)
}

func TestPasswordsAreGivenAsTheServerWants(t *testing.T) {
	config, roots := certificate(t)
	for name, c := range map[string]struct {
		server smtp.Options
		more   m
		want   string
	}{
		"PLAIN over STARTTLS": {smtp.Options{TLS: config, Auth: "LOGIN PLAIN"}, nil, "EHLO STARTTLS EHLO AUTH PLAIN |orbit|pa55-s3cret MAIL"},
		"LOGIN over STARTTLS": {smtp.Options{TLS: config, Auth: "LOGIN"}, m{"encryption": "starttls"}, "EHLO STARTTLS EHLO AUTH LOGIN orbit|pa55-s3cret MAIL"},
		"PLAIN over TLS":      {smtp.Options{TLS: config, Implicit: true, Auth: "PLAIN"}, m{"encryption": "tls"}, "EHLO AUTH PLAIN |orbit|pa55-s3cret MAIL"},
		"in the open":         {smtp.Options{TLS: config, Auth: "PLAIN"}, m{"encryption": "none"}, "EHLO AUTH PLAIN |orbit|pa55-s3cret MAIL"},
		"on this machine":     {smtp.Options{Auth: "PLAIN"}, nil, "EHLO AUTH PLAIN |orbit|pa55-s3cret MAIL"},
	} {
		t.Run(name, func(t *testing.T) {
			s := start(t, c.server)
			if _, err := send(options{roots: roots}, withPassword(s.Port(), c.more), simple); err != nil {
				t.Fatal(err)
			}
			lines, mails := s.Told()
			var verbs []string
			for _, line := range lines {
				if verb, _, _ := strings.Cut(line, " "); verb == "AUTH" {
					verbs = append(verbs, line)
				} else {
					verbs = append(verbs, verb)
				}
			}
			if got := strings.Join(verbs, " "); !strings.HasPrefix(got, c.want) || len(mails) != 1 {
				t.Errorf("%d mails after %s", len(mails), got)
			}
		})
	}
}

func TestAPasswordDoesNotCrossANetworkInTheOpen(t *testing.T) {
	s := start(t, smtp.Options{Auth: "PLAIN"})
	for encryption, want := range map[string]string{"": "offers no encryption", "none": ""} {
		conn, err := net.Dial("tcp", s.Addr)
		if err != nil {
			t.Fatal(err)
		}
		err = email.Login(conn, "mail.example.com", encryption)
		if want == "" && err != nil {
			t.Errorf("with encryption: none: %v", err)
		}
		if want != "" {
			judge(t, err, orbit.Error{Code: orbit.CodeDenied, Message: want})
		}
		_ = conn.Close()
	}
}

func TestAServersAnswersAreJudgedByTheirNumbers(t *testing.T) {
	config, _ := certificate(t)
	passing := func(text string) orbit.Error {
		return orbit.Error{Code: orbit.CodeUnavailable, Retryable: true, Message: text}
	}
	for name, c := range map[string]struct {
		server   smtp.Options
		password bool
		more     m
		want     orbit.Error
	}{
		"full for the moment":     {smtp.Options{Say: map[string]string{"greeting": "421 too busy"}}, false, nil, passing("answered 421 too busy")},
		"closed for good":         {smtp.Options{Say: map[string]string{"greeting": "554 not here"}}, false, nil, orbit.Error{Code: orbit.CodeRejected, Message: "554 not here"}},
		"a wrong password":        {smtp.Options{Auth: "PLAIN", Say: map[string]string{"AUTH": "535 pa55-s3cret is wrong"}}, true, nil, orbit.Error{Code: orbit.CodeDenied, Message: "535 *** is wrong; check SMTP_USER and SMTP_PASSWORD"}},
		"no password":             {smtp.Options{Say: map[string]string{"MAIL": "530 authentication required"}}, false, nil, orbit.Error{Code: orbit.CodeDenied, Message: "to the sender orbit@example.com 530"}},
		"a login that is broken":  {smtp.Options{Auth: "PLAIN", Say: map[string]string{"AUTH": "454 later"}}, true, nil, passing("454 later")},
		"an unknown way to login": {smtp.Options{Auth: "CRAM-MD5"}, true, nil, orbit.Error{Code: orbit.CodeDenied, Message: "takes neither AUTH PLAIN nor AUTH LOGIN"}},
		"a refused sender":        {smtp.Options{Say: map[string]string{"MAIL": "550 spam"}}, false, nil, orbit.Error{Code: orbit.CodeRejected, Message: "to the sender orbit@example.com 550 spam"}},
		"a refused recipient":     {smtp.Options{Say: map[string]string{"RCPT": "550 unknown user"}}, false, nil, orbit.Error{Code: orbit.CodeRejected, Message: "to the recipient a@example.org 550 unknown user"}},
		"a grey list":             {smtp.Options{Say: map[string]string{"RCPT": "451 come again"}}, false, nil, passing("to the recipient a@example.org 451 come again")},
		"a refused mail":          {smtp.Options{Say: map[string]string{".": "554 a virus"}}, false, nil, orbit.Error{Code: orbit.CodeRejected, Message: "554 a virus"}},
		"too large a mail":        {smtp.Options{Say: map[string]string{".": "552 too large"}}, false, nil, orbit.Error{Code: orbit.CodeTooLarge, Message: "552 too large"}},
		"a full disk":             {smtp.Options{Say: map[string]string{".": "452 disk full"}}, false, nil, passing("452 disk full")},
		"too large beforehand":    {smtp.Options{Size: "100"}, false, nil, orbit.Error{Code: orbit.CodeTooLarge, Message: "takes mails of 100B"}},
		"another protocol":        {smtp.Options{Say: map[string]string{"greeting": "HTTP/1.1 400 Bad Request"}}, false, nil, passing("does not speak SMTP; check SMTP_HOST")},
		"no encryption":           {smtp.Options{}, false, m{"encryption": "starttls"}, orbit.Error{Code: orbit.CodeInvalidConfig, Message: "offers no STARTTLS"}},
		"no encryption at all":    {smtp.Options{}, false, m{"encryption": "tls"}, orbit.Error{Code: orbit.CodeInvalidConfig, Message: "speaks no TLS on this port"}},
		"an unknown authority":    {smtp.Options{TLS: config}, false, nil, orbit.Error{Code: orbit.CodeRejected, Message: "certificate is not valid"}},
		"silence":                 {smtp.Options{Silent: "greeting"}, false, nil, orbit.Error{Code: orbit.CodeTimeout, Retryable: true, Message: "gave no answer within 50ms"}},
		"silence later":           {smtp.Options{Silent: "RCPT"}, false, nil, orbit.Error{Code: orbit.CodeTimeout, Retryable: true, Message: "gave no answer within 50ms"}},
	} {
		t.Run(name, func(t *testing.T) {
			s := start(t, c.server)
			config := by(s.Port(), c.more)
			if c.password {
				config = withPassword(s.Port(), c.more)
			}
			o := options{}
			if strings.HasPrefix(name, "silence") {
				o.patience = 50 * time.Millisecond
			}
			_, err := send(o, config, simple)
			judge(t, err, c.want)
			if _, mails := s.Told(); len(mails) > 0 {
				t.Error("and yet it has the mail")
			}
		})
	}
	_, port, _ := net.SplitHostPort(strings.TrimPrefix(servicetest.Gone(t), "http://"))
	_, err := send(options{}, by(port, nil), simple)
	judge(t, err, passing("cannot be reached: connection refused"))
}

func TestTheOthersGetTheMailOfARefusedRecipient(t *testing.T) {
	s := start(t, smtp.Options{Say: map[string]string{"RCPT TO:<b@": "550 unknown user"}})
	got, err := send(options{}, by(s.Port(), nil), m{"to": []any{"a@example.org", "b@example.org"}, "subject": "s", "body": ""})
	if err != nil {
		t.Fatal(err)
	}
	same(t, "outcome", m{"message-id": id, "refused": []any{m{"address": "b@example.org", "reason": "550 unknown user"}}}, got)
	if _, mails := s.Told(); len(mails) != 1 {
		t.Errorf("%d mails", len(mails))
	}
}

func TestRunEndsWithItsContext(t *testing.T) {
	s := start(t, smtp.Options{Silent: "MAIL"})
	mailer := email.New(open, nil)
	defer mailer.Close()
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error)
	go func() {
		done <- mailer.Satellites()[0].Run(ctx, &satellite.Invocation{Config: by(s.Port(), nil), Input: simple, Log: zerolog.Nop()}, nil)
	}()
	<-s.Silent
	cancel()
	if err := <-done; !errors.Is(err, context.Canceled) {
		t.Errorf("Run returned %v", err)
	}
}
