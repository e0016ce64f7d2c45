package cluster

import (
	"path"
	"slices"
	"strings"

	"gopkg.in/yaml.v3"

	"github.com/exospherehost/orbit"
)

// readSteps reads one list of satellites.
func (c *compiler) readSteps(v field, part Part) []*StepSpec {
	n := v.value
	if n.Kind != yaml.SequenceNode {
		c.error(atValue(n, v.key), codeType, "begin each satellite with a dash", "satellites must be a list, not %s", describe(n))
		c.untold, c.blindUses = allUntold, true
		return nil
	}
	switch {
	case len(n.Content) == 0:
		c.error(at(n), codeCount, "add a satellite", "the list of satellites is empty")
		c.untold, c.blindUses = allUntold, true
	case len(n.Content) > maxSteps:
		c.error(at(n.Content[maxSteps]), codeCount, "split the cluster; one can start another by its trigger",
			"the list has %d satellites; at most %d are allowed", len(n.Content), maxSteps)
		c.untold, c.blindUses = allUntold, true
	}
	var out []*StepSpec
	for _, e := range n.Content[:min(len(n.Content), maxSteps)] {
		if s, ok := c.readStep(e, part); ok {
			out = append(out, s)
		} else {
			c.untold++
			c.blindUses = true
		}
	}
	return out
}

// readStep reads one satellite. It is false where not even a map is there.
func (c *compiler) readStep(n *yaml.Node, part Part) (*StepSpec, bool) {
	f, ok := c.fields(n, at(n), "a satellite", stepKeys)
	if !ok {
		return nil, false
	}
	s := &StepSpec{Part: part, Pos: at(n), Retries: c.retries}
	if w, ok := f.text("name"); ok {
		s.Name = w.Text
	}
	c.readUses(f, s)
	c.readIdentifier(f, s)
	if v, ok := f.get("retries"); ok {
		s.Retries, s.retriesKey = c.readRetries(v, c.retries)
	}
	if v, ok := f.get("timeout"); ok {
		if s.Timeout, ok = c.duration(v.value, "timeout"); ok && s.Timeout == 0 {
			c.error(at(v.value), codeValue, "leave timeout out for the satellite's own limit", "a timeout of 0 lets nothing run")
		}
	}
	if v, ok := f.get("delay"); ok {
		s.Delay, _ = c.duration(v.value, "delay")
	}
	s.Parents, s.parentsOpen = c.readNames(f, "parents")
	s.Children, s.childrenOpen = c.readNames(f, "children")
	if v, ok := f.get("if"); ok {
		s.If = c.readCondition(v)
	}
	if v, ok := f.get("unites"); ok {
		s.Unites = c.readUnites(v)
	}
	if v, ok := f.get("concurrency"); ok {
		s.Concurrency, _ = c.integer(v.value, "concurrency", 1, maxConcurrency)
	}
	if v, ok := f.get("rate-limit"); ok {
		s.RateLimit = c.readRate(v.value)
	}
	if v, ok := f.get("resources"); ok {
		s.resourcesKey = v.key
		s.Resources = c.readResources(v)
	}
	c.readData(f, s)
	return s, true
}

// readUses finds the satellite.
func (c *compiler) readUses(f *fields, s *StepSpec) {
	v, ok := f.need("uses")
	if !ok {
		return
	}
	w, ok := c.text(v.value, "uses")
	if !ok {
		return
	}
	s.usesKey = v.key
	s.Uses = Word{strings.TrimPrefix(w.Text, "satellite/"), w.Pos}
	if once, twice := strings.CutPrefix(s.Uses.Text, "satellite/"); twice && strings.Contains(once, "/") { // else a project of that name
		c.error(w.Pos, codeSatellite, "write "+shorten(s.Uses.Text), "satellite/ stands twice before the name in %s", quoted(w.Text))
		s.Uses.Text = once
		return
	}
	if c.options.Catalog != nil {
		if spec, ok := c.options.Catalog.Lookup(s.Uses.Text); ok {
			s.Satellite = spec
			return
		}
	}
	c.error(w.Pos, codeSatellite, c.nearSatellite(s.Uses.Text), "there is no satellite %s", quoted(s.Uses.Text))
}

