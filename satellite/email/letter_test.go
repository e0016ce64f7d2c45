package email_test

import (
	"io"
	"mime"
	"mime/multipart"
	"net/mail"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/exospherehost/orbit"
	"github.com/exospherehost/orbit/internal/standin/smtp"
)

func TestAttachmentsAreOpenedAndSent(t *testing.T) {
	s := start(t, smtp.Options{})
	file := filepath.Join(t.TempDir(), "Größe 1.pdf")
	content := strings.Repeat("%PDF-1.7\n", 20)
	if err := os.WriteFile(file, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	input := m{"to": "a@example.org", "subject": "s", "body": "see below", "attachments": []any{"file://" + strings.ReplaceAll(file, " ", "%20"), "s3://b/x/data.unknown"}}
	o := options{grants: []map[string]string{{"AWS_ACCESS_KEY": "lent"}}}
	if _, err := send(o, by(s.Port(), nil), input); err != nil {
		t.Fatal(err)
	}
	_, mails := s.Told()
	message, err := mail.ReadMessage(strings.NewReader(mails[0]))
	if err != nil {
		t.Fatal(err)
	}
	_, params, err := mime.ParseMediaType(message.Header.Get("Content-Type"))
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for r := multipart.NewReader(message.Body, params["boundary"]); ; {
		part, err := r.NextRawPart()
		if err == io.EOF {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		text, err := io.ReadAll(part)
		if err != nil {
			t.Fatal(err)
		}
		for _, line := range strings.Split(string(text), "\r\n") {
			if len(line) > 76 {
				t.Errorf("a line of %d", len(line))
			}
		}
		got = append(got, part.Header.Get("Content-Type")+" "+part.FileName()+" "+strings.Join(strings.Fields(string(text)), ""))
	}
	same(t, "parts", []string{
		"text/plain; charset=utf-8  seebelow",
		"application/pdf Größe 1.pdf " + base64Of(content),
		"application/octet-stream data.unknown " + base64Of("lent"), // the secrets of who found it come first
	}, got)
}

func TestAMailHasALimit(t *testing.T) {
	s := start(t, smtp.Options{})
	file := filepath.Join(t.TempDir(), "a.bin")
	if err := os.WriteFile(file, make([]byte, 1000), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		limit any
		body  string
		files []any
		want  *orbit.Error
	}{
		"just fits":      {1010, "0123456789", []any{"file://" + file}, nil},
		"one too many":   {"1kB", "0", []any{"file://" + file, "file://" + file}, &orbit.Error{Code: orbit.CodeTooLarge, Message: "the mail is larger than 1000B; attach less"}},
		"too much text":  {"1B", "01", nil, &orbit.Error{Code: orbit.CodeTooLarge, Message: "the body of the mail is larger than 1B"}},
		"no limit":       {"lots", "0", nil, &orbit.Error{Code: orbit.CodeInvalidConfig, Message: "max-size"}},
		"beyond reason":  {"1GiB", "0", nil, &orbit.Error{Code: orbit.CodeInvalidConfig, Message: "at most 100MiB"}},
		"a missing file": {nil, "0", []any{"file:///nowhere/a"}, &orbit.Error{Code: orbit.CodeNotFound, Message: "file:///nowhere/a is not there"}},
		"no file":        {nil, "0", []any{m{}}, &orbit.Error{Code: orbit.CodeInvalidInput, Message: "attachments must be file-uris"}},
	} {
		t.Run(name, func(t *testing.T) {
			config := by(s.Port(), nil)
			if c.limit != nil {
				config["max-size"] = c.limit
			}
			_, err := send(options{}, config, m{"to": "a@example.org", "subject": "s", "body": c.body, "attachments": c.files})
			if c.want == nil {
				if err != nil {
					t.Error(err)
				}
				return
			}
			judge(t, err, *c.want)
		})
	}
}

func TestNothingBecomesAHeaderOfItsOwn(t *testing.T) {
	for name, c := range map[string]struct {
		config, input m
		want          orbit.Error
	}{
		"a subject of two lines":  {nil, m{"subject": "a\r\nBcc: x@example.org"}, orbit.Error{Code: orbit.CodeInvalidInput, Message: "the subject has more than one line"}},
		"a subject with a return": {nil, m{"subject": "a\rb"}, orbit.Error{Code: orbit.CodeInvalidInput, Message: "the subject has more than one line"}},
		"an address of two lines": {nil, m{"to": "a@example.org\r\n b@example.org"}, orbit.Error{Code: orbit.CodeInvalidInput, Message: "to: "}},
		"a name of two lines":     {nil, m{"cc": []any{"\"x\r\nBcc: y\" <a@example.org>"}}, orbit.Error{Code: orbit.CodeInvalidInput, Message: "cc: "}},
		"a sender of two lines":   {m{"from": "a@example.com\nX: y"}, nil, orbit.Error{Code: orbit.CodeInvalidConfig, Message: "from is no address"}},
		"a file of two lines":     {nil, m{"attachments": []any{"file:///a\r\nX: y"}}, orbit.Error{Code: orbit.CodeInvalidInput, Message: "attachments must be"}},
		"no address":              {nil, m{"reply-to": "nobody"}, orbit.Error{Code: orbit.CodeInvalidInput, Message: `reply-to: "nobody" is no address; write it like`}},
		"nobody":                  {nil, m{"to": []any{}}, orbit.Error{Code: orbit.CodeInvalidInput, Message: "there is nobody in `to`"}},
		"no sender":               {m{"from": ""}, nil, orbit.Error{Code: orbit.CodeInvalidConfig, Message: "there is no sender"}},
		"no server":               {m{"secrets": m{}}, nil, orbit.Error{Code: orbit.CodeInvalidConfig, Message: "secrets hold no SMTP_HOST"}},
		"no port":                 {m{"secrets": m{"SMTP_HOST": "h", "SMTP_PORT": "smtp"}}, nil, orbit.Error{Code: orbit.CodeInvalidConfig, Message: "SMTP_PORT in secrets is no port"}},
		"half a login":            {m{"secrets": m{"SMTP_HOST": "h", "SMTP_USER": "u"}}, nil, orbit.Error{Code: orbit.CodeDenied, Message: "no SMTP_PASSWORD"}},
		"an unknown provider":     {m{"provider": "pigeon"}, nil, orbit.Error{Code: orbit.CodeInvalidConfig, Message: `provider "pigeon" is none of`}},
	} {
		t.Run(name, func(t *testing.T) {
			config, input := by("1", c.config), m{"to": "a@example.org", "subject": "s", "body": "b"}
			for k, v := range c.input {
				input[k] = v
			}
			_, err := send(options{}, config, input)
			judge(t, err, c.want)
		})
	}
}

func TestLongHeadersAreFolded(t *testing.T) {
	s := start(t, smtp.Options{})
	var many []any
	for range 30 {
		many = append(many, "somebody with a name <somebody@example.org>")
	}
	subject := strings.Repeat("viele Wörter ", 40)
	if _, err := send(options{}, by(s.Port(), nil), m{"to": many, "subject": subject, "body": "b"}); err != nil {
		t.Fatal(err)
	}
	lines, mails := s.Told()
	for _, line := range strings.Split(mails[0], "\r\n") {
		if len(line) > 100 {
			t.Errorf("a line of %d: %s", len(line), line)
		}
	}
	message, err := mail.ReadMessage(strings.NewReader(mails[0]))
	if err != nil {
		t.Fatal(err)
	}
	got, err := (&mime.WordDecoder{}).DecodeHeader(message.Header.Get("Subject"))
	if err != nil || !strings.HasPrefix(got, "viele Wörter viele Wörter") || len([]rune(got)) != 250 {
		t.Errorf("subject %q, %v", got, err)
	}
	if to, err := message.Header.AddressList("To"); err != nil || len(to) != 30 {
		t.Errorf("%d addresses, %v", len(to), err)
	}
	if n := strings.Count(strings.Join(lines, "\n"), "RCPT"); n != 1 {
		t.Errorf("one recipient was named %d times", n)
	}
}

func TestTheSenderIsTheUserWhereNobodyIsNamed(t *testing.T) {
	s := start(t, smtp.Options{Auth: "PLAIN"})
	config := withPassword(s.Port(), nil)
	delete(config, "from")
	config["secrets"].(m)["SMTP_USER"] = "me@example.com"
	if _, err := send(options{}, config, simple); err != nil {
		t.Fatal(err)
	}
	if lines, _ := s.Told(); !strings.Contains(strings.Join(lines, "\n"), "MAIL FROM:<me@example.com>") {
		t.Errorf("commands %q", lines)
	}
}
