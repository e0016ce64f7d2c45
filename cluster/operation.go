package cluster

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// Operation is an expression that is more than a path: a comparison, a logical connection, a function, or a literal.
type Operation struct {
	Name    string // ==, !=, <, <=, >, >=, &&, ||, !, the name of a function, or literal
	Args    []*Expr
	Literal any    // of literal: nil, bool, int, float64
	Source  string // of the outermost: as written
}

// functions and the least and most arguments they take.
var functions = map[string][2]int{
	"contains": {2, 2}, "startsWith": {2, 2}, "endsWith": {2, 2}, "length": {1, 1}, "toJSON": {1, 1}, "fromJSON": {1, 1},
	"join": {1, 2}, "format": {1, maxArguments}, "default": {2, 2},
}

var functionNames = []string{"contains", "startsWith", "endsWith", "length", "toJSON", "fromJSON", "join", "format", "default"}

// operatorMarks are what makes an expression more than a path.
const operatorMarks = "=!<>&|()'"

// parseOperation reads
//
//	or    = and {"||" and}
//	and   = compare {"&&" compare}
//	compare = unary [("==" | "!=" | "<" | "<=" | ">" | ">=") unary]
//	unary = ["!"] (literal | text | path | function "(" [or {"," or}] ")" | "(" or ")")
func parseOperation(source string) (*Expr, error) {
	p := &operationParser{text: source}
	e, err := p.or(0)
	if err == nil && p.blanks() < len(p.text) {
		err = p.fail("", "%q is not expected here", firstRune(p.text[p.at:]))
	}
	if err != nil {
		return nil, err
	}
	if e.Op != nil {
		e.Op.Source = strings.TrimSpace(source)
	}
	return e, nil
}

type operationParser struct {
	text string
	at   int
}

func (p *operationParser) fail(hint, format string, args ...any) error {
	return &PathError{Offset: p.at, Message: fmt.Sprintf(format, args...), Hint: hint}
}

func (p *operationParser) blanks() int {
	for p.at < len(p.text) && strings.IndexByte(" \t\r\n", p.text[p.at]) >= 0 {
		p.at++
	}
	return p.at
}

func (p *operationParser) take(symbol string) bool {
	p.blanks()
	if !strings.HasPrefix(p.text[p.at:], symbol) {
		return false
	}
	p.at += len(symbol)
	return true
}

func (p *operationParser) or(depth int) (*Expr, error) {
	return p.chain("||", func() (*Expr, error) { return p.chain("&&", func() (*Expr, error) { return p.compare(depth) }) })
}

func (p *operationParser) chain(symbol string, next func() (*Expr, error)) (*Expr, error) {
	left, err := next()
	for err == nil && p.take(symbol) {
		var right *Expr
		if right, err = next(); err == nil {
			left = &Expr{Op: &Operation{Name: symbol, Args: []*Expr{left, right}}}
		}
	}
	return left, err
}

func (p *operationParser) compare(depth int) (*Expr, error) {
	left, err := p.unary(depth)
	if err != nil {
		return nil, err
	}
	for _, symbol := range []string{"==", "!=", "<=", ">=", "<", ">"} {
		if p.take(symbol) {
			right, err := p.unary(depth)
			return &Expr{Op: &Operation{Name: symbol, Args: []*Expr{left, right}}}, err
		}
	}
	if p.blanks() < len(p.text) && p.text[p.at] == '=' {
		return nil, p.fail("two values are compared with ==", "one = is not known")
	}
	return left, nil
}

