package email_test

import (
	"bufio"
	"crypto/tls"
	"encoding/base64"
	"fmt"
	"net"
	"strings"
	"sync"
	"testing"
)

// mailServer is an SMTP server that keeps what it is given.
type mailServer struct {
	tls      *tls.Config // offers STARTTLS; with implicit, speaks TLS from the first byte
	implicit bool
	auth     string            // mechanisms that it offers once the connection may be trusted
	size     string            // the argument of SIZE
	say      map[string]string // answers instead of the usual, by the beginning of a line; "." is the end of the data
	silent   string            // does not answer a line that begins so

	addr    string
	ended   chan struct{}
	reached chan struct{} // closed when it falls silent
	mu      sync.Mutex
	lines   []string // commands, passwords opened
	mails   []string
}

// start listens until the test ends.
func (s *mailServer) start(t *testing.T) *mailServer {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s.addr, s.ended, s.reached = l.Addr().String(), make(chan struct{}), make(chan struct{})
	if s.implicit {
		l = tls.NewListener(l, s.tls)
	}
	var talks sync.WaitGroup
	talks.Go(func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			talks.Go(func() { s.talk(conn) })
		}
	})
	t.Cleanup(func() {
		close(s.ended)
		_ = l.Close()
		talks.Wait()
	})
	return s
}

func (s *mailServer) port() string {
	_, port, _ := net.SplitHostPort(s.addr)
	return port
}

func (s *mailServer) told() (lines, mails []string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.lines, s.mails
}

func (s *mailServer) talk(conn net.Conn) {
	defer func() { _ = conn.Close() }()
	in := bufio.NewReader(conn)
	say := func(text string) { _, _ = fmt.Fprint(conn, text+"\r\n") }
	encrypted := s.implicit
	greeting := "220 hello"
	if g, ok := s.say["greeting"]; ok {
		greeting = g
	}
	if s.silent == "greeting" {
		<-s.ended
		return
	}
	say(greeting)
	for {
		text, err := in.ReadString('\n')
		if err != nil {
			return
		}
		text = strings.TrimRight(text, "\r\n")
		if s.silent != "" && strings.HasPrefix(text, s.silent) {
			close(s.reached)
			<-s.ended
			return
		}
		verb, rest, _ := strings.Cut(text, " ")
		if verb == "AUTH" {
			text = s.login(in, say, rest)
		}
		s.mu.Lock()
		s.lines = append(s.lines, text)
		s.mu.Unlock()
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
			secure := tls.Server(conn, s.tls)
			conn, in, encrypted = secure, bufio.NewReader(secure), true
		case "AUTH":
			say("235 welcome")
		case "DATA":
			say("354 go on")
			var mail strings.Builder
			for {
				line, err := in.ReadString('\n')
				if err != nil {
					return
				}
				if line == ".\r\n" {
					break
				}
				mail.WriteString(strings.TrimPrefix(line, "."))
			}
			if own := s.own("."); own != "" {
				say(own)
				continue
			}
			s.mu.Lock()
			s.mails = append(s.mails, mail.String())
			s.mu.Unlock()
			say("250 taken")
		case "QUIT":
			say("221 bye")
			return
		default:
			say("250 fine")
		}
	}
}

func (s *mailServer) own(line string) string {
	for begin, answer := range s.say {
		if strings.HasPrefix(line, begin) {
			return answer
		}
	}
	return ""
}

func (s *mailServer) extensions(encrypted bool) (all []string) {
	if s.tls != nil && !encrypted {
		all = append(all, "STARTTLS")
	}
	if s.auth != "" {
		all = append(all, "AUTH "+s.auth)
	}
	if s.size != "" {
		all = append(all, "SIZE "+s.size)
	}
	return append(all, "PIPELINING")
}

// login asks for what the mechanism needs and gives the line as it would read without base64.
func (s *mailServer) login(in *bufio.Reader, say func(string), rest string) string {
	mechanism, first, _ := strings.Cut(rest, " ")
	open := func(text string) string {
		plain, _ := base64.StdEncoding.DecodeString(strings.TrimSpace(text))
		return strings.ReplaceAll(string(plain), "\x00", "|")
	}
	ask := func(prompt string) string {
		say("334 " + base64.StdEncoding.EncodeToString([]byte(prompt)))
		line, _ := in.ReadString('\n')
		return open(line)
	}
	if mechanism == "LOGIN" {
		user := ask("Username:")
		return "AUTH LOGIN " + user + "|" + ask("Password:")
	}
	return "AUTH " + mechanism + " " + open(first)
}
