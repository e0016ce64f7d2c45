package smtp

import (
	"bufio"
	"context"
	"crypto/tls"
	"encoding/base64"
	"fmt"
	"net"
	"strings"
)

// talk serves one connection to its end.
func (s *Server) talk(conn net.Conn) {
	defer context.AfterFunc(s.ctx, func() { _ = conn.Close() })()
	defer func() { _ = conn.Close() }()
	in := bufio.NewReader(conn)
	say := func(text string) { _, _ = fmt.Fprint(conn, text+"\r\n") } // who has gone is noticed by the next read
	encrypted := s.options.Implicit
	if s.options.Silent == "greeting" {
		s.fallSilent()
		return
	}
	greeting := "220 a stand-in: what is sent here reaches nobody"
	if own, ok := s.options.Say["greeting"]; ok {
		greeting = own
	}
	say(greeting)
	for {
		text, err := in.ReadString('\n')
		if err != nil {
			return
		}
		text = strings.TrimRight(text, "\r\n")
		if s.options.Silent != "" && strings.HasPrefix(text, s.options.Silent) {
			s.fallSilent()
			return
		}
		verb, rest, _ := strings.Cut(text, " ")
		if verb == "AUTH" {
			text = openLogin(in, say, rest)
		}
		s.heard(text)
		if own := s.own(text); own != "" {
			say(own)
			continue
		}
		switch verb {
		case "EHLO":
			say("250-mail.example.com")
			for _, e := range s.extensions(encrypted) {
				say("250-" + e)
			}
			say("250 8BITMIME")
		case "STARTTLS":
			say("220 go on")
			secure := tls.Server(conn, s.options.TLS)
			conn, in, encrypted = secure, bufio.NewReader(secure), true
		case "AUTH":
			say("235 welcome")
		case "DATA":
			say("354 go on")
			mail, err := readMail(in)
			if err != nil {
				return
			}
			if own := s.own("."); own != "" {
				say(own)
				continue
			}
			s.took(mail)
			say("250 taken")
		case "QUIT":
			say("221 bye")
			return
		default:
			say("250 fine")
		}
	}
}

// fallSilent keeps the connection open and says nothing until the server is closed.
func (s *Server) fallSilent() {
	s.silence.Do(func() { close(s.Silent) })
	<-s.ctx.Done()
}

// own is the answer to a line that the options have.
func (s *Server) own(line string) string {
	for begin, answer := range s.options.Say {
		if strings.HasPrefix(line, begin) {
			return answer
		}
	}
	return ""
}

func (s *Server) extensions(encrypted bool) (all []string) {
	if s.options.TLS != nil && !encrypted {
		all = append(all, "STARTTLS")
	}
	if s.options.Auth != "" {
		all = append(all, "AUTH "+s.options.Auth)
	}
	if s.options.Size != "" {
		all = append(all, "SIZE "+s.options.Size)
	}
	return append(all, "PIPELINING")
}

// readMail reads up to the line with a dot alone. A dot more at the beginning of a line was put there by the client
// (RFC 5321, 4.5.2).
func readMail(in *bufio.Reader) (string, error) {
	var mail strings.Builder
	for {
		line, err := in.ReadString('\n')
		if err != nil {
			return "", err
		}
		if line == ".\r\n" {
			return mail.String(), nil
		}
		mail.WriteString(strings.TrimPrefix(line, "."))
	}
}

// openLogin asks for what the mechanism needs, and gives the line as it would read without base64.
func openLogin(in *bufio.Reader, say func(string), rest string) string {
	mechanism, first, _ := strings.Cut(rest, " ")
	open := func(text string) string {
		plain, _ := base64.StdEncoding.DecodeString(strings.TrimSpace(text)) // what is none is shown as far as it goes
		return strings.ReplaceAll(string(plain), "\x00", "|")
	}
	ask := func(prompt string) string {
		say("334 " + base64.StdEncoding.EncodeToString([]byte(prompt)))
		line, _ := in.ReadString('\n') // who has gone is noticed by the next read
		return open(line)
	}
	if mechanism == "LOGIN" {
		user := ask("Username:")
		return "AUTH LOGIN " + user + "|" + ask("Password:")
	}
	return "AUTH " + mechanism + " " + open(first)
}
