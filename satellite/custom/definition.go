// Package custom reads the satellites that a project brings: a folder with a satellite.yml, which says what the satellite
// takes and returns, and what it is: a program, an HTTP service, or a preset over another satellite.
//
//	folder/satellite.yml ──Read──► Definition ──Open──► satellite.Satellite
//	                                    └─ Spec ──────► gateway (register)
//
// It refuses to know of gateways and nodes, and of the code: it is opened where it is, and nothing of it is sent anywhere.
package custom

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"gopkg.in/yaml.v3"

	"github.com/exospherehost/orbit"
	"github.com/exospherehost/orbit/satellite"
	"github.com/exospherehost/orbit/satellite/exec"
)

// File is the name of a definition.
const File = "satellite.yml"

// What a definition leaves out.
const (
	defaultTimeout    = 10 * time.Minute
	defaultBundleHint = 16
)

// Definition is a satellite.yml that was read and is right.
type Definition struct {
	Dir  string
	Spec *satellite.Spec

	Program *exec.Options // of a child process
	URL     string        // of an HTTP service
	Preset  *Preset       // over another satellite

	doc   document
	lines map[string]*yaml.Node // where each key stands
}

// Preset names another satellite and what is laid under a step's config.
type Preset struct {
	Uses   string
	Config map[string]any
}

// Catalog knows the satellites that presets may be made over; a satellite.Registry is one.
type Catalog interface {
	Lookup(name string) (*satellite.Spec, bool)
}

// keys of a definition, in the order in which they are read.
var keys = []string{"name", "title", "description", "config", "input", "output", "primary-text", "secret-fields", "resources", "timeout", "bundle-hint",
	"command", "url", "preset"}

// programKeys only make sense beside `command`.
var programKeys = []string{"processes", "framing", "env", "memory-limit", "max-output", "start-timeout", "idle-timeout"}

// Read reads and checks the definition in a folder. An error is a *Mistake: one sentence with file and line.
func Read(dir string, catalog Catalog) (*Definition, error) {
	text, err := readFile(dir, File)
	if err != nil {
		return nil, err
	}
	d := &Definition{Dir: dir, Spec: &satellite.Spec{Kind: "custom", Timeout: defaultTimeout, BundleHint: defaultBundleHint},
		doc: document{file: filepath.Join(dir, File)}, lines: map[string]*yaml.Node{}}
	root, err := d.doc.parse(text)
	if err != nil {
		return nil, err
	}
	if root == nil {
		return nil, d.doc.wrong(nil, "it is empty; name the satellite: name: project/name")
	}
	pairs, err := d.doc.pairs(root)
	if err != nil {
		return nil, err
	}
	given := map[string]*yaml.Node{}
	for _, p := range pairs {
		key := strings.ReplaceAll(p.key.Value, "_", "-")
		if !slices.Contains(keys, key) && !slices.Contains(programKeys, key) {
			return nil, d.doc.wrong(p.key, "%q is no key of a satellite; there are %s, and beside command %s", p.key.Value, strings.Join(keys, ", "), strings.Join(programKeys, ", "))
		}
		given[key], d.lines[key] = p.value, p.key
	}
	if err := d.read(given, catalog); err != nil {
		return nil, err
	}
	d.Spec.Pool = orbit.ProjectPool(project(d.Spec.Name))
	if err := satellite.CheckSpec(d.Spec); err != nil {
		var bad *satellite.SpecError
		if errors.As(err, &bad) {
			return nil, d.doc.wrong(d.lines[bad.Field], "%s", bad.Error())
		}
		return nil, err
	}
	return d, nil
}

