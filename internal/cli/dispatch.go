package cli

import (
	"context"
	"errors"
	"strings"

	"github.com/alecthomas/kong"

	"github.com/exospherehost/orbit/internal/apiclient"
)

// dispatch reads the arguments and carries the command out.
func (a *app) dispatch(ctx context.Context, args []string) (err error) {
	var g grammar
	parser, err := a.parser(&g)
	if err != nil {
		return err
	}
	defer func() {
		if r := recover(); r != nil {
			code, ok := r.(exit)
			if !ok {
				panic(r)
			}
			if err = nil; code != 0 {
				err = code
			}
		}
	}()
	if len(args) == 0 {
		parser.Stdout = a.stderr
		if help, err := kong.Trace(parser, nil); err == nil {
			_ = help.PrintUsage(false)
		}
		return exit(exitUsage)
	}
	parsed, err := parser.Parse(backupFile(args))
	if err != nil {
		return a.refuse(parser, err)
	}
	a.globals = g.globals
	name := parsed.Selected().Name
	if a.Output == "mermaid" && name != "plan" {
		return &misuse{"only `orbit plan` draws; here -o is table or json", name}
	}
	parsed.BindTo(ctx, (*context.Context)(nil))
	return parsed.Run(a)
}

// parser makes the parser of a command line. Where --help has been printed kong calls Exit and would go on parsing, so
// Exit panics, as kong's own tests do, and dispatch catches it.
func (a *app) parser(g *grammar) (*kong.Kong, error) {
	var groups []kong.Group
	for _, g := range groupTitles {
		groups = append(groups, kong.Group{Key: g[0], Title: g[1]})
	}
	columns, _ := windowSize(a.stdout)
	return kong.New(g,
		kong.Name("orbit"), kong.Description(description), kong.Writers(a.stdout, a.stderr), kong.ExplicitGroups(groups),
		kong.ConfigureHelp(kong.HelpOptions{Compact: true, FlagsLast: true, WrapUpperBound: min(columns, 110)}),
		kong.Exit(func(code int) { panic(exit(code)) }),
	)
}

// refuse says what is wrong with a command line: the mistake, the usage in short, where to read more.
func (a *app) refuse(parser *kong.Kong, err error) error {
	var wrong *kong.ParseError
	if !errors.As(err, &wrong) {
		return &misuse{err.Error(), ""}
	}
	sentence := oneLine(wrong.Error())
	flag, _, noValue := strings.Cut(sentence, ": expected string value but got \"EOL\"")
	switch { // where the parser's own words help little
	case strings.HasPrefix(sentence, "expected "):
		sentence = "an argument is missing: " + sentence
	case noValue:
		sentence = flag + " needs a value"
	}
	a.say("orbit: %s", sentence)
	parser.Stdout = a.stderr
	_ = kong.DefaultShortHelpPrinter(kong.HelpOptions{}, wrong.Context)
	return exit(exitUsage)
}

// client is a client of the gateway that the user named.
func (a *app) client() (*apiclient.Client, error) {
	return apiclient.New(apiclient.Options{URL: a.gateway(), Token: a.token(), Transport: a.deps.Transport})
}
