// Package cli is the `orbit` command line: it reads arguments, asks the compiler or a gateway, and shows the answer. Data
// goes to stdout; progress, messages and errors, one sentence each, go to stderr.
//
//	args ──grammar──► command ──► compiler, catalog (lint, plan, schema, satellites)
//	                         └──► apiclient ──► gateway (run, status, items …)
//
// It refuses to know how a mesh works inside: `orbit dev` and `run --local` are handed one in Deps.
package cli

import (
	"context"
	"io"

	"golang.org/x/term"
)

// The exit codes. Scripts rely on them.
const (
	exitDone        = 0
	exitError       = 1
	exitUsage       = 2
	exitRunFailed   = 3 // failed or partial
	exitCancelled   = 4
	exitInterrupted = 130
)

// Main runs one command line, without the program's name, and gives the exit code. When ctx ends, the command was
// interrupted. Env looks a variable of the environment up, as os.LookupEnv does.
func Main(ctx context.Context, args []string, stdin io.Reader, stdout, stderr io.Writer, env func(string) (string, bool), deps Deps) int {
	a := &app{stdin: stdin, stdout: stdout, stderr: stderr, env: env, deps: deps}
	return a.exitCode(ctx, a.dispatch(ctx, args))
}

// app is what a command has at hand.
type app struct {
	globals

	stdin          io.Reader
	stdout, stderr io.Writer
	env            func(string) (string, bool)
	deps           Deps
}

// variable gives a variable of the environment, empty where it is not set.
func (a *app) variable(name string) string {
	v, _ := a.env(name)
	return v
}

// colorOn tells whether to write colours to w: only to a terminal, and only where nobody has said otherwise.
func (a *app) colorOn(w io.Writer) bool {
	return !a.NoColor && a.variable("NO_COLOR") == "" && a.variable("TERM") != "dumb" && isTerminal(w)
}

// isTerminal tells whether a person reads w as it is written.
func isTerminal(w io.Writer) bool {
	f, ok := w.(interface{ Fd() uintptr })
	return ok && term.IsTerminal(int(f.Fd()))
}

// windowSize gives the columns and rows of the terminal that w is; a usual one where it cannot be told.
func windowSize(w io.Writer) (columns, rows int) {
	if f, ok := w.(interface{ Fd() uintptr }); ok {
		if columns, rows, err := term.GetSize(int(f.Fd())); err == nil && columns > 0 && rows > 0 {
			return columns, rows
		}
	}
	return 80, 24
}
