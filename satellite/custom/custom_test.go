package custom_test

import (
	"context"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/exospherehost/orbit"
	"github.com/exospherehost/orbit/satellite"
	"github.com/exospherehost/orbit/satellite/custom"
)

// base is what presets are made over: it returns its config.
type base struct{}

func (base) Spec() *satellite.Spec {
	return &satellite.Spec{Name: "exospherehost/base", Title: "Return the config", Timeout: time.Minute, BundleHint: 4, SecretFields: []string{"config.headers"},
		Config: json.RawMessage(`{"type": "object", "additionalProperties": false, "required": ["base-url", "method"], "anyOf": [{"required": ["method"]}],
			"properties": {"base-url": {"type": "string"}, "method": {"enum": ["GET", "POST"]}, "headers": {"type": "object"}}}`)}
}

func (base) Run(_ context.Context, inv *satellite.Invocation, emit satellite.Emit) error {
	return emit(orbit.MustObject(inv.Config))
}

func registry(t *testing.T) *satellite.Registry {
	t.Helper()
	r, err := satellite.NewRegistry(base{})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// folder makes a folder of files.
func folder(t *testing.T, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

const program = `
name: acme/word-count
title: Count words
description: |
  Counts the words of a text.
config:
  type: object
  additionalProperties: false
  properties: {token: {type: string}, least: {type: integer, default: 1}}
input: input.json
output: {type: object, required: [words], properties: {words: {type: integer}}}
primary-text: words
secret-fields: [config.token]
resources: {cpu: 2, memory: 1GiB}
timeout: 90s
bundle-hint: 8
command: [python3, count.py]
processes: 3
framing: length
env: {MODEL: small}
memory-limit: 512MiB
max_output: 1MiB
start-timeout: 5s
idle-timeout: 1m
`

func TestAProgramIsReadWhole(t *testing.T) {
	dir := folder(t, map[string]string{"satellite.yml": program, "input.json": `{"type": "string"}`})
	d, err := custom.Read(dir, registry(t))
	if err != nil {
		t.Fatal(err)
	}
	s, p := d.Spec, d.Program
	if s.Name != "acme/word-count" || s.Kind != "custom" || s.Title != "Count words" || s.Description != "Counts the words of a text." || s.Pool != "project-acme" || s.PrimaryText != "words" ||
		s.Timeout != 90*time.Second || s.BundleHint != 8 || s.Resources.CPU != 2 || s.Resources.Memory != orbit.GiB || s.SecretFields[0] != "config.token" ||
		string(s.Input) != `{"type":"string"}` || !strings.Contains(string(s.Config), `"least":{"default":1,"type":"integer"}`) {
		t.Errorf("%+v", s)
	}
	if p.Dir != dir || strings.Join(p.Command, " ") != "python3 count.py" || p.Processes != 3 || p.Framing != "length" || p.Env["MODEL"] != "small" || p.Memory != 512*orbit.MiB ||
		p.MaxOutput != orbit.MiB || p.Start != 5*time.Second || p.Idle != time.Minute || p.Spec != s {
		t.Errorf("%+v", p)
	}
}

func TestMistakesAreToldWithTheirLine(t *testing.T) {
	const head = "name: acme/x\ntitle: X\n"
	for name, c := range map[string]struct{ text, want string }{
		"empty":                 {"", "satellite.yml: it is empty"},
		"no YAML":               {"name: [\n", "satellite.yml:1: it is no YAML"},
		"an unknown key":        {head + "comand: [a]\n", `satellite.yml:3: "comand" is no key of a satellite`},
		"twice the same":        {head + "title: Y\nurl: http://a\n", "satellite.yml:3: title stands here for the second time, after line 2"},
		"none of the three":     {head, "satellite.yml: it needs one of command"},
		"two of the three":      {head + "url: http://a\ncommand: [a]\n", "and has 2 of them"},
		"no name":               {"title: X\nurl: http://a\n", "satellite.yml: it has no name"},
		"a bad name":            {"name: Acme/x\ntitle: X\nurl: http://a\n", `satellite.yml:1: name: "Acme/x" is no name of a satellite`},
		"the built-in project":  {"name: exospherehost/x\ntitle: X\nurl: http://a\n", "satellite.yml:1: name: the project exospherehost is that of the built-in satellites"},
		"no title":              {"name: acme/x\nurl: http://a\n", "satellite.yml: title: it must say in one line"},
		"an empty command":      {head + "command: []\n", "satellite.yml:3: command is empty"},
		"a number in a command": {head + "command: [sleep, 3]\n", "satellite.yml:3: command must be a list of texts"},
		"no URL":                {head + "url: ftp://a\n", "satellite.yml:3: url must be an http or https URL"},
		"a URL with a password": {head + "url: http://me:secret@a\n", "satellite.yml:3: url must be an http or https URL without user and password"},
		"no schema":             {head + "url: http://a\nconfig: {type: objekt}\n", "satellite.yml:4: config: it is no JSON Schema"},
		"a schema that is away": {head + "url: http://a\ninput: in.json\n", "satellite.yml:4: input: in.json: there is no such file"},
		"a schema outside":      {head + "url: http://a\ninput: ../in.json\n", "the file lies outside of the satellite's folder"},
		"a damaged schema file": {head + "url: http://a\ninput: bad.json\n", "it is no YAML: did not find"},
		"a bad timeout":         {head + "url: http://a\ntimeout: 5\n", "satellite.yml:4: timeout must be a duration"},
		"a long timeout":        {head + "url: http://a\ntimeout: 48h\n", "satellite.yml:4: timeout: an attempt may take more than 0 and at most 24h"},
		"a large hint":          {head + "url: http://a\nbundle-hint: 1000\n", "satellite.yml:4: bundle-hint: it must be 1 to 256 items"},
		"a bad amount":          {head + "command: [a]\nmemory-limit: much\n", "satellite.yml:4: memory-limit must be an amount"},
		"an unknown resource":   {head + "url: http://a\nresources: {ram: 1GiB}\n", `satellite.yml:4: "ram" is no resource`},
		"a program's key":       {head + "url: http://a\nprocesses: 3\n", "satellite.yml:4: processes only says something of a program"},
		"a bad framing":         {head + "command: [a]\nframing: dots\n", "satellite.yml:4: framing is lines or length"},
		"a number in env":       {head + "command: [a]\nenv: {N: 3}\n", "satellite.yml:4: env must be a map of names and texts"},
		"a bad secret field":    {head + "url: http://a\nsecret-fields: [token]\n", `satellite.yml:4: secret-fields: "token" is no field`},
		"an anchor":             {head + "url: http://a\nconfig: &a {type: object}\n", "satellite.yml:4: anchors and aliases are not read"},
		"an unknown base":       {head + "preset: {uses: exospherehost/bass}\n", "satellite.yml:3: there is no satellite exospherehost/bass"},
		"no base":               {head + "preset: {config: {}}\n", "satellite.yml:3: a preset needs uses"},
		"a preset that is off":  {head + "preset:\n  uses: exospherehost/base\n  config: {method: SEND}\n", "satellite.yml:5: the config does not fit exospherehost/base: method must be one of GET, POST"},
		"an unknown preset key": {head + "preset:\n  uses: exospherehost/base\n  config: {metod: GET}\n", "satellite.yml:5: the config does not fit exospherehost/base: metod is an unknown key"},
	} {
		t.Run(name, func(t *testing.T) {
			dir := folder(t, map[string]string{"satellite.yml": c.text, "bad.json": "{\n\"a\": ]}"})
			_, err := custom.Read(dir, registry(t))
			var told *custom.Mistake
			if !errors.As(err, &told) || !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), "\n") {
				t.Errorf("%v, want %s", err, c.want)
			}
		})
	}
}

