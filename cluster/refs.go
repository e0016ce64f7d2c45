package cluster

import (
	"slices"
	"strings"
)

// read is a reading of another step's output, or of the payload, by a step.
type read struct {
	step  string // identifier, or Payload
	field string // top-level field; empty: the whole
}

// resolve looks up every name in every expression, and has the values of configs and inputs checked.
func (c *compiler) resolve(s *Spec, g *graph) {
	for _, n := range g.nodes {
		l := &lookup{compiler: c, spec: s, g: g, n: n}
		value := func(path []string, p *Piece) { l.look(p.Expr, path, p.Pos) }
		n.Config.each([]string{"config"}, value)
		n.Input.each([]string{"input"}, value)
		if n.If != nil {
			l.look(n.If.Expr, nil, n.If.Pos)
		}
		if n.Satellite != nil {
			c.checkData(n.StepSpec)
		}
	}
}

// lookup is the look at the expressions of one step, one after the other.
type lookup struct {
	*compiler
	spec  *Spec
	g     *graph
	n     *node
	field []string // "config", "headers", …; nil in a condition
	at    Pos
}

// known names below the roots that have a fixed set.
var rootNames = map[string][]string{
	"cluster": {"identifier", "trigger", "sla"},
	"run":     {"id", "deadline"},
	"trigger": {"type", "payload"},
	"failure": {"error", "code", "satellite", "item"},
}

var roots = []string{"satellites", "secrets", "cluster", "run", "trigger", "failure"}

// look looks at one.
func (l *lookup) look(e *Expr, field []string, at Pos) {
	l.field, l.at = field, at
	e.walk(l.expr)
	l.typed(e)
}

func (l *lookup) expr(e *Expr) {
	p := e.Path
	if p == nil {
		return
	}
	switch {
	case p.Root == "secrets":
		l.secret(p)
	case l.call && l.field[0] == "config": // its input is ours
		l.notInACall(p)
	case p.Root == "satellites":
		l.output(p)
	case rootNames[p.Root] == nil:
		l.fail(codeRoot, didYouMean(p.Root, roots), "%s is not known in an expression", quoted(p.Root))
	case p.Root == "failure" && l.n.Part != Failure:
		l.fail(codeRoot, "move it to a satellite under failure:", "failure is known in failure steps only")
	default:
		l.fixed(p)
	}
}

// fixed checks cluster.…, run.…, trigger.… and failure.….
func (l *lookup) fixed(p *Path) {
	names := rootNames[p.Root]
	if len(p.Segments) == 0 || p.Segments[0].IsIndex {
		l.fail(codeRoot, didYouMean("", names), "name what of %s is meant", p.Root)
		return
	}
	name := p.Segments[0].Name
	if !slices.Contains(names, name) {
		l.fail(codeRoot, didYouMean(name, names), "%s has no %s", p.Root, quoted(name))
		return
	}
	if p.Root == "trigger" && name == "payload" {
		l.n.note(Payload, p.Segments[1:])
		return
	}
	if p.Root == "failure" {
		l.n.note(Failed, nil)
	}
	if len(p.Segments) > 1 {
		l.fail(codeRoot, "write ${{ "+p.Root+"."+name+" }}", "%s.%s is one value, without fields", p.Root, name)
	}
}

func (l *lookup) secret(p *Path) {
	if len(p.Segments) == 0 || p.Segments[0].IsIndex {
		l.blindUses = true
		l.fail(codeSecretsWhole, "write ${{ secrets.NAME }}", "an expression names one secret, not all of them")
		return
	}
	name := p.Segments[0].Name
	l.used[name] = true
	switch {
	case l.n.Satellite != nil && !l.mayHoldSecret():
		hint := secretHint(l.n.Satellite.SecretFields)
		if !l.declared[name] && !l.blindSecrets {
			hint += ", and " + shorten(name) + " is not declared either"
			l.used[l.nearest(name, l.spec.secretNames)] = true
		}
		l.fail(codeSecretMisplace, hint, "a secret cannot stand in %s of %s", l.fieldName(), l.n.Satellite.Name)
	case !l.declared[name]:
		if l.blindSecrets {
			return
		}
		if first, told := l.undeclared[name]; !told || l.at.before(first) {
			l.undeclared[name] = l.at
		}
	case len(p.Segments) > 1:
		l.fail(codeExpression, "write ${{ secrets."+name+" }}", "a secret is text, without fields")
	}
}

