package boot

import (
	"context"
	"encoding"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"reflect"
	"strings"
	"syscall"

	"github.com/alecthomas/kong"
	"gopkg.in/yaml.v3"
)

// Command is the command line of a daemon: run it (the default), or print the configuration in force.
type Command[C any] struct {
	Name  string
	About string
	Run   func(ctx context.Context, cfg C, stderr io.Writer) error
	Verbs []Verb[C] // what else it does
}

// Verb is something that a daemon's program does with its configuration, at once.
type Verb[C any] struct {
	Name, Help string
	Do         func(cfg C, stdout io.Writer) error
}

// Main reads flags and the configuration file, runs the daemon until it is told to stop, and gives the exit code: 0 done,
// 1 error, 2 usage.
func (c Command[C]) Main(args []string, stdout, stderr io.Writer) int {
	var cli struct {
		Config     kong.ConfigFlag `help:"Configuration file: YAML, with the flags below as keys. Flags win over it." placeholder:"FILE"`
		Settings   C               `embed:""`
		RunCmd     struct{}        `cmd:"" name:"run" default:"1" help:"Run until SIGINT or SIGTERM (the default)."`
		ConfigCmd  struct{}        `cmd:"" name:"config" help:"Print the configuration in force and exit."`
		VersionCmd struct{}        `cmd:"" name:"version" help:"Print the version and exit."`
	}
	code := -1
	file := &configFile{}
	options := []kong.Option{kong.Name(c.Name), kong.Description(c.About), kong.Writers(stdout, stderr), kong.Exit(func(n int) { code = n }),
		kong.Configuration(file.load), kong.ConfigureHelp(kong.HelpOptions{Compact: true})}
	for _, v := range c.Verbs {
		options = append(options, kong.DynamicCommand(v.Name, v.Help, "", &struct{}{}))
	}
	parser, err := kong.New(&cli, options...)
	if err != nil {
		fmt.Fprintf(stderr, "%s: %v\n", c.Name, err)
		return 1
	}
	parsed, err := parser.Parse(args)
	if code >= 0 { // --help has been printed
		return code
	}
	if err == nil {
		err = file.check(parser.Model.Node)
	}
	if err != nil {
		fmt.Fprintf(stderr, "%s: %v; see %s --help\n", c.Name, err, c.Name)
		return 2
	}
	switch parsed.Command() {
	case "version":
		fmt.Fprintf(stdout, "%s %s\n", c.Name, Version())
		return 0
	case "config":
		if err := printConfig(stdout, reflect.ValueOf(cli.Settings)); err != nil {
			fmt.Fprintf(stderr, "%s: %v\n", c.Name, err)
			return 1
		}
		return 0
	}
	for _, v := range c.Verbs {
		if v.Name != parsed.Command() {
			continue
		}
		if err := v.Do(cli.Settings, stdout); err != nil {
			fmt.Fprintf(stderr, "%s: %v\n", c.Name, err)
			return 1
		}
		return 0
	}
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	context.AfterFunc(ctx, func() { // a second signal ends the process at once
		signal.Reset(syscall.SIGINT, syscall.SIGTERM)
	})
	if err := c.Run(ctx, cli.Settings, stderr); err != nil {
		fmt.Fprintf(stderr, "%s: %v\n", c.Name, err)
		return 1
	}
	return 0
}

// configFile gives flags their values from a YAML file.
type configFile struct {
	name   string
	values map[string]any
}

func (f *configFile) load(r io.Reader) (kong.Resolver, error) {
	if named, ok := r.(*os.File); ok {
		f.name = named.Name()
	}
	dec := yaml.NewDecoder(io.LimitReader(r, 1<<20))
	if err := dec.Decode(&f.values); err != nil && !errors.Is(err, io.EOF) {
		return nil, fmt.Errorf("the configuration file %s is no YAML: %w", f.name, err)
	}
	return kong.ResolverFunc(func(_ *kong.Context, _ *kong.Path, flag *kong.Flag) (any, error) {
		_, readsItself := flag.Target.Addr().Interface().(encoding.TextUnmarshaler)
		switch v := f.values[flag.Name].(type) {
		case nil:
			return nil, nil
		case []any:
			parts := make([]string, len(v))
			for i := range v {
				parts[i] = fmt.Sprint(v[i])
			}
			return strings.Join(parts, ","), nil
		case map[string]any:
			if readsItself { // a section; as a flag it is written in one line
				text, err := yaml.Marshal(v)
				return string(text), err
			}
			parts := make([]string, 0, len(v))
			for k, e := range v {
				parts = append(parts, fmt.Sprintf("%s=%v", k, e))
			}
			return strings.Join(parts, ";"), nil
		default:
			return fmt.Sprint(v), nil
		}
	}), nil
}

// check refuses keys that are no flags: a misspelt setting must not be a setting that does nothing.
func (f *configFile) check(model *kong.Node) error {
	known := map[string]bool{}
	for _, flag := range model.Flags {
		known[flag.Name] = true
	}
	for key := range f.values {
		if !known[key] || key == "config" || key == "help" {
			return fmt.Errorf("the configuration file %s has an unknown key %q", f.name, key)
		}
	}
	return nil
}

// printConfig writes a configuration as the YAML that --config reads, each key with its help.
func printConfig(w io.Writer, v reflect.Value) error {
	for i := range v.NumField() {
		field := v.Type().Field(i)
		name := field.Tag.Get("name")
		if name == "" {
			name = kebab(field.Name)
		}
		value := v.Field(i).Interface()
		if s, ok := value.(fmt.Stringer); ok {
			value = s.String()
		}
		text, err := yaml.Marshal(map[string]any{name: value})
		if err != nil {
			return err
		}
		if _, err := fmt.Fprintf(w, "# %s\n%s\n", field.Tag.Get("help"), text); err != nil {
			return err
		}
	}
	return nil
}

// kebab writes a field's name as a flag: DrainTimeout is drain-timeout.
func kebab(name string) string {
	var b strings.Builder
	for i, r := range name {
		if r >= 'A' && r <= 'Z' {
			if i > 0 {
				b.WriteByte('-')
			}
			r += 'a' - 'A'
		}
		b.WriteRune(r)
	}
	return b.String()
}