// read takes every key that is given.
func (d *Definition) read(given map[string]*yaml.Node, catalog Catalog) error {
	kinds := 0
	for _, kind := range []string{"command", "url", "preset"} {
		if given[kind] != nil {
			kinds++
		}
	}
	if kinds != 1 {
		return d.doc.wrong(nil, "it needs one of command (a program), url (an HTTP service) and preset (another satellite with a config), and has %d of them", kinds)
	}
	if given["preset"] != nil { // first: what the definition leaves out is the other satellite's
		if err := d.readPreset(given["preset"], catalog); err != nil {
			return err
		}
	}
	if given["command"] != nil {
		d.Program = &exec.Options{Dir: d.Dir}
	}
	for _, key := range slices.Concat(keys, programKeys) {
		n := given[key]
		if n == nil || key == "preset" {
			continue
		}
		if d.Program == nil && slices.Contains(programKeys, key) {
			return d.doc.wrong(d.lines[key], "%s only says something of a program; it stands beside command", key)
		}
		if err := d.readKey(key, n); err != nil {
			return err
		}
	}
	if d.Spec.Name == "" {
		return d.doc.wrong(nil, "it has no name; write name: project/name")
	}
	if d.Program != nil {
		d.Program.Spec = d.Spec
	}
	return nil
}

func (d *Definition) readKey(key string, n *yaml.Node) (err error) {
	s, p := d.Spec, d.Program
	switch key {
	case "name":
		s.Name, err = d.text(key, n)
		s.Name = strings.TrimPrefix(s.Name, "satellite/")
	case "title":
		s.Title, err = d.text(key, n)
	case "description":
		s.Description, err = d.text(key, n)
	case "config":
		s.Config, err = d.schema(key, n)
	case "input":
		s.Input, err = d.schema(key, n)
	case "output":
		s.Output, err = d.schema(key, n)
	case "primary-text":
		s.PrimaryText, err = d.text(key, n)
	case "secret-fields":
		s.SecretFields, err = d.list(key, n)
	case "resources":
		err = d.readResources(n)
	case "timeout":
		s.Timeout, err = d.duration(key, n)
	case "bundle-hint":
		s.BundleHint, err = d.number(key, n)
	case "command":
		if p.Command, err = d.list(key, n); err == nil && len(p.Command) == 0 {
			err = d.doc.wrong(n, "command is empty; write the program and its arguments as a list")
		}
	case "url":
		if d.URL, err = d.text(key, n); err == nil {
			if u, perr := url.Parse(d.URL); perr != nil || u.Hostname() == "" || (u.Scheme != "http" && u.Scheme != "https") || u.User != nil {
				err = d.doc.wrong(n, "url must be an http or https URL without user and password, such as https://example.com/satellite")
			}
		}
	case "processes":
		p.Processes, err = d.number(key, n)
	case "framing":
		if p.Framing, err = d.text(key, n); err == nil && p.Framing != exec.Lines && p.Framing != exec.Length {
			err = d.doc.wrong(n, "framing is %s or %s", exec.Lines, exec.Length)
		}
	case "env":
		p.Env, err = d.words(key, n)
	case "memory-limit":
		p.Memory, err = d.bytes(key, n)
	case "max-output":
		p.MaxOutput, err = d.bytes(key, n)
	case "start-timeout":
		p.Start, err = d.duration(key, n)
	case "idle-timeout":
		p.Idle, err = d.duration(key, n)
	}
	return err
}

