package email

import (
	"net/mail"
	"strconv"
	"strings"
	"unicode"

	"github.com/exospherehost/orbit"
	"github.com/exospherehost/orbit/satellite"
	"github.com/exospherehost/orbit/satellite/internal/service"
)

// letter is a mail before it is written.
type letter struct {
	id          string // with its angle brackets; the same for every attempt
	from        *mail.Address
	replyTo     []*mail.Address
	to, cc, bcc []*mail.Address
	subject     string
	body        string
	attachments []attachment
}

// maxSubject is far beyond what is shown of one, and keeps the line of the header below 998 bytes.
const maxSubject = 250

// readLetter takes the mail from config and input. Whatever becomes part of a header is one line, or refused: a line
// break would let who wrote a file's name add headers of their own.
func readLetter(inv *satellite.Invocation, secrets map[string]string) (*letter, error) {
	input, _ := inv.Input.(map[string]any)
	l := &letter{}
	var err error
	sender, _ := inv.Config["from"].(string)
	if sender == "" {
		if sender = secrets["SMTP_USER"]; !strings.Contains(sender, "@") {
			return nil, orbit.Permanent(orbit.CodeInvalidConfig, "there is no sender; set `from` to an address")
		}
	}
	if l.from, err = mail.ParseAddress(strings.TrimSpace(sender)); err != nil || !oneLine(strings.TrimSpace(sender)) {
		return nil, orbit.Permanent(orbit.CodeInvalidConfig, "from is no address; write it like a@example.com, or Name <a@example.com>")
	}
	for _, list := range []struct {
		field string
		into  *[]*mail.Address
	}{{"to", &l.to}, {"cc", &l.cc}, {"bcc", &l.bcc}, {"reply-to", &l.replyTo}} {
		if *list.into, err = addresses(list.field, input[list.field]); err != nil {
			return nil, err
		}
	}
	if len(l.to) == 0 {
		return nil, orbit.Permanent(orbit.CodeInvalidInput, "there is nobody in `to`; give an address or a list of addresses")
	}
	subject, _ := input["subject"].(string)
	subject = strings.TrimSpace(subject) // a block of YAML ends in a line break
	if !oneLine(subject) {
		return nil, orbit.Permanent(orbit.CodeInvalidInput, "the subject has more than one line; put the rest into the body")
	}
	l.subject = service.CutRunes(subject, maxSubject)
	l.body, _ = input["body"].(string)
	l.id = "<" + inv.IdempotencyKey() + "@" + domain(l.from) + ">"
	return l, nil
}

// addresses reads one address or a list of them.
func addresses(field string, v any) (out []*mail.Address, err error) {
	list, ok := v.([]any)
	if !ok && v != nil && v != "" {
		list = []any{v}
	}
	for _, entry := range list {
		text, _ := entry.(string)
		text = strings.TrimSpace(text)
		some, err := mail.ParseAddressList(text)
		if err != nil || !oneLine(text) {
			return nil, orbit.Permanent(orbit.CodeInvalidInput, "%s: %q is no address; write it like a@example.com, or Name <a@example.com>", field, service.Excerpt(text))
		}
		out = append(out, some...)
	}
	return out, nil
}

// oneLine tells whether a text has neither line breaks nor other control characters.
func oneLine(text string) bool { return !strings.ContainsFunc(text, unicode.IsControl) }

// domain is what a Message-ID ends in: that of the sender, where it is plain ASCII.
func domain(a *mail.Address) string {
	host := a.Address[strings.LastIndexByte(a.Address, '@')+1:]
	if host == "" || strings.ContainsFunc(host, func(r rune) bool {
		return (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (r < '0' || r > '9') && r != '-' && r != '.'
	}) {
		return "orbit.invalid"
	}
	return host
}

// recipients are all who get the mail, each once.
func (l *letter) recipients() (all []string) {
	seen := map[string]bool{}
	for _, list := range [][]*mail.Address{l.to, l.cc, l.bcc} {
		for _, a := range list {
			if !seen[a.Address] {
				seen[a.Address] = true
				all = append(all, a.Address)
			}
		}
	}
	return all
}

// bare gives the addresses without their names.
func bare(list []*mail.Address) []string {
	out := make([]string, len(list))
	for i, a := range list {
		out[i] = a.Address
	}
	return out
}

// readSecrets takes the config's secrets; a port may be a number.
func readSecrets(config map[string]any) map[string]string {
	m, _ := config["secrets"].(map[string]any)
	out := make(map[string]string, len(m))
	for key, v := range m {
		switch v := v.(type) {
		case string:
			out[key] = strings.TrimSpace(v)
		case int:
			out[key] = strconv.Itoa(v)
		}
	}
	return out
}