// nearSatellite is a hint with the nearest known satellite, whatever its project.
func (c *compiler) nearSatellite(name string) string {
	if c.options.Catalog == nil {
		return NearSatellite(name, nil)
	}
	return NearSatellite(name, c.options.Catalog.Names())
}

// NearSatellite is a hint for who names a satellite that there is not: the nearest of those that there are.
func NearSatellite(name string, names []string) string {
	short := make([]string, len(names))
	for i, n := range names {
		short[i] = path.Base(n)
	}
	if near := nearest(path.Base(name), short); near != "" {
		return "did you mean satellite/" + names[slices.Index(short, near)] + "?"
	}
	return "orbit satellites lists those that there are"
}

// readIdentifier reads the name of the step, or takes it from uses.
func (c *compiler) readIdentifier(f *fields, s *StepSpec) {
	w, given := f.text("identifier")
	if !given {
		if _, wrong := f.get("identifier"); wrong || s.Uses.Text == "" {
			c.untold++ // what it is called cannot be told
			return
		}
		w = Word{path.Base(s.Uses.Text), s.Uses.Pos}
		if s.Satellite == nil && !identifierPattern.MatchString(w.Text) {
			c.untold++ // uses has been told
			return
		}
	}
	s.Identifier = w
	switch {
	case w.Text == "run":
		c.error(w.Pos, codeIdentifier, "choose another identifier, such as run-it", "the identifier run is reserved: it names the scope of a join")
	case !identifierPattern.MatchString(w.Text):
		c.error(w.Pos, codeIdentifier, "write it of a-z, 0-9, - and _, such as "+suggestIdentifier(w.Text, 1), "%s is no identifier of a satellite", quoted(w.Text))
	}
}

// readNames reads parents or children: a list, or one name. Nil where the key is not given. It is open where some could not
// be read.
func (c *compiler) readNames(f *fields, key string) (names []Word, open bool) {
	v, ok := f.get(key)
	if !ok {
		return nil, c.badNodes[v.value]
	}
	nodes := []*yaml.Node{v.value}
	if v.value.Kind == yaml.SequenceNode {
		nodes = v.value.Content
	}
	names = make([]Word, 0, len(nodes))
	for _, n := range nodes {
		if w, ok := c.text(n, key); ok {
			names = append(names, w)
		} else {
			open = true
		}
	}
	return names, open
}

// readData reads config and input in the light of the satellite's schemas.
func (c *compiler) readData(f *fields, s *StepSpec) {
	spec := s.Satellite
	if spec == nil {
		spec = &orbit.SatelliteSpec{}
	}
	input, hasInput := f.get("input")
	s.inputKey = input.key
	s.configKey = s.usesKey
	if v, ok := f.get("config"); ok {
		s.configKey = v.key
		if v.value.Kind != yaml.MappingNode {
			c.error(at(v.value), codeType, "write key: value below config", "config must be a map, not %s", describe(v.value))
			c.blindUses = true
			s.Config = &Value{Pos: at(v.value), broken: true}
		} else {
			schema := c.schema(spec, "config")
			inner, found := -1, false
			if !schema.has("input") {
				inner, found = keyIndex(v.value, "input")
			}
			if found {
				s.inputKey = at(v.value.Content[inner])
				if hasInput {
					c.error(s.inputKey, codeDuplicate, "keep one of them", "input stands both beside config and inside it")
				} else {
					input, hasInput = field{s.inputKey, v.value.Content[inner+1]}, true
				}
			}
			s.Config = c.configValue(v.value, schema, inner)
		}
	}
	if hasInput && !c.badNodes[input.value] {
		if spec.EmptyInput {
			c.blindUses = true
			c.error(s.inputKey, codeNoInput, noInputHint, "%s takes no input", spec.Name)
		} else {
			s.Input = c.inputValue(input.value, c.schema(spec, "input"))
		}
	}
}

func keyIndex(n *yaml.Node, key string) (int, bool) {
	for i := 0; i+1 < len(n.Content); i += 2 {
		if n.Content[i].Value == key {
			return i, true
		}
	}
	return -1, false
}
