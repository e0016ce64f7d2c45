package cli

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/http"
	"strings"

	"github.com/exospherehost/orbit"
	"github.com/exospherehost/orbit/internal/apiclient"
)

// exit ends the program with a code; what there was to say has been said.
type exit int

func (e exit) Error() string { return fmt.Sprintf("exit code %d", int(e)) }

// misuse is an error of who typed the command: exit code 2 and a hint at --help.
type misuse struct{ sentence, command string }

func (e *misuse) Error() string { return e.sentence }

// failf is an error that is a sentence for a person.
func failf(format string, args ...any) error { return fmt.Errorf(format, args...) }

// exitCode tells the user of an error, and gives the code to end with.
func (a *app) exitCode(ctx context.Context, err error) int {
	var code exit
	var wrong *misuse
	switch {
	case err == nil:
		return exitDone
	case errors.As(err, &code):
		return int(code)
	case errors.As(err, &wrong):
		a.say("orbit: %s", wrong.sentence)
		a.say("Run \"%s --help\" for more information.", strings.TrimSpace("orbit "+wrong.command))
		return exitUsage
	case ctx.Err() != nil:
		a.say("orbit: interrupted")
		return exitInterrupted
	}
	a.say("orbit: %s", a.sentence(err))
	return exitError
}

// say writes a line for the user: a message, never data.
func (a *app) say(format string, args ...any) {
	_, _ = fmt.Fprintf(a.stderr, format+"\n", args...)
}

// sentence says what went wrong, where, and what to do next.
func (a *app) sentence(err error) string {
	var gone *apiclient.Unreachable
	var problem *orbit.Problem
	switch {
	case errors.As(err, &gone):
		var name *net.DNSError
		if errors.As(err, &name) && name.IsNotFound {
			return fmt.Sprintf("no gateway answers at %s, since the host %s is not known; check --gateway", gone.URL, name.Name)
		}
		return fmt.Sprintf("no gateway answers at %s; start one with `orbit dev` or `orbit-gateway`, or name another with --gateway", gone.URL)
	case errors.As(err, &problem) && problem.Status == http.StatusUnauthorized:
		if a.token() == "" {
			return fmt.Sprintf("the gateway at %s needs a token: --token or ORBIT_TOKEN", a.gateway())
		}
		return fmt.Sprintf("the gateway at %s does not accept the token it was given; check --token or ORBIT_TOKEN", a.gateway())
	}
	return oneLine(err.Error())
}

// cause says in a few words why a file cannot be read or written.
func cause(err error) string {
	var path *fs.PathError
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return "there is no such file"
	case errors.Is(err, fs.ErrPermission):
		return "permission denied"
	case errors.As(err, &path):
		return path.Err.Error()
	}
	return err.Error()
}

// oneLine makes text safe and short of line breaks, so that it cannot break a table or play tricks on a terminal.
func oneLine(s string) string {
	return strings.Join(strings.FieldsFunc(s, func(r rune) bool { return r < ' ' || r == 0x7f || (r >= 0x80 && r < 0xa0) }), " ")
}
