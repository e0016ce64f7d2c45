package cluster

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"
)

// A value that stands itself under a satellite's `secrets` is a secret that has no name. The plan gives it one, which no
// declared secret can have, and the value is sealed with those under cluster.secrets: a plan is stored for all to read.

// literals gives the values under the `secrets` of a step's config and input that no expression fills in, with the keys
// that lead there. Numbers and booleans stand only where a schema asks for them, as for a port: they are none.
func (c *compiler) literals(n *StepSpec, f func(path []string, v *Value, text string)) {
	if n.Satellite == nil {
		return
	}
	for _, field := range n.Satellite.SecretFields {
		path := strings.Split(field, ".")
		if len(path) < 2 || path[len(path)-1] != "secrets" {
			continue
		}
		v := n.Config
		if path[0] == "input" {
			v = n.Input
		}
		for _, key := range path[1:] {
			v = v.Get(key)
		}
		v.literals(path, f)
	}
}

func (v *Value) literals(path []string, f func(path []string, v *Value, text string)) {
	if v == nil {
		return
	}
	if text, ok := v.literal(); ok {
		f(path, v, text)
	}
	for _, e := range v.Fields {
		e.Value.literals(append(slices.Clone(path), e.Key), f)
	}
	for i, e := range v.Items {
		e.literals(append(slices.Clone(path), fmt.Sprint(i)), f)
	}
}

// literal gives the text that a value is, whatever the item: written as it is, or in expressions that read nothing.
func (v *Value) literal() (string, bool) {
	if len(v.Pieces) == 0 {
		text, ok := v.Scalar.(string)
		return text, ok && text != ""
	}
	for _, p := range v.Pieces {
		reads := false
		if p.Expr != nil {
			p.Expr.walk(func(e *Expr) { reads = reads || e.Path != nil })
		}
		if reads {
			return "", false
		}
	}
	x, err := v.template().Resolve(&Scope{})
	text, ok := x.(string)
	return text, err == nil && ok && text != ""
}

// unnamedSecrets notes where they stand.
func (c *compiler) unnamedSecrets(g *graph) {
	for _, n := range g.nodes {
		c.literals(n.StepSpec, func(_ []string, v *Value, _ string) {
			c.inlineAt = append(c.inlineAt, v.Pos)
			c.unnamed = append(c.unnamed, v.Pos)
		})
	}
	slices.SortStableFunc(c.inlineAt, func(a, b Pos) int {
		if a.before(b) {
			return -1
		}
		if b.before(a) {
			return 1
		}
		return 0
	})
}

// nameSecrets puts an expression in the place of each, and gives their sources.
func (c *compiler) nameSecrets(g *graph) (sources []SecretSource) {
	for _, n := range g.nodes {
		c.literals(n.StepSpec, func(path []string, v *Value, text string) {
			name := literalName(n.Identifier.Text, path)
			c.inline[name] = text
			sources = append(sources, SecretSource{Name: name, Source: "inline"})
			p := &Path{Source: "secrets." + name, Root: "secrets", Segments: []Segment{{Name: name}}}
			v.Scalar, v.Pieces, v.Alone = nil, []Piece{{Expr: &Expr{Path: p}, Pos: v.Pos}}, true
		})
	}
	return sources
}

// literalName is "0-<step>-<keys>-<hash>": names in a file begin with no digit, and the hash keeps two places apart whose
// keys look the same here.
func literalName(step string, path []string) string {
	word := strings.Map(func(r rune) rune {
		if r < 128 && isNameByte(byte(r), false) {
			return r
		}
		return '_'
	}, strings.Join(path[1:], "-"))
	sum := sha256.Sum256([]byte(step + "\x00" + strings.Join(path, "\x00")))
	return "0-" + step + "-" + word[:min(len(word), maxSecretName)] + "-" + hex.EncodeToString(sum[:4])
}
