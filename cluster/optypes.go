package cluster

import (
	"slices"
)

var (
	aText   = kind{types: []string{"string"}}
	aNumber = kind{types: []string{"number"}}
	aFlag   = kind{types: []string{"boolean"}}
)

// argumentTypes are the types that the arguments of a function must have, where all of them are of one sort.
var argumentTypes = map[string][]string{
	"length": {"string", "array", "object"}, "startsWith": {"string"}, "endsWith": {"string"}, "fromJSON": {"string"},
}

// results are the kinds that operations give.
var results = map[string]kind{
	"!": aFlag, "==": aFlag, "!=": aFlag, "<": aFlag, "<=": aFlag, ">": aFlag, ">=": aFlag, "contains": aFlag, "startsWith": aFlag, "endsWith": aFlag,
	"length": aNumber, "toJSON": aText, "join": aText, "format": aText,
}

// typed gives what is known of an expression's value, and reports operations on values that they can never have. Each part
// of an expression is told at most once.
func (l *lookup) typed(e *Expr) kind {
	switch {
	case e.String != nil:
		return aText
	case e.Path != nil:
		return l.pathKind(e.Path)
	case e.Op.Name == "literal":
		switch e.Op.Literal.(type) {
		case nil:
			return kind{types: []string{"null"}}
		case bool:
			return aFlag
		}
		return aNumber
	}
	args := make([]kind, len(e.Op.Args))
	for i, a := range e.Op.Args {
		args[i] = l.typed(a)
	}
	l.argumentsFit(e.Op, args)
	return results[e.Op.Name]
}

func (l *lookup) argumentsFit(op *Operation, args []kind) {
	fail := func(i int, want string) {
		l.fail(codeOutputKind, "", "%s takes %s, and %s is %s", op.Name, want, called(op.Args[i]), args[i])
	}
	switch op.Name {
	case "<", "<=", ">", ">=":
		for i, a := range args {
			if !a.can("number", "string") {
				fail(i, "two numbers or two texts")
				return
			}
		}
		if a, b := args[0], args[1]; !(a.can("number") && b.can("number")) && !(a.can("string") && b.can("string")) {
			l.fail(codeOutputKind, "write 5 for the number and '5' for the text", "%s takes two numbers or two texts, and %s is %s, but %s is %s",
				op.Name, called(op.Args[0]), a, called(op.Args[1]), b)
		}
	case "contains":
		if !args[0].can("array", "string") {
			fail(0, "a list or a text first")
		} else if !args[0].can("array") && !args[1].can("string") {
			fail(1, "a text to look for in a text")
		}
	case "join":
		if !args[0].can("array") {
			fail(0, "a list first")
		} else if len(args) > 1 && !args[1].can("string") {
			fail(1, "a text between the elements")
		}
	case "format":
		if !args[0].can("string") {
			fail(0, "a text first")
		}
	default:
		for i, a := range args {
			if want := argumentTypes[op.Name]; want != nil && !a.can(want...) {
				fail(i, kind{types: want}.String())
				return
			}
		}
	}
}

// called is an argument in a sentence.
func called(e *Expr) string {
	if text := e.source(); text != "" {
		return text
	}
	if e.Op.Name == "literal" {
		text, _ := plainText(e.Op.Literal) // a number, true, false or null
		return text
	}
	return "what " + e.Op.Name + " gives"
}

// pathKind is what is known of a path's value; what is wrong with the path is told elsewhere.
func (l *lookup) pathKind(p *Path) kind {
	optional := slices.ContainsFunc(p.Segments, func(s Segment) bool { return s.Optional })
	switch {
	case optional:
		return kind{}
	case p.Root == "trigger" && len(p.Segments) > 0 && p.Segments[0].Name == "payload":
		return kind{}
	case p.Root != "satellites", l.n.Part == Failure && errorOf(p):
		return aText
	}
	other := l.g.byID[p.Step]
	if other == nil || len(p.Segments) == 0 || l.joinsOpen() {
		return kind{}
	}
	k := l.outputKind(other)
	for _, s := range p.Segments[1:] {
		below, wrong := k.step(s, "")
		if wrong != nil {
			return kind{}
		}
		k = below
	}
	return k
}
