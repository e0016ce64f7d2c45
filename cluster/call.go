package cluster

import (
	"fmt"
	"maps"
	"path"
	"slices"
	"strconv"
	"strings"
	"time"

	"gopkg.in/yaml.v3"

	"github.com/exospherehost/orbit"
)

// callSLA is the time of a call that does not say how long it may take: what has most time is cheapest.
const callSLA = 24 * time.Hour

// callPrefix begins the identifier of what runs a satellite alone. That of a cluster has one slash, so the two never meet.
const callPrefix = "satellite/"

// CallIdentifier is the identifier under which runs of a satellite alone are known: satellite/project/name.
func CallIdentifier(satellite string) string { return callPrefix + satellite }

// CalledBy gives the satellite that the runs under an identifier call alone; false where it is that of a cluster.
func CalledBy(identifier string) (satellite string, ok bool) {
	satellite, ok = strings.CutPrefix(identifier, callPrefix)
	return satellite, ok && strings.Contains(satellite, "/")
}

// ProjectOf gives the project whose secrets the runs under an identifier may have: that of the cluster, or of the satellite
// that is called.
func ProjectOf(identifier string) string {
	if satellite, ok := CalledBy(identifier); ok {
		identifier = satellite
	}
	project, _, _ := strings.Cut(identifier, "/")
	return project
}

// CallDiagnostic is one thing that is wrong with a call of a satellite. A call has no lines: the path of a value in its
// body, such as config.secrets[0].AWS_ACCESS_KEY, says where.
type CallDiagnostic struct {
	Path     string   `json:"path"` // empty: the body as a whole
	Severity Severity `json:"severity"`
	Code     string   `json:"code"` // "ORB-C012"; see Explain
	Message  string   `json:"message"`
	Hint     string   `json:"hint"` // what to try; may be empty
}

// Called is what became of a call.
type Called struct {
	Plan        *Plan // of one step, which takes the run's payload as its input; nil when there are diagnostics
	Diagnostics []CallDiagnostic
	Secrets     map[string]string // values that the config itself holds: they belong to the run and are no part of the plan
	Payload     orbit.Object      // the input; its own keys in the schema's spelling
}

// Compile makes the plan that runs a satellite alone. The config is read as that of a step in a cluster file, but that
// its expressions know ${{ secrets.NAME }} and nothing else: the secret NAME in the vault of the satellite's project. The
// input is data, in which nothing is looked for.
func (k *Call) Compile(spec *orbit.SatelliteSpec, o Options) *Called {
	c := &compiler{
		src:      &source{noText: true, lines: []string{""}},
		options:  o,
		badNodes: map[*yaml.Node]bool{},
		retries:  DefaultRetries,
		used:     map[string]bool{},
		declared: map[string]bool{},
		inline:   map[string]string{},
		call:     true,

		undeclared: map[string]Pos{},
	}
	if o.Schemas == nil {
		c.options.Schemas = NewSchemas()
	}
	if o.ForFile != nil {
		c.options.Check = o.ForFile()
	}
	out := &Called{Secrets: c.inline}
	if k.tooMuch != nil {
		out.Diagnostics = []CallDiagnostic{*k.tooMuch}
		return out
	}
	s := &Spec{Identifier: Word{Text: CallIdentifier(spec.Name)}, SLA: orbit.Duration(callSLA), Retries: DefaultRetries,
		Triggers: []TriggerSpec{{Trigger: Trigger{Type: "api-call"}}}}
	step := c.readCall(k, spec, s, out)
	s.Steps = []*StepSpec{step}
	g := c.connect(s)
	c.vaultSecrets(s, step)
	c.resolve(s, g)
	c.hardware(s)
	if !c.failed {
		out.Plan = c.plan(s, g)
	}
	sortDiagnostics(c.found)
	for _, d := range c.found {
		if d.Severity == SeverityError {
			out.Diagnostics = append(out.Diagnostics, CallDiagnostic{Path: k.places[d.Line-1], Severity: d.Severity, Code: d.Code, Message: d.Message, Hint: d.Hint})
		}
	}
	return out
}

// callKeys are the keys of a call.
var callKeys = keys{{name: "input"}, {name: "config"}, {name: "sla"}}

