package cluster

import (
	"bytes"
	"fmt"

	"gopkg.in/yaml.v3"

	"github.com/exospherehost/orbit"
)

// Catalog knows the satellites that a cluster may use. A satellite.Registry is one.
type Catalog interface {
	// Lookup finds a satellite by its name, project/name, or by an alias.
	Lookup(name string) (*orbit.SatelliteSpec, bool)
	// Names lists every name and alias.
	Names() []string
}

// Options are what the compiler cannot know by itself. The zero value compiles without satellites, which makes every
// one unknown.
type Options struct {
	Catalog Catalog

	// Check tells what is wrong with the values of a step's config or input (part is "config" or "input"): types, enums,
	// bounds, and what the satellite itself can tell, such as a jq program that does not parse. The value is JSON-like
	// (nil, bool, string, int, float64, []any, map[string]any), its keys are in the schema's spelling, and null stands
	// where an expression does. What is reported at or below such a place is dropped, and so is what the compiler has
	// reported itself, such as an unknown or a missing key. Nil: values are not checked.
	Check Check

	// ForFile makes the Check of one file, where it counts something over all of the file's steps; it takes the place of
	// Check. It is called once by each Compile.
	ForFile func() Check

	// Schemas remembers what the satellites' schemas say, for many files. Nil: each file reads them anew.
	Schemas *Schemas

	// Stored tells whether a project's vault holds a secret. Nil: nobody can tell, and nothing is said of it.
	Stored func(project, name string) bool

	// Classes places a step by its resources. Nil: every step is of class cpu.
	Classes func(orbit.Resources) (class string, err error)
}

// Check judges the values of one config or input.
type Check func(spec *orbit.SatelliteSpec, part string, value any) []Violation

// Violation is one thing that is wrong with a config or an input.
type Violation struct {
	Path    []string // keys and list positions from the config or input to the value at fault; a missing key's path too
	Offset  int      // in bytes, where the value is text and only a part of it is at fault
	Message string   // goes on after the path: "must be a number, not a string"
	Hint    string
}

// Result is what became of a file.
type Result struct {
	Spec        *Spec // what the file says; nil where it could not be read
	Plan        *Plan // nil when there are errors
	Diagnostics []Diagnostic
	Inline      map[string]string // values of the secrets that the file itself holds; never part of the plan
}

// Errors gives the diagnostics that stand in the way of a plan.
func (r *Result) Errors() []Diagnostic {
	return r.filter(func(d Diagnostic) bool { return d.Severity == SeverityError })
}

func (r *Result) filter(keep func(Diagnostic) bool) []Diagnostic {
	var out []Diagnostic
	for _, d := range r.Diagnostics {
		if keep(d) {
			out = append(out, d)
		}
	}
	return out
}

// Compile reads a cluster file. File is the name that diagnostics carry. It always returns a result; all that is wrong
// is in its diagnostics, in file order, each mistake once.
func Compile(file string, text []byte, o Options) *Result {
	c := &compiler{
		src:      newSource(file, bytes.TrimPrefix(text, []byte("\ufeff"))),
		options:  o,
		badNodes: map[*yaml.Node]bool{},
		retries:  DefaultRetries,
		used:     map[string]bool{},

		undeclared: map[string]Pos{},
	}
	if o.Schemas == nil {
		c.options.Schemas = NewSchemas()
	}
	if o.ForFile != nil {
		c.options.Check = o.ForFile()
	}
	r := &Result{}
	if root := c.decode(); root != nil {
		r.Inline = map[string]string{}
		c.inline = r.Inline
		r.Spec = c.read(root)
		g := c.connect(r.Spec)
		c.resolve(r.Spec, g)
		c.triggerSecrets(r.Spec)
		c.undeclaredSecrets(r.Spec)
		c.unusedSecrets(r.Spec)
		c.unnamedSecrets(g)
		c.inlineSecrets()
		c.notStored(r.Spec)
		c.longRetries(r.Spec)
		c.unread(g)
		c.foreign(r.Spec)
		c.hardware(r.Spec)
		if !c.failed {
			r.Plan = c.plan(r.Spec, g)
		}
	}
	sortDiagnostics(c.found)
	c.hideSecrets()
	r.Diagnostics = c.found
	return r
}

// compiler is one compilation.
type compiler struct {
	src        *source
	options    Options
	found      []Diagnostic
	failed     bool                // an error is among them
	call       bool                // it is no file, but a satellite that is called alone
	badNodes   map[*yaml.Node]bool // told already: what follows from them is not
	inline     map[string]string
	inlineAt   []Pos       // where its values stand, in file order
	unnamed    []Pos       // those of them that stand in a step
	retries    RetryPolicy // the cluster's
	retriesKey Pos
	used       map[string]bool // secrets that expressions name
	declared   map[string]bool // secrets
	undeclared map[string]Pos  // secrets that are named but not there, and where first

	expressionsSeen int
	compared        int // names, for "did you mean"

	untold       int             // satellites whose identifier could not be told, so that as many unknown ones may be theirs
	excused      map[string]bool // unknown identifiers that are taken to be theirs
	blindSecrets bool            // the secrets could not be read, so an unknown one may be among them
	blindUses    bool            // an expression could not be read, so an unused secret may be in it
}

func (c *compiler) error(p Pos, code, hint, format string, args ...any) {
	c.failed = true
	c.report(p, SeverityError, code, hint, format, args...)
}

func (c *compiler) warn(p Pos, code, hint, format string, args ...any) {
	c.report(p, SeverityWarning, code, hint, format, args...)
}

func (c *compiler) report(p Pos, severity Severity, code, hint, format string, args ...any) {
	c.found = append(c.found, Diagnostic{File: c.src.file, Line: p.Line, Column: p.Column, Severity: severity, Code: code,
		Message: fmt.Sprintf(format, args...), Hint: hint, source: c.src.line(p.Line)})
}

// quoted is a word of the file inside a message: not longer than fits on a line.
func quoted(s string) string {
	if r := []rune(s); len(r) > 60 {
		s = string(r[:57]) + "…"
	}
	return fmt.Sprintf("%q", s)
}
