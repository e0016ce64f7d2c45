package cluster

import (
	"strconv"
	"strings"
	"unicode/utf8"
)

// checkData reports keys that the satellite needs and values that it does not take.
func (c *compiler) checkData(s *StepSpec) {
	config := s.Config
	if config == nil {
		config = &Value{Pos: s.configKey, isMap: true}
	}
	c.checkPart(s, "config", config, s.configKey)
	if s.Input != nil {
		c.checkPart(s, "input", s.Input, s.inputKey)
	}
	c.samePlace(s)
}

func (c *compiler) checkPart(s *StepSpec, part string, v *Value, key Pos) {
	told := map[string]bool{} // paths
	c.lacks(s, v, c.schema(s.Satellite, part), nil, []string{part}, key, told)
	if c.options.Check == nil || v.open() {
		return
	}
	for _, violation := range c.options.Check(s.Satellite, part, v.plain()) {
		path := strings.Join(violation.Path, "\x00")
		if told[path] {
			continue
		}
		told[path] = true
		c.violation(s, part, v, key, violation)
	}
}

// lacks reports required keys that are not there. Path leads to the value from the config or input; what are the keys of
// the path, from there on.
func (c *compiler) lacks(s *StepSpec, v *Value, sch *schema, path, what []string, key Pos, told map[string]bool) {
	if sch == nil || v.open() {
		return
	}
	if v.isList {
		below := sch.items()
		for i, e := range v.Items {
			c.lacks(s, e, below, append(path, strconv.Itoa(i)), what, e.Pos, told)
		}
		return
	}
	if !v.isMap {
		return
	}
	for _, name := range sch.required() {
		if v.Get(name) != nil {
			continue
		}
		told[strings.Join(append(path, name), "\x00")] = true
		if !v.merged {
			c.error(key, codeConfigLacks, "orbit satellites "+s.Satellite.Name+" shows what it takes", "%s of %s lacks the key %s", strings.Join(what, "."), s.Satellite.Name, name)
		}
	}
	for _, f := range v.Fields {
		if below := sch.property(f.Key); below != nil && !userData[f.Key] && (f.Value.isMap || f.Value.isList) {
			c.lacks(s, f.Value, below, append(path, f.Key), append(what, f.Key), f.Pos, told)
		}
	}
}

// violation reports what Options.Check found, at the value it is about; at the nearest key above it where there is none.
func (c *compiler) violation(s *StepSpec, part string, v *Value, key Pos, x Violation) {
	place, missing := v.Pos, false
	if s.Config == nil && part == "config" || len(x.Path) == 0 {
		place = key
	}
	for i, name := range x.Path {
		next, at := v.step(name)
		if next == nil {
			missing = i == len(x.Path)-1
			break
		}
		if v, place = next, atValue(next.node, at); v.open() {
			return // not known before the item runs
		}
	}
	if text, ok := v.Scalar.(string); ok && x.Offset > 0 && x.Offset <= len(text) {
		cursor := newCursor(c.src, v.node)
		for x.Offset > 0 && !utf8.RuneStart(text[min(x.Offset, len(text)-1)]) {
			x.Offset--
		}
		cursor.advance(text[:x.Offset])
		place = cursor.place()
	}
	code := codeConfigValue
	if missing {
		code = codeConfigLacks
	}
	name := strings.Join(append([]string{part}, x.Path...), ".")
	c.error(place, code, x.Hint, "%s %s", name, x.Message)
}

// step goes down one key or list position, and tells where that stands.
func (v *Value) step(name string) (*Value, Pos) {
	if i, err := strconv.Atoi(name); v.isList && err == nil && i >= 0 && i < len(v.Items) {
		return v.Items[i], v.Items[i].Pos
	}
	for _, f := range v.Fields {
		if f.Key == name {
			return f.Value, f.Pos
		}
	}
	return nil, Pos{}
}

// samePlace warns of a file that is moved to where it is.
func (c *compiler) samePlace(s *StepSpec) {
	origin, destination := s.Config.Get("origin-bucket"), s.Config.Get("destination-bucket")
	if origin == nil || destination == nil || origin.open() || destination.open() {
		return
	}
	if bucket, ok := origin.Scalar.(string); ok && bucket != "" && bucket == destination.Scalar {
		c.warn(destination.Pos, codeSamePlace, "check origin-bucket on line "+strconv.Itoa(origin.Pos.Line),
			"origin-bucket and destination-bucket are the same: %s", quoted(bucket))
	}
}

// unusedSecrets warns of secrets that no expression names.
func (c *compiler) unusedSecrets(s *Spec) {
	if c.blindUses {
		return
	}
	for _, secret := range s.Secrets {
		if !c.used[secret.Name] {
			c.warn(secret.Pos, codeUnusedSecret, "remove it, or use it as ${{ secrets."+secret.Name+" }}", "the secret %s is not used", secret.Name)
		}
	}
}