func (p *operationParser) unary(depth int) (*Expr, error) {
	if depth > maxNesting {
		return nil, p.fail("", "the expression is nested too deep")
	}
	switch {
	case p.blanks() == len(p.text):
		return nil, p.fail("", "a value is missing at the end")
	case p.take("!"):
		e, err := p.unary(depth + 1)
		return &Expr{Op: &Operation{Name: "!", Args: []*Expr{e}}}, err
	case p.take("("):
		e, err := p.or(depth + 1)
		if err == nil && !p.take(")") {
			err = p.fail("close it with )", "the parenthesis is not closed")
		}
		return e, err
	case p.text[p.at] == '\'':
		return p.quotedText()
	case p.text[p.at] == '"':
		return nil, p.fail("write 'text'", "text inside an expression stands in single quotes")
	}
	word := p.word()
	if word == "" {
		return nil, p.fail("", "a value cannot begin with %q", firstRune(p.text[p.at:]))
	}
	if strings.HasPrefix(p.text[p.at+len(word):], "(") {
		return p.call(word, depth)
	}
	e, err := p.plain(word)
	if err == nil {
		p.at += len(word)
	}
	return e, err
}

// word is the run of characters that paths, numbers and names are made of.
func (p *operationParser) word() string {
	rest := p.text[p.at:]
	end := 0
	for end < len(rest) && (isNameByte(rest[end], false) || strings.IndexByte(".[]?", rest[end]) >= 0) {
		end++
	}
	return rest[:end]
}

func (p *operationParser) plain(word string) (*Expr, error) {
	literal := func(v any) (*Expr, error) { return &Expr{Op: &Operation{Name: "literal", Literal: v}}, nil }
	switch word {
	case "true", "false":
		return literal(word == "true")
	case "null":
		return literal(nil)
	}
	if c := word[0]; c == '-' || c >= '0' && c <= '9' {
		if i, err := strconv.Atoi(word); err == nil {
			return literal(i)
		}
		f, err := strconv.ParseFloat(word, 64)
		if err != nil {
			return nil, p.fail("", "%q is no number", word)
		}
		return literal(f)
	}
	path, err := ParsePath(word)
	if err != nil {
		return nil, err
	}
	return &Expr{Path: path}, nil
}

func (p *operationParser) quotedText() (*Expr, error) {
	var b strings.Builder
	for i := p.at + 1; i < len(p.text); i++ {
		if p.text[i] != '\'' {
			b.WriteByte(p.text[i])
			continue
		}
		if i+1 == len(p.text) || p.text[i+1] != '\'' {
			p.at = i + 1
			s := b.String()
			return &Expr{String: &s}, nil
		}
		b.WriteByte('\'')
		i++
	}
	return nil, p.fail("a quote inside it is written ''", "the quoted text is not closed")
}

func (p *operationParser) call(name string, depth int) (*Expr, error) {
	bounds, known := functions[name]
	if !known {
		return nil, p.fail(didYouMean(name, functionNames), "there is no function %q", name)
	}
	op := &Operation{Name: name}
	p.at += len(name) + 1
	for !p.take(")") {
		if len(op.Args) > 0 && !p.take(",") {
			return nil, p.fail("separate arguments with commas and close with )", "the arguments of %s are not closed", name)
		}
		e, err := p.or(depth + 1)
		if err != nil {
			return nil, err
		}
		op.Args = append(op.Args, e)
	}
	if n := len(op.Args); n < bounds[0] || n > bounds[1] {
		return nil, p.fail("", "%s takes %s, not %d", name, argumentCount(bounds), n)
	}
	return &Expr{Op: op}, nil
}

func argumentCount(bounds [2]int) string {
	if bounds[0] == bounds[1] {
		if bounds[0] == 1 {
			return "1 argument"
		}
		return fmt.Sprintf("%d arguments", bounds[0])
	}
	return fmt.Sprintf("%d to %d arguments", bounds[0], bounds[1])
}

// isOperation tells whether a text that is no path is meant to be more than one.
func isOperation(text string) bool {
	return strings.ContainsAny(text, operatorMarks) || slices.Contains([]string{"true", "false", "null"}, text) ||
		text != "" && (text[0] == '-' || text[0] >= '0' && text[0] <= '9')
}
