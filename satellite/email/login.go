package email

import (
	"net"
	"net/smtp"
	"slices"
	"strings"

	"github.com/exospherehost/orbit"
)

// login gives user and password, where there are any. It does so in the open only on this machine, or where the config
// says that it may.
func (s *server) login(c *smtp.Client) error {
	if s.user == "" {
		return nil
	}
	if _, encrypted := c.TLSConnectionState(); !encrypted && s.encryption != plainText && !isLoopback(s.host) {
		return orbit.Permanent(orbit.CodeDenied, "%s offers no encryption, so that SMTP_PASSWORD is not sent to it; try encryption: tls with port 465, or encryption: none on a network you trust", s.exchange.Name)
	}
	_, offered := c.Extension("AUTH")
	mechanisms := strings.Fields(strings.ToUpper(offered))
	switch {
	case slices.Contains(mechanisms, "PLAIN"):
		return c.Auth(plain{s.user, s.password})
	case slices.Contains(mechanisms, "LOGIN"):
		return c.Auth(&login{s.user, s.password, 0})
	}
	return orbit.Permanent(orbit.CodeDenied, "%s takes neither AUTH PLAIN nor AUTH LOGIN; take SMTP_USER out of secrets if it wants no password", s.exchange.Name)
}

func isLoopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

// errAsksOn ends a login in which a server wants more than user and password.
var errAsksOn = orbit.Permanent(orbit.CodeDenied, "the SMTP server wants more than SMTP_USER and SMTP_PASSWORD; ask who runs it for a password of its own for programs")

// plain is AUTH PLAIN (RFC 4616). That of net/smtp refuses a connection in the open, which login has judged already.
type plain struct{ user, password string }

// Start implements smtp.Auth.
func (p plain) Start(*smtp.ServerInfo) (string, []byte, error) {
	return "PLAIN", []byte("\x00" + p.user + "\x00" + p.password), nil
}

// Next implements smtp.Auth.
func (p plain) Next(_ []byte, more bool) ([]byte, error) {
	if more {
		return nil, errAsksOn
	}
	return nil, nil
}

// login is AUTH LOGIN, which no standard describes: the server asks for the user, then for the password.
type login struct {
	user, password string
	asked          int
}

// Start implements smtp.Auth.
func (l *login) Start(*smtp.ServerInfo) (string, []byte, error) { return "LOGIN", nil, nil }

// Next implements smtp.Auth.
func (l *login) Next(_ []byte, more bool) ([]byte, error) {
	if !more {
		return nil, nil
	}
	l.asked++
	switch l.asked {
	case 1:
		return []byte(l.user), nil
	case 2:
		return []byte(l.password), nil
	}
	return nil, errAsksOn
}
