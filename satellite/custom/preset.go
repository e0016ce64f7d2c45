package custom

import (
	"context"
	"encoding/json"
	"maps"
	"slices"
	"strings"

	"gopkg.in/yaml.v3"

	"github.com/exospherehost/orbit"
	"github.com/exospherehost/orbit/satellite"
	"github.com/exospherehost/orbit/satellite/schema"
)

// readPreset reads what a preset is over, and takes over all that the definition may leave out.
func (d *Definition) readPreset(n *yaml.Node, catalog Catalog) error {
	pairs, err := d.doc.pairs(n)
	if err != nil {
		return err
	}
	d.Preset = &Preset{Config: map[string]any{}}
	at, configAt := n, n
	for _, p := range pairs {
		switch p.key.Value {
		case "uses":
			at = p.value
			if d.Preset.Uses, err = d.text("uses", p.value); err != nil {
				return err
			}
		case "config":
			configAt = p.value
			v, err := d.doc.value(p.value, 0)
			if err != nil {
				return err
			}
			m, ok := v.(map[string]any)
			if !ok {
				return d.doc.wrong(p.value, "config of a preset must be a map")
			}
			d.Preset.Config = m
		default:
			return d.doc.wrong(p.key, "%q is no key of a preset; there are uses and config", p.key.Value)
		}
	}
	if d.Preset.Uses == "" {
		return d.doc.wrong(n, "a preset needs uses: the satellite that it is over")
	}
	base, ok := catalog.Lookup(d.Preset.Uses)
	if !ok {
		return d.doc.wrong(at, "there is no satellite %s; `orbit satellites` lists those that are built in, and one of your own is named before those that use it", d.Preset.Uses)
	}
	s := d.Spec
	s.Kind, s.Title, s.Description = "configured", base.Title, base.Description
	s.Input, s.Output, s.PrimaryText, s.SecretFields = base.Input, base.Output, base.PrimaryText, base.SecretFields
	s.ReadsFiles, s.GivesFiles, s.EmptyInput = base.ReadsFiles, base.GivesFiles, base.EmptyInput
	s.Resources, s.Timeout, s.BundleHint = base.Resources, base.Timeout, base.BundleHint
	d.Preset.Config = kebab(d.Preset.Config, base.Config)
	if s.Config, err = loosened(base.Config, d.Preset.Config); err != nil {
		return d.doc.wrong(at, "the config of %s cannot be read: %v", base.Name, err)
	}
	check, err := schema.Compile(s.Config)
	if err != nil {
		return d.doc.wrong(at, "the config of %s cannot be read: %v", base.Name, err)
	}
	for _, v := range check.Check(d.Preset.Config) {
		if v.Message != "is required" { // the step says the rest
			return d.doc.wrong(configAt, "the config does not fit %s: %s", base.Name, v)
		}
	}
	return nil
}

// kebab gives the keys the spelling that the schema has: snake_case and kebab-case are the same for those that it names.
func kebab(config map[string]any, raw json.RawMessage) map[string]any {
	var s struct{ Properties map[string]any }
	_ = json.Unmarshal(raw, &s) // one that cannot be read names no keys
	out := make(map[string]any, len(config))
	for key, v := range config {
		if other := strings.ReplaceAll(key, "_", "-"); s.Properties[key] == nil && s.Properties[other] != nil {
			key = other
		}
		out[key] = v
	}
	return out
}

// loosened is the schema of a step's config: the other satellite's, without asking for what the preset gives. Whether a
// step's config and the preset's fit together is checked when they are.
func loosened(raw json.RawMessage, config map[string]any) (json.RawMessage, error) {
	if len(raw) == 0 {
		return raw, nil
	}
	var s map[string]any
	if err := json.Unmarshal(raw, &s); err != nil {
		return nil, err
	}
	if len(config) > 0 {
		for _, word := range []string{"anyOf", "oneOf", "allOf", "not", "if", "then", "else", "dependentRequired", "dependentSchemas", "minProperties"} {
			delete(s, word)
		}
	}
	if required, ok := s["required"].([]any); ok {
		s["required"] = slices.DeleteFunc(required, func(key any) bool {
			name, _ := key.(string)
			_, given := config[name]
			return given
		})
	}
	return json.Marshal(s)
}

// preset is a satellite over another one.
type preset struct {
	spec   *satellite.Spec
	base   satellite.Satellite
	config map[string]any
	check  *schema.Schema // of the whole config
}

func newPreset(spec *satellite.Spec, base satellite.Satellite, config map[string]any) (satellite.Satellite, error) {
	check, err := schema.Compile(base.Spec().Config)
	if err != nil {
		return nil, err
	}
	p := &preset{spec, base, config, check}
	if _, ok := base.(satellite.Uniting); ok {
		return unitingPreset{p}, nil
	}
	return p, nil
}

// unitingPreset is one over a satellite that takes the lists of a join.
type unitingPreset struct{ *preset }

// Uniting implements satellite.Uniting.
func (unitingPreset) Uniting() {}

// Spec implements satellite.Satellite.
func (p *preset) Spec() *satellite.Spec { return p.spec }

// Run lays the step's config over the preset's and hands the item on.
func (p *preset) Run(ctx context.Context, inv *satellite.Invocation, emit satellite.Emit) error {
	whole := *inv
	whole.Config = laid(p.config, inv.Config)
	if bad := p.check.Check(whole.Config); len(bad) > 0 {
		return orbit.Permanent(orbit.CodeInvalidConfig, "%s: config.%s, with what %s lays under it", inv.Item(), bad[0], p.spec.Name)
	}
	return p.base.Run(ctx, &whole, emit)
}

// laid gives one map laid over another; what is a map in both is, too.
func laid(under, over map[string]any) map[string]any {
	out := maps.Clone(under)
	for key, v := range over {
		a, isMap := out[key].(map[string]any)
		b, both := v.(map[string]any)
		if isMap && both {
			v = laid(a, b)
		}
		out[key] = v
	}
	return out
}