func TestAPresetIsLaidUnderTheStep(t *testing.T) {
	dir := folder(t, map[string]string{"satellite.yml": "name: acme/hook\npreset:\n  uses: satellite/exospherehost/base\n  config: {base_url: http://a, headers: {A: one, B: two}}\n"})
	r := registry(t)
	set, err := custom.OpenAll([]string{dir}, r)
	if err != nil {
		t.Fatal(err)
	}
	defer set.Close()
	s, ok := r.Satellite("acme/hook")
	if !ok {
		t.Fatal("it is not in the registry")
	}
	spec := s.Spec()
	if spec.Kind != "configured" || spec.Title != "Return the config" || spec.Pool != "project-acme" || spec.BundleHint != 4 || spec.SecretFields[0] != "config.headers" {
		t.Errorf("%+v", spec)
	}
	if want := `"required":["method"]`; !strings.Contains(string(spec.Config), want) || strings.Contains(string(spec.Config), "anyOf") {
		t.Errorf("the config is %s", spec.Config)
	}
	run := func(config map[string]any) (string, error) {
		var out string
		err := s.Run(t.Context(), &satellite.Invocation{Step: "hook", Lineage: "0", Config: config}, func(o orbit.Object) error {
			text, err := o.MarshalJSON()
			out = string(text)
			return err
		})
		return out, err
	}
	got, err := run(map[string]any{"method": "GET", "headers": map[string]any{"B": "mine"}})
	if want := `{"base-url":"http://a","headers":{"A":"one","B":"mine"},"method":"GET"}`; err != nil || got != want {
		t.Errorf("%s, %v, want %s", got, err, want)
	}
	if _, err := run(nil); err == nil || orbit.AsError(err).Code != orbit.CodeInvalidConfig || !strings.Contains(err.Error(), "method") {
		t.Errorf("a config that lacks something: %v", err)
	}
}

