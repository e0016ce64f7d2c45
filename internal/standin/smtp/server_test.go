package smtp_test

import (
	"context"
	"errors"
	"io"
	"net"
	client "net/smtp"
	"testing"

	"go.uber.org/goleak"

	"github.com/exospherehost/orbit/internal/standin/smtp"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func start(t *testing.T, o smtp.Options) *smtp.Server {
	t.Helper()
	s, err := smtp.Start(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	return s
}

func TestItKeepsTheMailsThatItIsGiven(t *testing.T) {
	s := start(t, smtp.Options{})
	came := make(chan error)
	go func() { came <- s.Await(t.Context(), 2) }()
	for _, text := range []string{"Subject: one\r\n\r\n.\r\n..\r\n", "Subject: two\r\n\r\n"} {
		if err := client.SendMail(s.Addr, nil, "a@example.org", []string{"b@example.org"}, []byte(text)); err != nil {
			t.Fatal(err)
		}
	}
	if err := <-came; err != nil {
		t.Fatal(err)
	}
	if _, mails := s.Told(); len(mails) != 2 || mails[0] != "Subject: one\r\n\r\n.\r\n..\r\n" || mails[1] != "Subject: two\r\n\r\n" {
		t.Errorf("%q", mails)
	}
}

func TestAwaitEndsWithItsContext(t *testing.T) {
	s := start(t, smtp.Options{})
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := s.Await(ctx, 1); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}

func TestARefusedMailIsNotKept(t *testing.T) {
	s := start(t, smtp.Options{Say: map[string]string{".": "554 a virus"}})
	if err := client.SendMail(s.Addr, nil, "a@example.org", []string{"b@example.org"}, []byte("Subject: one\r\n\r\n")); err == nil {
		t.Error("it was taken")
	}
	if _, mails := s.Told(); len(mails) != 0 {
		t.Errorf("%q", mails)
	}
}

func TestCloseBreaksOffWhoStillTalks(t *testing.T) {
	for name, o := range map[string]smtp.Options{"waiting for a command": {}, "silent": {Silent: "greeting"}} {
		t.Run(name, func(t *testing.T) {
			s := start(t, o)
			conn, err := net.Dial("tcp", s.Addr)
			if err != nil {
				t.Fatal(err)
			}
			defer conn.Close()
			if o.Silent != "" {
				<-s.Silent
			}
			s.Close()
			_, _ = io.ReadAll(conn) // ends: the connection is gone, in whichever way
		})
	}
}