// undeclaredSecrets reports each secret that is missing once, where it is used first.
func (c *compiler) undeclaredSecrets(s *Spec) {
	for name, at := range c.undeclared {
		hint := "declare it under cluster.secrets, such as " + name + ": {env: " + strings.ReplaceAll(name, "-", "_") + "}"
		if near := c.nearest(name, s.secretNames); near != "" {
			c.used[near] = true
			hint = "did you mean " + near + "? Else " + hint
		}
		c.error(at, codeSecretUnknown, hint, "the secret %s is used but not declared", shorten(name))
	}
}

func (l *lookup) fieldName() string {
	if l.field == nil {
		return "a condition"
	}
	return strings.Join(l.field, ".")
}

func (l *lookup) mayHoldSecret() bool {
	for _, f := range l.n.Satellite.SecretFields {
		allowed := strings.Split(f, ".")
		if len(l.field) >= len(allowed) && slices.Equal(l.field[:len(allowed)], allowed) {
			return true
		}
	}
	return false
}

func secretHint(fields []string) string {
	if len(fields) == 0 {
		return "it takes no secrets"
	}
	return "it takes secrets in " + strings.Join(fields, ", ")
}

// output checks satellites.ID.output….
func (l *lookup) output(p *Path) {
	if p.Step == "" {
		l.fail(codeRoot, "write ${{ satellites.ID.output }}", "name the satellite that is meant")
		return
	}
	other := l.g.byID[p.Step]
	if other == nil {
		if !l.excused[p.Step] {
			l.fail(codeUnknownStep, l.didYouMean(p.Step, l.g.identifiers(Main, l.n.Part)), "no satellite has the identifier %s", quoted(p.Step))
		}
		return
	}
	if len(p.Segments) == 0 || p.Segments[0].Name != "output" {
		l.fail(codeRoot, "write ${{ satellites."+p.Step+".output }}", "of a satellite, an expression reads its output")
		return
	}
	below := p.Segments[1:]
	named := len(below) > 0 && !below[0].IsIndex
	if l.n.Part == Failure && errorOf(p) && other.Part != Logs {
		l.n.note(Failed, nil) // the sentence that says what failed
		return
	}
	optional := named && below[0].Optional
	if !l.visible(other, optional) {
		return
	}
	if l.fits(p, other) {
		l.n.note(p.Step, below)
	}
}

// visible tells whether an item of the step can see an output of the other one; what cannot be told counts as yes.
func (l *lookup) visible(other *node, optional bool) bool {
	n, from := l.n, l.g.from
	me, it := n.Identifier.Text, other.Identifier.Text
	switch {
	case n.ancestors.has(other.index) || me == "":
		return true
	case other == n:
		l.fail(codeNotAncestor, "read an earlier satellite", "%s reads its own output", me)
	case n.Part == Failure && other.Part == Main && (optional || l.g.fromOpen || from != nil && from.mayFollow(other)):
		return true
	case n.Part == Failure && other.Part == Main && from != nil:
		l.fail(codeNotAncestor, "write output.FIELD?, which is null where it never ran", "%s is not an ancestor of %s, where failure.from begins, so it may not have run", it, from.Identifier.Text)
	case n.Part == Failure && other.Part == Main:
		l.fail(codeNotAncestor, "write output.FIELD?, which is null where it never ran, or name failure.from", "any satellite may have failed, %s too", it)
	case n.Part != other.Part:
		l.fail(codeNotAncestor, "", "%s is not an ancestor of %s: it is one of the %s", it, me, partName(other.Part))
	case n.mayFollow(other):
		return true
	case other.ancestors.has(n.index):
		l.fail(codeNotAncestor, "read it in a satellite below "+it, "%s is not an ancestor of %s: it runs after it", it, me)
	default:
		l.fail(codeNotAncestor, "add an edge, or read it in a satellite below both", "%s is not an ancestor of %s", it, me)
	}
	return false
}

// mayFollow tells whether another step is an ancestor, or may be one by an edge that is not known.
func (n *node) mayFollow(other *node) bool {
	return n.ancestors.has(other.index) || n.vague || other.vague || n.aboveOpen || other.belowOpen
}

// note keeps what a step reads.
func (n *node) note(step string, below []Segment) {
	r := read{step: step}
	if len(below) > 0 && !below[0].IsIndex {
		r.field = below[0].Name
	}
	if n.noted.add(r) {
		n.reads = append(n.reads, r)
	}
}

func (l *lookup) fail(code, hint, format string, args ...any) {
	l.error(l.at, code, hint, format, args...)
}
