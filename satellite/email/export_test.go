package email

import (
	"crypto/x509"
	"net"
	"net/smtp"
	"time"
)

// SetPatience shortens how long a service may be silent.
func (m *Mailer) SetPatience(d time.Duration) { m.patience, m.client.Limit = d, d }

// Trust makes SMTP servers be trusted by this authority.
func (m *Mailer) Trust(roots *x509.CertPool) { m.roots = roots }

// Login logs in over a connection, as if to a host of that name.
func Login(conn net.Conn, host, encryption string) error {
	c, err := smtp.NewClient(conn, host)
	if err != nil {
		return err
	}
	s := &server{Mailer: &Mailer{}, host: host, user: "u", password: "p", encryption: encryption}
	s.exchange.Name = "the SMTP server " + host
	return s.login(c)
}
