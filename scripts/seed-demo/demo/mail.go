package demo

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"mime/quotedprintable"
	"net"
	"net/mail"
	"os"
	"strings"
	"time"

	"github.com/exospherehost/orbit"
	"github.com/exospherehost/orbit/internal/apiclient"
	"github.com/exospherehost/orbit/internal/standin/smtp"
)

// What the file of the cluster that sends mails names.
const (
	mailCluster        = "aikin/report-mail"
	mailFrom, mailedTo = "orbit@aikin.example", "reports@aikin.example"
)

// Mail is one that the mail server has taken.
type Mail struct {
	ID                string // its Message-ID
	From, To, Subject string
	Text              string
}

// applyMail makes a mail follow each run. Where the mail server is, its cluster has from the vault.
func (m *mesh) applyMail(ctx context.Context, file string, post *smtp.Server) error {
	host, port, err := net.SplitHostPort(post.Addr)
	if err != nil {
		return err
	}
	project, _, _ := strings.Cut(mailCluster, "/")
	for name, value := range map[string]string{"SMTP_HOST": host, "SMTP_PORT": port} {
		if _, err := m.api.SetSecret(ctx, project, name, value); err != nil {
			return err
		}
	}
	text, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	_, _, err = m.api.Apply(ctx, mailCluster, text)
	return err
}

// mailLimit is how long after the end of a run its mail may take: a lost node's work goes on elsewhere after half a minute.
const mailLimit = time.Minute

// awaitMail gives the mails that have come once the run that sends them has ended.
func (m *mesh) awaitMail(ctx context.Context, post *smtp.Server, say func(string, ...any)) (mails []Mail, err error) {
	limited, cancel := context.WithTimeout(ctx, mailLimit)
	defer cancel()
	if err := post.Await(limited, 1); err != nil {
		return nil, fmt.Errorf("none has come: %w", err)
	}
	var raws []json.RawMessage
	for page, err := range m.api.Runs(ctx, apiclient.Query{Cluster: mailCluster}) {
		if err != nil {
			return nil, err
		}
		raws = append(raws, page...)
	}
	if len(raws) != 1 {
		return nil, fmt.Errorf("%d runs of %s were started, want 1", len(raws), mailCluster)
	}
	run, err := orbitRun(raws[0])
	if err == nil {
		run, err = m.wait(ctx, run.ID, say)
	}
	if err != nil {
		return nil, err
	}
	if run.State != orbit.RunSucceeded {
		return nil, fmt.Errorf("run %s of %s ended as %s: %s", run.ID, mailCluster, run.State, run.Error)
	}
	_, texts := post.Told()
	for _, text := range texts {
		one, err := readMail(text)
		if err != nil {
			return nil, err
		}
		mails = append(mails, one)
	}
	return mails, nil
}

// readMail reads a mail of one part, as send-email writes one without attachments.
func readMail(text string) (m Mail, err error) {
	message, err := mail.ReadMessage(strings.NewReader(text))
	if err != nil {
		return m, err
	}
	body, err := io.ReadAll(quotedprintable.NewReader(message.Body))
	if err != nil {
		return m, err
	}
	m = Mail{ID: message.Header.Get("Message-ID"), From: message.Header.Get("From"), To: message.Header.Get("To"), Text: strings.ReplaceAll(string(body), "\r\n", "\n")}
	m.Subject, err = new(mime.WordDecoder).DecodeHeader(message.Header.Get("Subject"))
	return m, err
}

// checkMails holds the mails against what was promised: one, or after a kill perhaps the same again.
func (r *Result) checkMails(killed bool) error {
	var wrong []error
	add := func(format string, args ...any) { wrong = append(wrong, fmt.Errorf(format, args...)) }
	if n := len(r.Mails); n != 1 && !killed {
		add("%d mails have come, want 1", n)
	}
	for _, m := range r.Mails {
		if m.ID == "" || m.ID != r.Mails[0].ID {
			add("a mail has the Message-ID %q, the first %q", m.ID, r.Mails[0].ID)
		}
		if want := cluster + ": " + string(r.Run.State); m.Subject != want {
			add("a mail's subject is %q, want %q", m.Subject, want)
		}
		if !strings.Contains(m.From, mailFrom) || !strings.Contains(m.To, mailedTo) {
			add("a mail is from %s to %s", m.From, m.To)
		}
		if !strings.Contains(m.Text, r.Run.ID) {
			add("a mail does not name run %s: %s", r.Run.ID, m.Text)
		}
	}
	return errors.Join(wrong...)
}
