package cli

import (
	"context"
	"io"
	"maps"
	"os"
	"slices"
	"strings"

	"gopkg.in/yaml.v3"

	"github.com/exospherehost/orbit"
	"github.com/exospherehost/orbit/cluster"
	"github.com/exospherehost/orbit/internal/apiclient"
	"github.com/exospherehost/orbit/internal/compile"
	"github.com/exospherehost/orbit/placement"
	"github.com/exospherehost/orbit/satellite"
	"github.com/exospherehost/orbit/satellite/catalog"
	"github.com/exospherehost/orbit/satellite/custom"
	"github.com/exospherehost/orbit/satellite/llm"
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

// ownSatellites are the flags of commands that compile or run: satellites that are in no gateway.
type ownSatellites struct {
	Satellites []string `placeholder:"DIR" help:"Folders of satellites of your own, each with a satellite.yml, that the cluster may use."`
	Models     string   `placeholder:"YAML|@FILE" help:"Models that the cluster may use, as in a node's configuration: '{NAME: {url: http://127.0.0.1:8000/v1}}', or the name of a file of that."`
}

// models gives the section models as text, and the names in it. Whoever starts a node of it judges the rest.
func (o *ownSatellites) models(a *app) (text string, names []string, err error) {
	if text = o.Models; text == "" {
		return "", nil, nil
	}
	if name, ok := strings.CutPrefix(text, "@"); ok {
		data, err := a.read(name)
		if err != nil {
			return "", nil, err
		}
		text = string(data)
	}
	var entries map[string]any
	if err := yaml.Unmarshal([]byte(text), &entries); err != nil {
		return "", nil, failf("--models is no map from names of satellites to endpoints; write it like '{exospherehost/gemma-3-27b: {url: http://127.0.0.1:8000/v1}}'")
	}
	return text, slices.Sorted(maps.Keys(entries)), nil
}

// compiler compiles files with the built-in satellites, others that are named, and the usual hardware classes.
type compiler struct{ options cluster.Options }

// newCompiler makes one that knows the satellites of one's own, too.
func (a *app) newCompiler(own *ownSatellites) (*compiler, error) {
	satellites, err := a.specs(own)
	if err != nil {
		return nil, err
	}
	return &compiler{compile.Options(satellites, placement.DefaultClasses())}, nil
}

// specs describes the built-in satellites and those of one's own.
func (a *app) specs(own *ownSatellites) (*satellite.Registry, error) {
	satellites, err := catalog.Specs()
	if err != nil {
		return nil, err
	}
	if _, err := custom.Describe(own.Satellites, satellites); err != nil {
		return nil, err
	}
	_, models, err := own.models(a)
	if err != nil {
		return nil, err
	}
	for _, name := range models {
		if _, known := satellites.Lookup(name); known {
			continue
		}
		spec, err := llm.Configured(name, 0)
		if err == nil {
			err = satellites.Describe(spec)
		}
		if err != nil {
			return nil, failf("--models: %w", err)
		}
	}
	return satellites, nil
}

// compilerOf makes one that knows what a gateway does; nil: it does not answer, or knows no more than this program.
func (a *app) compilerOf(ctx context.Context, client *apiclient.Client, own *ownSatellites) *compiler {
	satellites, err := a.specs(own)
	if err != nil {
		return nil
	}
	more := false
	for page, err := range client.Satellites(ctx) {
		if err != nil {
			return nil // what follows asks it, too, and tells
		}
		for _, raw := range page {
			spec, err := decode[*orbit.SatelliteSpec](raw)
			if err != nil {
				return nil
			}
			if _, known := satellites.Lookup(spec.Name); !known && satellites.Describe(spec) == nil {
				more = true
			}
		}
	}
	if !more {
		return nil
	}
	return &compiler{compile.Options(satellites, placement.DefaultClasses())}
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

// compileFile compiles one file that must be without errors: else they are told on stderr, and the program ends with 1. A
// satellite that is not known here may be with the gateway, where there is a client of one.
func (a *app) compileFile(ctx context.Context, name string, own *ownSatellites, client *apiclient.Client) (*compiled, error) {
	c, err := a.newCompiler(own)
	if err != nil {
		return nil, err
	}
	f, err := a.compile(c, name)
	if err != nil {
		return nil, err
	}
	if client != nil && slices.ContainsFunc(f.Errors(), func(d cluster.Diagnostic) bool { return d.Code == unknownSatellite }) {
		if c := a.compilerOf(ctx, client, own); c != nil {
			f = c.compile(f.file, f.text)
		}
	}
	if f.Plan == nil {
		a.diagnose(f.Diagnostics)
		return nil, exit(exitError)
	}
	return f, nil
}

// unknownSatellite is the code of a satellite that the compiler does not know.
const unknownSatellite = "ORB-C030"

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
