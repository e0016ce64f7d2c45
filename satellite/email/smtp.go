package email

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/smtp"
	"net/textproto"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/exospherehost/orbit"
	"github.com/exospherehost/orbit/satellite/internal/service"
	"github.com/exospherehost/orbit/vault"
)

// How a connection to an SMTP server is encrypted.
const (
	startTLS  = "starttls" // it begins plain, and both sides change over (RFC 3207)
	implicit  = "tls"      // from the first byte
	plainText = "none"
)

// server is an SMTP server, and how it is spoken to.
type server struct {
	*Mailer
	host, port     string
	user, password string
	encryption     string // "": starttls where the server offers it
	exchange       service.Exchange
}

// smtp reads the secrets of an SMTP server.
func (m *Mailer) smtp(secrets map[string]string, encryption string) (carrier, error) {
	s := &server{Mailer: m, host: secrets["SMTP_HOST"], port: secrets["SMTP_PORT"], user: secrets["SMTP_USER"], password: secrets["SMTP_PASSWORD"], encryption: encryption}
	if s.host == "" || strings.ContainsAny(s.host, " /@") {
		return nil, orbit.Permanent(orbit.CodeInvalidConfig, "secrets hold no SMTP_HOST; give the name of the mail server, such as smtp.example.com")
	}
	if s.port == "" {
		s.port = map[string]string{implicit: "465"}[encryption]
	}
	if s.port == "" {
		s.port = "587"
	}
	if n, err := strconv.Atoi(s.port); err != nil || n < 1 || n > 65535 {
		return nil, orbit.Permanent(orbit.CodeInvalidConfig, "SMTP_PORT in secrets is no port; it is usually 587 or 465")
	}
	if s.port == "465" && encryption == "" {
		s.encryption = implicit
	}
	if s.user != "" && s.password == "" {
		return nil, orbit.Permanent(orbit.CodeDenied, "secrets hold SMTP_USER but no SMTP_PASSWORD; give both")
	}
	s.exchange = service.Exchange{Name: "the SMTP server " + net.JoinHostPort(s.host, s.port), Limit: m.patience, Mask: vault.NewMasker(map[string]string{"p": s.password}),
		Certificate: "mend it, or make the node trust its authority"}
	return s.send, nil
}

// send hands the mail over. Until the server has taken all of it nobody gets it, so that it may be tried again.
func (s *server) send(ctx context.Context, l *letter, mime []byte) (done sent, err error) {
	conn, err := (&net.Dialer{Timeout: s.patience}).DialContext(ctx, "tcp", net.JoinHostPort(s.host, s.port))
	if err != nil {
		return done, s.judge(ctx, err)
	}
	defer conn.Close()
	defer context.AfterFunc(ctx, func() { _ = conn.Close() })()
	c, err := s.greet(&patient{conn, s.patience})
	if err != nil {
		return done, s.judge(ctx, err)
	}
	if err := s.login(c); err != nil {
		return done, s.judge(ctx, err)
	}
	if ok, most := c.Extension("SIZE"); ok {
		if n, err := strconv.ParseInt(most, 10, 64); err == nil && n > 0 && int64(len(mime)) > n {
			_ = c.Quit()
			return done, orbit.Permanent(orbit.CodeTooLarge, "%s takes mails of %s, and this one has %s as it is sent; attach less", s.exchange.Name, orbit.Bytes(n), orbit.Bytes(len(mime)))
		}
	}
	if err := c.Mail(l.from.Address); err != nil {
		return done, s.judge(ctx, fmt.Errorf("the sender %s: %w", l.from.Address, err))
	}
	if done.refused, err = s.address(c, l.recipients()); err != nil {
		_ = c.Quit()
		return done, s.judge(ctx, err)
	}
	w, err := c.Data()
	if err == nil {
		if _, err = w.Write(mime); err == nil {
			err = w.Close() // here it takes the mail, or not
		}
	}
	if err != nil {
		return done, s.judge(ctx, err)
	}
	_ = c.Quit() // the mail is on its way, whatever it says
	done.id = l.id
	return done, nil
}