func TestAPresetMayBeOverAnotherOfTheList(t *testing.T) {
	first := folder(t, map[string]string{"satellite.yml": "name: acme/one\npreset: {uses: exospherehost/base, config: {base-url: http://a}}\n"})
	second := folder(t, map[string]string{"satellite.yml": "name: acme/two\npreset: {uses: acme/one, config: {method: GET}}\n"})
	if _, err := custom.OpenAll([]string{second, first}, registry(t)); err == nil || !strings.Contains(err.Error(), "one of your own is named before those that use it") {
		t.Errorf("%v", err)
	}
	set, err := custom.OpenAll([]string{first, second}, registry(t))
	if err != nil {
		t.Fatal(err)
	}
	if specs := set.Specs(); len(specs) != 2 || specs[1].Name != "acme/two" {
		t.Errorf("%v", specs)
	}
	set.Close()
	if _, err := custom.OpenAll([]string{first, first}, registry(t)); err == nil || !strings.Contains(err.Error(), "the name is taken") {
		t.Errorf("%v", err)
	}
}

func TestWhatDoesNotFitIsNotHandedToAProgram(t *testing.T) {
	text := "name: acme/x\ntitle: X\ncommand: [no-such-program]\nconfig: {properties: {n: {type: integer}}}\ninput: {type: object}\n"
	r := registry(t)
	set, err := custom.OpenAll([]string{folder(t, map[string]string{"satellite.yml": text})}, r)
	if err != nil {
		t.Fatal(err)
	}
	defer set.Close()
	for want, inv := range map[string]*satellite.Invocation{
		"x/0: the config does not fit acme/x: n must be a whole number, not a string": {Config: map[string]any{"n": "3"}, Input: map[string]any{}},
		"x/0: the input does not fit acme/x: it must be a map, not a list":            {Input: []any{}},
		"the program no-such-program cannot be started":                               {Input: map[string]any{}},
	} {
		inv.Step, inv.Lineage = "x", "0"
		if err := set.Satellites[0].Run(t.Context(), inv, nil); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %s", err, want)
		}
	}
}

func FuzzADefinitionIsReadOrRefusedInASentence(f *testing.F) {
	f.Add(program)
	f.Add("name: acme/x\npreset: {uses: exospherehost/base}\n")
	f.Add("config: {type: [object, null]}\n? [a]\n: b")
	r, err := satellite.NewRegistry(base{})
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, text string) {
		_, err := custom.Read(folder(t, map[string]string{"satellite.yml": text}), r)
		var told *custom.Mistake
		if err != nil && !errors.As(err, &told) {
			t.Errorf("%v", err)
		}
	})
}