func (d *Definition) readResources(n *yaml.Node) error {
	pairs, err := d.doc.pairs(n)
	if err != nil {
		return err
	}
	r := &d.Spec.Resources
	*r = orbit.Resources{}
	for _, p := range pairs {
		switch strings.ReplaceAll(p.key.Value, "_", "-") {
		case "gpu-memory":
			r.GPUMemory, err = d.bytes("gpu-memory", p.value)
		case "memory":
			r.Memory, err = d.bytes("memory", p.value)
		case "cpu":
			r.CPU, err = d.number("cpu", p.value)
		case "class":
			r.Class, err = d.text("class", p.value)
		default:
			err = d.doc.wrong(p.key, "%q is no resource; there are cpu, memory, gpu-memory and class", p.key.Value)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func (d *Definition) text(key string, n *yaml.Node) (string, error) {
	v, err := d.doc.value(n, 0)
	if err != nil {
		return "", err
	}
	text, ok := v.(string)
	if !ok || strings.TrimSpace(text) == "" {
		return "", d.doc.wrong(n, "%s must be a text", key)
	}
	return strings.TrimSpace(text), nil
}

func (d *Definition) list(key string, n *yaml.Node) ([]string, error) {
	v, err := d.doc.value(n, 0)
	if err != nil {
		return nil, err
	}
	list, ok := v.([]any)
	out := make([]string, len(list))
	for i, e := range list {
		var text bool
		if out[i], text = e.(string); !text {
			ok = false
		}
	}
	if !ok {
		return nil, d.doc.wrong(n, "%s must be a list of texts, such as [a, b]; a number in it needs quotes", key)
	}
	return out, nil
}

func (d *Definition) words(key string, n *yaml.Node) (map[string]string, error) {
	v, err := d.doc.value(n, 0)
	if err != nil {
		return nil, err
	}
	m, ok := v.(map[string]any)
	out := make(map[string]string, len(m))
	for k, e := range m {
		text, isText := e.(string)
		ok = ok && isText && k != "" && !strings.ContainsAny(k, "=\x00") && !strings.Contains(text, "\x00")
		out[k] = text
	}
	if !ok {
		return nil, d.doc.wrong(n, "%s must be a map of names and texts; a number in it needs quotes", key)
	}
	return out, nil
}

func (d *Definition) number(key string, n *yaml.Node) (int, error) {
	v, err := d.doc.value(n, 0)
	if err != nil {
		return 0, err
	}
	i, ok := v.(int)
	if !ok || i < 1 {
		return 0, d.doc.wrong(n, "%s must be a whole number, 1 at least", key)
	}
	return i, nil
}

func (d *Definition) duration(key string, n *yaml.Node) (time.Duration, error) {
	took, err := time.ParseDuration(n.Value)
	if n.Kind != yaml.ScalarNode || err != nil || took <= 0 {
		return 0, d.doc.wrong(n, "%s must be a duration, such as 30s or 5m", key)
	}
	return took, nil
}

func (d *Definition) bytes(key string, n *yaml.Node) (orbit.Bytes, error) {
	b, err := orbit.ParseBytes(n.Value)
	if n.Kind != yaml.ScalarNode || err != nil || b <= 0 {
		return 0, d.doc.wrong(n, "%s must be an amount, such as 512MiB or 16GiB", key)
	}
	return b, nil
}

// schema reads a JSON Schema, written out or in a file of its own.
func (d *Definition) schema(key string, n *yaml.Node) (json.RawMessage, error) {
	doc, at := &d.doc, n
	if n.Kind == yaml.ScalarNode && n.ShortTag() == "!!str" {
		text, err := readFile(d.Dir, n.Value)
		var bad *Mistake
		if errors.As(err, &bad) {
			return nil, d.doc.wrong(n, "%s: %s: %s", key, n.Value, bad.Message)
		}
		if err != nil {
			return nil, err
		}
		doc = &document{file: filepath.Join(d.Dir, n.Value)} // JSON is YAML too
		if at, err = doc.parse(text); err != nil {
			return nil, err
		}
	}
	if at == nil || at.Kind != yaml.MappingNode {
		return nil, d.doc.wrong(n, "%s must be a JSON Schema: a map such as {type: object, properties: {…}}, or the name of a file that holds one", key)
	}
	v, err := doc.value(at, 0)
	if err != nil {
		return nil, err
	}
	text, err := json.Marshal(v)
	if err == nil {
		err = satellite.CheckSchema(text)
	} else {
		err = fmt.Errorf("it is no JSON: %s", cause(err))
	}
	if err != nil {
		return nil, doc.wrong(cmp.Or(at, n), "%s: %v", key, err)
	}
	return text, nil
}

func project(name string) string {
	p, _, _ := strings.Cut(name, "/")
	return p
}