// readCall reads the body of a call.
func (c *compiler) readCall(k *Call, spec *orbit.SatelliteSpec, s *Spec, out *Called) *StepSpec {
	start := Pos{1, 1}
	only := &StepSpec{Part: Main, Pos: start, Uses: Word{spec.Name, start}, Identifier: Word{path.Base(spec.Name), start}, Satellite: spec, Retries: DefaultRetries,
		usesKey: start, configKey: k.pos("config"), inputKey: k.pos("input")}
	(&treeCheck{compiler: c}).check(k.root, 1)
	f, _ := c.fields(k.root, start, "the call", callKeys)
	if v, ok := f.get("sla"); ok {
		if d, ok := c.readSLA(v.value); ok {
			s.SLA = d
		}
	}
	if v, ok := f.get("config"); ok {
		if v.value.Kind == yaml.MappingNode {
			only.Config = c.configValue(v.value, c.schema(spec, "config"), -1)
		} else {
			c.error(at(v.value), codeType, "write it like {\"key\": value}", "config must be a map, not %s", describe(v.value))
			only.Config = &Value{Pos: at(v.value), broken: true}
		}
	}
	if out.Payload = k.Input; k.Input.IsNull() {
		return only
	}
	if spec.EmptyInput {
		c.error(only.inputKey, codeNoInput, "leave input out; what it needs stands in its config", "%s takes no input", spec.Name)
		return only
	}
	c.callInput(k, spec, out)
	whole := &Expr{Path: &Path{Source: "trigger.payload", Root: "trigger", Segments: []Segment{{Name: "payload"}}}}
	only.Input = &Value{Pos: only.inputKey, Pieces: []Piece{{Expr: whole, Pos: only.inputKey}}, Alone: true}
	return only
}

// callInput gives the input's own keys the schema's spelling, and reports what the satellite does not take.
func (c *compiler) callInput(k *Call, spec *orbit.SatelliteSpec, out *Called) {
	schema := c.schema(spec, "input")
	if schema == nil {
		return
	}
	v, err := k.Input.Value()
	if err != nil { // it was encoded a moment ago
		panic(err)
	}
	if given, ok := v.(map[string]any); ok {
		m, renamed := make(map[string]any, len(given)), false
		for _, key := range slices.Sorted(maps.Keys(given)) { // kebab-case before snake_case
			name, _ := schema.canonical(key)
			if _, twice := m[name]; twice {
				c.error(k.pos(below("input", key)), codeDuplicate, "keep one of them", "the key %s stands in input twice", quoted(name))
				continue
			}
			m[name], renamed = given[key], renamed || name != key
		}
		if v = m; renamed {
			out.Payload = orbit.MustObject(m)
		}
	}
	if c.options.Check == nil {
		return
	}
	for _, x := range c.options.Check(spec, "input", v) {
		place, code, hint := "input", codeConfigValue, x.Hint
		at := v
		for i, name := range x.Path {
			next, inner, there := step(at, place, name)
			if !there {
				code = codeConfigLacks
				break
			}
			if at, place = next, inner; i == 0 && hint == "" && schema.closed() && !schema.has(name) {
				hint = c.didYouMean(name, schema.names())
			}
		}
		c.error(k.pos(place), code, hint, "%s %s", strings.Join(append([]string{"input"}, x.Path...), "."), x.Message)
	}
}

// step goes down one key or list position of a value, and tells the path there.
func step(v any, place, name string) (next any, path string, there bool) {
	switch v := v.(type) {
	case map[string]any:
		next, there = v[name]
		return next, below(place, name), there
	case []any:
		if i, err := strconv.Atoi(name); err == nil && i >= 0 && i < len(v) {
			return v[i], fmt.Sprintf("%s[%d]", place, i), true
		}
	}
	return nil, place, false
}

// vaultSecrets declares what the config names: secrets in the vault of the satellite's project.
func (c *compiler) vaultSecrets(s *Spec, step *StepSpec) {
	step.Config.each(nil, func(_ []string, p *Piece) {
		p.Expr.walk(func(e *Expr) {
			if e.Path == nil || e.Path.Root != "secrets" || len(e.Path.Segments) == 0 || e.Path.Segments[0].IsIndex {
				return
			}
			name := e.Path.Segments[0].Name
			if c.declared[name] {
				return
			}
			c.declared[name] = true
			if !secretPattern.MatchString(name) {
				c.error(p.Pos, codeIdentifier, "write it of letters, digits, _ and -, such as API_KEY", "%s is no name of a secret", quoted(name))
				return
			}
			s.secretNames = append(s.secretNames, name)
			s.Secrets = append(s.Secrets, SecretSpec{SecretSource{Name: name, Source: "vault", Key: name}, p.Pos})
		})
	})
	slices.Sort(s.secretNames)
}

// notInACall reports what an expression of a call reads beside secrets: there is nothing else.
func (l *lookup) notInACall(p *Path) {
	l.fail(codeRoot, "what varies goes into input, in which nothing is looked for; a literal ${{ is written ${{ '${{' }}", "the config of a call knows ${{ secrets.NAME }} alone, not %s", quoted(p.Source))
}
