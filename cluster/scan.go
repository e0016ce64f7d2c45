package cluster

import (
	"errors"
	"strings"

	"gopkg.in/yaml.v3"
)

// expressions cuts a text into its expressions and what stands between them.
func (c *compiler) expressions(v *Value, n *yaml.Node) {
	cursor := newCursor(c.src, n)
	text := n.Value
	if n.Style&(yaml.LiteralStyle|yaml.FoldedStyle) != 0 { // the line end that a block scalar adds is nothing of its own
		if body := strings.TrimRight(text, "\n"); wholeExpression(body) {
			text = body
		}
	}
	v.Scalar = nil
	for text != "" {
		start, inner, end, ok := nextExpression(text)
		if start < 0 {
			break
		}
		if start > 0 {
			v.Pieces = append(v.Pieces, Piece{Text: text[:start]})
		}
		cursor.advance(text[:start])
		pos := cursor.place()
		if !c.countExpression(pos) {
			v.broken, c.blindUses = true, true
			return
		}
		if !ok && longExpression(text, end) {
			c.tooLong(pos)
			v.broken, c.blindUses = true, true
		} else if !ok {
			c.error(pos, codeUnclosed, "close it with }}; a literal ${{ is written ${{ '${{' }}", "the expression is not closed")
			v.broken, c.blindUses = true, true
		} else if e, err := ParseExpr(inner); err != nil {
			c.expressionError(pos, inner, err)
			v.broken, c.blindUses = true, true
		} else {
			v.Pieces = append(v.Pieces, Piece{Expr: e, Pos: pos})
		}
		cursor.advance(text[start:end])
		text = text[end:]
	}
	if text != "" {
		v.Pieces = append(v.Pieces, Piece{Text: text})
	}
	v.Alone = len(v.Pieces) == 1 && v.Pieces[0].Expr != nil
}

func (c *compiler) expressionError(p Pos, inner string, err error) {
	hint := ""
	var pe *PathError
	if errors.As(err, &pe) {
		hint = pe.Hint
	}
	if inner = strings.TrimSpace(inner); inner == "" {
		c.error(p, codeExpression, hint, "%v", err)
		return
	}
	c.error(p, codeExpression, hint, "in ${{ %s }}: %v", shorten(inner), err)
}

// nextExpression finds the next ${{ … }} or $${{ … }}: its first and its last byte, and what stands inside. Start is -1 where
// there is none; ok is false where it is not closed, and then end is behind its opening.
func nextExpression(text string) (start int, inner string, end int, ok bool) {
	open := strings.Index(text, "${{")
	if open < 0 {
		return -1, "", 0, false
	}
	start = open
	if open > 0 && text[open-1] == '$' {
		start--
	}
	from, inQuotes := open+3, false
	text = text[:min(len(text), from+maxExpression+len("}}"))]
	for i := from; i < len(text); i++ {
		switch {
		case text[i] == '\'':
			inQuotes = !inQuotes
		case inQuotes:
		case strings.HasPrefix(text[i:], "}}"):
			return start, text[from:i], i + 2, true
		case strings.HasPrefix(text[i:], "${{"):
			return start, "", from, false
		}
	}
	if inQuotes { // the quote may be what is not closed
		if i := strings.Index(text[from:], "}}"); i >= 0 {
			return start, text[from : from+i], from + i + 2, true
		}
	}
	return start, "", from, false
}

// longExpression tells whether what nextExpression did not find closed, having opened at the given byte, is only too long.
func longExpression(text string, opened int) bool {
	rest := text[opened:]
	if len(rest) <= maxExpression+len("}}") {
		return false
	}
	closed := strings.Index(rest, "}}")
	return closed > maxExpression && !strings.Contains(rest[:closed], "${{")
}

// wholeExpression tells whether a text is one expression and nothing else.
func wholeExpression(text string) bool {
	start, _, end, ok := nextExpression(text)
	return ok && start == 0 && end == len(text)
}

func shorten(s string) string {
	if r := []rune(s); len(r) > 60 {
		return string(r[:57]) + "…"
	}
	return s
}