// greet says hello, and encrypts the connection as the config wants it.
func (s *server) greet(conn net.Conn) (*smtp.Client, error) {
	config := &tls.Config{ServerName: s.host, RootCAs: s.roots}
	if s.encryption == implicit {
		conn = tls.Client(conn, config)
	}
	c, err := smtp.NewClient(conn, s.host)
	if err != nil {
		return nil, err
	}
	if name, err := os.Hostname(); err == nil && oneLine(name) && !strings.Contains(name, " ") {
		if err := c.Hello(name); err != nil {
			return nil, err
		}
	}
	offered, _ := c.Extension("STARTTLS")
	switch {
	case s.encryption == implicit, s.encryption == plainText:
	case offered:
		return c, c.StartTLS(config)
	case s.encryption == startTLS:
		return nil, orbit.Permanent(orbit.CodeInvalidConfig, "%s offers no STARTTLS; try encryption: tls with port 465", s.exchange.Name)
	}
	return c, nil
}

// address names the recipients. One that is refused for now ends the attempt: sent to the others, the mail would reach them
// again with the next. One that is refused for good is left out, unless all are.
func (s *server) address(c *smtp.Client, recipients []string) (refused []refusal, err error) {
	var last error
	for _, to := range recipients {
		err := c.Rcpt(to)
		var said *textproto.Error
		if err != nil && (!errors.As(err, &said) || said.Code < 500) {
			return nil, fmt.Errorf("the recipient %s: %w", to, err)
		}
		if err != nil {
			refused = append(refused, refusal{to, s.said(said)})
			last = fmt.Errorf("the recipient %s: %w", to, err)
		}
	}
	if len(refused) == len(recipients) {
		return nil, last
	}
	return refused, nil
}

// said is a server's answer, fit for a sentence.
func (s *server) said(e *textproto.Error) string {
	return strconv.Itoa(e.Code) + " " + service.Excerpt(s.exchange.Mask.Text(e.Msg))
}

// judge says whose fault it is: a server's answers of the 400s pass, those of the 500s do not (RFC 5321, 4.2.1).
func (s *server) judge(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	var (
		own     *orbit.Error
		said    *textproto.Error
		record  tls.RecordHeaderError
		foreign textproto.ProtocolError
	)
	switch {
	case errors.As(err, &own):
		return own
	case errors.As(err, &record):
		return orbit.Permanent(orbit.CodeInvalidConfig, "%s speaks no TLS on this port; check SMTP_PORT and encryption", s.exchange.Name)
	case errors.As(err, &foreign):
		return orbit.Transient(orbit.CodeUnavailable, "%s does not speak SMTP; check SMTP_HOST and SMTP_PORT in secrets", s.exchange.Name)
	case errors.Is(err, os.ErrDeadlineExceeded):
		return orbit.Transient(orbit.CodeTimeout, "%s gave no answer within %s", s.exchange.Name, s.patience)
	case !errors.As(err, &said):
		return s.exchange.Fault(err)
	}
	about := ""
	if before, _, ok := strings.Cut(err.Error(), ": "); ok && err.Error() != said.Error() {
		about = " to " + before
	}
	message := s.exchange.Name + " answered" + about + " " + s.said(said)
	switch {
	case said.Code < 500: // below 400 it is nothing that SMTP has here
		return orbit.Transient(orbit.CodeUnavailable, "%s", message)
	case said.Code == 530, said.Code == 534, said.Code == 535, said.Code == 538:
		return orbit.Permanent(orbit.CodeDenied, "%s; check SMTP_USER and SMTP_PASSWORD in secrets", message)
	case said.Code == 552:
		return orbit.Permanent(orbit.CodeTooLarge, "%s", message)
	}
	return orbit.Permanent(orbit.CodeRejected, "%s", message)
}

// patient is a connection whose other side may not be silent for longer than that.
type patient struct {
	net.Conn
	most time.Duration
}

func (p *patient) Read(b []byte) (int, error) {
	_ = p.SetReadDeadline(time.Now().Add(p.most)) // a closed connection says so below
	return p.Conn.Read(b)
}

func (p *patient) Write(b []byte) (int, error) {
	_ = p.SetWriteDeadline(time.Now().Add(p.most))
	return p.Conn.Write(b)
}
