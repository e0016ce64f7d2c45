package cli

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/exospherehost/orbit"
)

// manual writes manual pages of satellites.
type manual struct {
	width int // columns of a line
	color bool
	b     bytes.Buffer
}

// page gives the page of one satellite.
func (m *manual) page(s *orbit.SatelliteSpec) []byte {
	m.head(s.Name)
	m.wrap("  ", s.Title)
	if len(s.Aliases) > 0 {
		m.wrap("  ", "Also called "+strings.Join(s.Aliases, ", "))
	}
	m.head("DESCRIPTION")
	for i, paragraph := range strings.Split(strings.TrimSpace(s.Description), "\n\n") {
		if i > 0 {
			m.b.WriteByte('\n')
		}
		m.wrap("  ", paragraph)
	}
	m.fields("CONFIG", "config", s, s.Config, "none")
	inputs := "any value; without it, the incoming object"
	if s.EmptyInput {
		inputs = "none"
	}
	m.fields("INPUT", "input", s, s.Input, inputs)
	m.fields("OUTPUT", "", s, s.Output, "any object")
	m.failures(s.Failures)
	m.example(s.Example)
	m.head("RUNS")
	m.wrap("  ", runs(s))
	return m.b.Bytes()
}

// failures writes how an item fails, the likeliest first.
func (m *manual) failures(all []orbit.SatelliteFailure) {
	if len(all) == 0 {
		return
	}
	m.head("FAILS")
	for _, f := range all {
		m.b.WriteString("  " + m.bold(f.Code) + "  " + again(f) + "\n")
		m.wrap("      ", "When "+f.When+".")
	}
}

func again(f orbit.SatelliteFailure) string {
	if f.Retried {
		return "tried again"
	}
	return "at once"
}

// example writes a step as it stands in a list of satellites.
func (m *manual) example(step string) {
	if step == "" {
		return
	}
	m.head("EXAMPLE")
	m.b.WriteString(entry(step, "  "))
}

// entry makes a step an entry of a list in YAML.
func entry(step, indent string) string {
	var b strings.Builder
	for i, line := range strings.Split(strings.TrimSpace(step), "\n") {
		switch {
		case i == 0:
			line = "- " + line
		case line != "":
			line = "  " + line
		}
		b.WriteString(strings.TrimRight(indent+line, " ") + "\n")
	}
	return b.String()
}

// runs says where a satellite runs, and for how long.
func runs(s *orbit.SatelliteSpec) string {
	return fmt.Sprintf("In the pool %s%s; an attempt may take %s, where `timeout` says nothing else.", s.Pool, needs(s.Resources), orbit.Duration(s.Timeout))
}

// needs says what hardware a satellite asks for: ", on at least 40GiB of GPU memory and 4 cores".
func needs(r orbit.Resources) string {
	var parts []string
	if r.GPUMemory > 0 {
		parts = append(parts, r.GPUMemory.String()+" of GPU memory")
	}
	if r.CPU > 0 {
		parts = append(parts, one(r.CPU, "core"))
	}
	if r.Memory > 0 {
		parts = append(parts, r.Memory.String()+" of memory")
	}
	if len(parts) == 0 {
		return ", on any hardware"
	}
	return ", on at least " + strings.Join(parts, " and ")
}

// fields writes what a schema says of the config, the input or an output of a satellite.
func (m *manual) fields(title, part string, s *orbit.SatelliteSpec, schema []byte, otherwise string) {
	m.head(title)
	root := readSchema(schema)
	for _, text := range root.about(otherwise) {
		m.wrap("  ", text)
	}
	for _, f := range root.fields() {
		m.b.WriteString("  " + m.bold(f.name) + "  " + f.says(s, part) + "\n")
		m.wrap("      ", f.description)
	}
}

// about is what the schema says of the value as a whole; otherwise where it says nothing and names no fields.
func (s *schema) about(otherwise string) (paragraphs []string) {
	if text := s.text("description"); text != "" {
		paragraphs = append(paragraphs, text)
	} else if len(s.fields()) == 0 {
		paragraphs = append(paragraphs, otherwise)
	}
	if text := s.text("x-message"); text != "" {
		paragraphs = append(paragraphs, "It "+text+".")
	}
	return paragraphs
}

// says tells in a few words what a field takes. part is config or input; "" for an output, which holds no secrets.
func (f *field) says(s *orbit.SatelliteSpec, part string) string {
	kind := f.kind
	if f.required {
		kind += ", required"
	}
	if f.fallback != "" {
		kind += ", default " + f.fallback
	}
	if part != "" && secretBearing(s, part+"."+f.name) {
		kind += ", may hold secrets"
	}
	return kind
}

// secretBearing tells whether ${{ secrets.NAME }} may stand in a field, dotted.
func secretBearing(s *orbit.SatelliteSpec, field string) bool {
	return slices.ContainsFunc(s.SecretFields, func(f string) bool { return f == field || strings.HasPrefix(field, f+".") })
}

func (m *manual) head(s string) {
	if m.b.Len() > 0 {
		m.b.WriteByte('\n')
	}
	m.b.WriteString(m.bold(s) + "\n")
}

func (m *manual) bold(s string) string {
	if m.color {
		return paint("1", s)
	}
	return s
}

// wrap writes text in lines of at most the page's width, each after an indent.
func (m *manual) wrap(indent, text string) {
	line := ""
	for _, word := range strings.Fields(text) {
		if line != "" && utf8.RuneCountInString(indent+line+" "+word) > m.width {
			m.b.WriteString(indent + line + "\n")
			line = ""
		}
		if line != "" {
			line += " "
		}
		line += word
	}
	if line != "" {
		m.b.WriteString(indent + line + "\n")
	}
}
