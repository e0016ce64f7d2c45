package email_test

import (
	"testing"

	"github.com/exospherehost/orbit/internal/standin/smtp"
)

// start runs a mail server until the test ends.
func start(t *testing.T, o smtp.Options) *smtp.Server {
	t.Helper()
	s, err := smtp.Start(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	return s
}
