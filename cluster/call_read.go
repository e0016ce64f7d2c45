package cluster

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"regexp"
	"strings"

	"gopkg.in/yaml.v3"

	"github.com/exospherehost/orbit"
)

// Call is a request to run one satellite alone, {input, config, sla}, as it came. Its input is kept as it is; the rest
// becomes the tree that the compiler reads, whose lines are the paths of its values.
type Call struct {
	Input orbit.Object // null where it has none

	root        *yaml.Node
	places      []string // of the values, by line from 1
	config, sla json.RawMessage
	nodes       int
	tooMuch     *CallDiagnostic // it holds more than is read
}

var (
	errTooMuch = errors.New("too much")
	errNoMap   = errors.New("it is no object")
)

// ReadCall reads the body of a call; an empty one calls a satellite with nothing. An error says why it is no such JSON; what
// is wrong with its content, Compile tells.
func ReadCall(body []byte) (*Call, error) {
	k := &Call{}
	if len(bytes.TrimSpace(body)) == 0 {
		body = []byte("{}")
	}
	dec := json.NewDecoder(bytes.NewReader(body))
	dec.UseNumber()
	switch t, err := dec.Token(); {
	case err != nil:
		return nil, err
	case t != json.Delim('{'):
		return nil, errNoMap
	}
	k.root = k.node("", yaml.MappingNode, "!!map")
	size := 0
	for dec.More() {
		t, err := dec.Token()
		if err != nil {
			return nil, err
		}
		key := t.(string) // of an object
		var raw json.RawMessage
		if err := dec.Decode(&raw); err != nil {
			return nil, err
		}
		name := k.node(below("", key), yaml.ScalarNode, "!!str", key)
		value := k.node(below("", key), yaml.ScalarNode, "!!null")
		if key == "input" {
			if k.Input, err = orbit.ParseObject(raw); err != nil {
				return nil, fmt.Errorf("input: %w", err)
			}
			if k.Input.IsNull() {
				k.Input = nil
			} else {
				value.Tag = "!!str" // only that it is there counts
			}
		} else if size += len(raw); size > maxCall {
			k.refuse(below("", key), codeTooLarge, fmt.Sprintf("a call holds more than %s beside its input", kib(maxCall)))
		} else if k.tooMuch == nil {
			inner := json.NewDecoder(bytes.NewReader(raw))
			inner.UseNumber()
			value, err = k.value(inner, below("", key), 2)
			if errors.Is(err, errTooMuch) {
				value, err = k.node(below("", key), yaml.ScalarNode, "!!null"), nil
			}
			if err != nil {
				return nil, fmt.Errorf("%s: %w", key, err)
			}
			switch key {
			case "config":
				k.config = raw
			case "sla":
				k.sla = raw
			}
		}
		k.root.Content = append(k.root.Content, name, value)
	}
	if _, err := dec.Token(); err != nil {
		return nil, err
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		return nil, errors.New("something follows after the object")
	}
	return k, nil
}

// value reads one value into a node.
func (k *Call) value(dec *json.Decoder, place string, depth int) (*yaml.Node, error) {
	if k.nodes++; k.nodes > maxNodes {
		k.refuse(place, codeTooMuch, fmt.Sprintf("a call holds more than %d values beside its input", maxNodes))
		return nil, errTooMuch
	}
	if depth > maxDepth {
		k.refuse(place, codeTooMuch, fmt.Sprintf("the value is nested more than %d levels deep", maxDepth))
		return nil, errTooMuch
	}
	t, err := dec.Token()
	if err != nil {
		return nil, err
	}
	switch t := t.(type) {
	case string:
		return k.node(place, yaml.ScalarNode, "!!str", t), nil
	case json.Number:
		if _, err := t.Float64(); err != nil {
			return nil, fmt.Errorf("the number %.40s is out of range", t)
		}
		return k.node(place, yaml.ScalarNode, "", t.String()), nil
	case bool:
		return k.node(place, yaml.ScalarNode, "!!bool", fmt.Sprint(t)), nil
	case json.Delim:
		n := k.node(place, yaml.SequenceNode, "!!seq")
		if t == '{' {
			n.Kind, n.Tag = yaml.MappingNode, "!!map"
		}
		for i := 0; dec.More(); i++ {
			inner := fmt.Sprintf("%s[%d]", place, i)
			if t == '{' {
				key, err := dec.Token()
				if err != nil {
					return nil, err
				}
				inner = below(place, key.(string))
				n.Content = append(n.Content, k.node(inner, yaml.ScalarNode, "!!str", key.(string)))
			}
			e, err := k.value(dec, inner, depth+1)
			if err != nil {
				return nil, err
			}
			n.Content = append(n.Content, e)
		}
		_, err := dec.Token()
		return n, err
	}
	return k.node(place, yaml.ScalarNode, "!!null"), nil
}

// node makes a node at a place.
func (k *Call) node(place string, kind yaml.Kind, tag string, text ...string) *yaml.Node {
	p := k.pos(place)
	n := &yaml.Node{Kind: kind, Tag: tag, Value: strings.Join(text, ""), Line: p.Line, Column: p.Column}
	if tag == "!!str" {
		n.Style = yaml.DoubleQuotedStyle
	}
	return n
}

// pos gives the line that stands for a path.
func (k *Call) pos(place string) Pos {
	if n := len(k.places); n > 0 && k.places[n-1] == place { // a key and its value
		return Pos{n, 1}
	}
	k.places = append(k.places, place)
	return Pos{len(k.places), 1}
}

// refuse notes the first thing that is too much; nothing else is told then.
func (k *Call) refuse(place, code, message string) {
	if k.tooMuch == nil {
		k.tooMuch = &CallDiagnostic{Path: place, Severity: SeverityError, Code: code, Message: message, Hint: "move large data into input, or to a file or bucket that a satellite reads"}
	}
}

// plainKey is a key that can stand in a path as it is.
var plainKey = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_-]*$`)

// below is the path of a value under a key.
func below(place, key string) string {
	if !plainKey.MatchString(key) {
		text, _ := json.Marshal(shorten(key)) // text always encodes
		return place + "[" + string(text) + "]"
	}
	if place == "" {
		return key
	}
	return place + "." + key
}

// Request is a hash by which a call that comes again is told from another one with the same key. What stands under
// `secrets` in the config does not count, but for the names in its expressions: from the hash of a short password, the
// password is soon found.
func (k *Call) Request() string {
	config := map[string]any{}
	if o, err := orbit.ParseObject(k.config); err == nil {
		if v, err := o.Value(); err == nil {
			config, _ = withoutSecrets(v, false).(map[string]any)
		}
	}
	sla := orbit.Duration(callSLA)
	if err := json.Unmarshal(k.sla, &sla); err != nil || string(k.sla) == "null" {
		sla = orbit.Duration(callSLA) // or none at all, which Compile refuses
	}
	return orbit.HashID("call", string(k.Input), string(orbit.MustObject(config)), sla.String())
}

// withoutSecrets takes the texts under `secrets` out of a value; hidden: it stands there itself.
func withoutSecrets(v any, hidden bool) any {
	switch v := v.(type) {
	case map[string]any:
		for key, e := range v {
			v[key] = withoutSecrets(e, hidden || key == "secrets")
		}
	case []any:
		for i, e := range v {
			v[i] = withoutSecrets(e, hidden)
		}
	case string:
		if hidden && !strings.Contains(v, "${{") {
			return ""
		}
	}
	return v
}
