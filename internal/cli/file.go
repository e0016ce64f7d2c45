package cli

import (
	"context"
	"io"
	"os"
	"slices"
	"strings"

	"github.com/exospherehost/orbit"
	"github.com/exospherehost/orbit/cluster"
	"github.com/exospherehost/orbit/internal/apiclient"
	"github.com/exospherehost/orbit/internal/compile"
	"github.com/exospherehost/orbit/placement"
	"github.com/exospherehost/orbit/satellite/catalog"
)

// maxFile bounds what is read of a file that should be a cluster: the compiler refuses far smaller ones, and an endless
// file must not fill the memory.
const maxFile = 4 << 20

// read gives the text of a file; "-" is stdin.
func (a *app) read(name string) ([]byte, error) {
	if name == "-" {
		text, err := io.ReadAll(io.LimitReader(a.stdin, maxFile))
		if err != nil {
			return nil, failf("stdin cannot be read: %s", cause(err))
		}
		return text, nil
	}
	f, err := os.Open(name)
	if err != nil {
		return nil, failf("%s cannot be read: %s", name, cause(err))
	}
	defer f.Close()
	if info, err := f.Stat(); err == nil && info.IsDir() {
		return nil, failf("%s cannot be read: it is a folder; name the cluster file in it", name)
	}
	text, err := io.ReadAll(io.LimitReader(f, maxFile))
	if err != nil {
		return nil, failf("%s cannot be read: %s", name, cause(err))
	}
	return text, nil
}

// compiler compiles files with the built-in satellites and hardware classes.
type compiler struct{ options cluster.Options }

// newCompiler makes a compiler that knows the given satellites, too.
func newCompiler(more ...*orbit.SatelliteSpec) (*compiler, error) {
	satellites, err := catalog.Specs()
	if err != nil {
		return nil, err
	}
	for _, spec := range more {
		if _, known := satellites.Lookup(spec.Name); known {
			continue
		}
		if err := satellites.Describe(spec); err != nil {
			return nil, err
		}
	}
	return &compiler{compile.Options(satellites, placement.DefaultClasses())}, nil
}

// compiled is a file that was compiled.
type compiled struct {
	*cluster.Result
	file string // as diagnostics name it
	text []byte
}

// compile reads and compiles a file. The error is about reading; what is wrong with the file is in its diagnostics.
func (a *app) compile(c *compiler, name string) (*compiled, error) {
	text, err := a.read(name)
	if err != nil {
		return nil, err
	}
	return c.compile(shown(name), text), nil
}

// compile compiles a text; file is what diagnostics call it.
func (c *compiler) compile(file string, text []byte) *compiled {
	return &compiled{cluster.Compile(file, text, c.options), file, text}
}

// shown is a file's name as diagnostics give it.
func shown(name string) string {
	if name == "-" {
		return "stdin"
	}
	return name
}

// compileFile compiles one file that must be without errors: else they are told on stderr, and the program ends with 1.
func (a *app) compileFile(name string) (*compiled, error) {
	c, err := newCompiler()
	if err != nil {
		return nil, err
	}
	f, err := a.compile(c, name)
	if err != nil {
		return nil, err
	}
	return a.sound(f)
}

// unknownSatellite is the code of a satellite that the compiler does not know.
const unknownSatellite = "ORB-C030"

// compileFor compiles one file as compileFile does, for a gateway. It may know satellites that are not built in, such as the models
// of its configuration; it is asked only where the file uses what is not known here.
func (a *app) compileFor(ctx context.Context, client *apiclient.Client, name string) (*compiled, error) {
	c, err := newCompiler()
	if err != nil {
		return nil, err
	}
	f, err := a.compile(c, name)
	if err != nil {
		return nil, err
	}
	if slices.ContainsFunc(f.Diagnostics, func(d cluster.Diagnostic) bool { return d.Code == unknownSatellite }) {
		if more, err := satellitesOf(ctx, client); err == nil { // else what is known here must do
			if c, err = newCompiler(more...); err != nil {
				return nil, err
			}
			f = c.compile(f.file, f.text)
		}
	}
	return a.sound(f)
}

// satellitesOf asks a gateway for the satellites that it knows.
func satellitesOf(ctx context.Context, client *apiclient.Client) (specs []*orbit.SatelliteSpec, err error) {
	for page, err := range client.Satellites(ctx) {
		if err != nil {
			return nil, err
		}
		for _, raw := range page {
			spec, err := decode[*orbit.SatelliteSpec](raw)
			if err != nil {
				return nil, err
			}
			specs = append(specs, spec)
		}
	}
	return specs, nil
}

// sound gives a file without errors; those of any other are told on stderr, and the program ends with 1.
func (a *app) sound(f *compiled) (*compiled, error) {
	if f.Plan == nil {
		a.diagnose(f.Diagnostics)
		return nil, exit(exitError)
	}
	return f, nil
}

// diagnose tells diagnostics as messages, and how many there are.
func (a *app) diagnose(ds []cluster.Diagnostic) {
	if len(ds) > 0 {
		cluster.Render(a.stderr, ds, a.colorOn(a.stderr))
		a.say("%s", tally(ds))
	}
}

// tally counts diagnostics: "2 errors, 1 warning".
func tally(ds []cluster.Diagnostic) string {
	errors := 0
	for _, d := range ds {
		if d.Severity == cluster.SeverityError {
			errors++
		}
	}
	var parts []string
	if errors > 0 {
		parts = append(parts, one(errors, "error"))
	}
	if warnings := len(ds) - errors; warnings > 0 {
		parts = append(parts, one(warnings, "warning"))
	}
	return strings.Join(parts, ", ")
}
