package cluster

import (
	"strings"

	"gopkg.in/yaml.v3"
)

// readCondition reads an `if`: an expression, with or without its braces, or true or false.
func (c *compiler) readCondition(v field) *Condition {
	w, ok := c.text(v.value, "if")
	if !ok {
		c.blindUses = true
		return nil
	}
	cond := &Condition{Source: strings.TrimSpace(w.Text), Pos: w.Pos}
	if start, inner, _, closed := nextExpression(cond.Source); start >= 0 {
		cursor := newCursor(c.src, v.value)
		cursor.advance(cond.Source[:start])
		cond.Pos = cursor.place()
		if !closed && longExpression(cond.Source, start+len("${{")) {
			c.tooLong(cond.Pos)
			c.blindUses = true
			return nil
		}
		if !closed {
			c.error(cond.Pos, codeUnclosed, "close it with }}", "the expression is not closed")
			c.blindUses = true
			return nil
		}
		if !wholeExpression(cond.Source) {
			c.error(cond.Pos, codeExpression, "put the whole condition between ${{ and }}", "a condition is one expression")
			c.blindUses = true
			return nil
		}
		cond.Source = strings.TrimSpace(inner)
	} else if v.value.Style&yaml.LiteralStyle == 0 && v.value.ShortTag() == "!!bool" {
		cond.Source = strings.ToLower(cond.Source)
	}
	if !c.countExpression(cond.Pos) {
		c.blindUses = true
		return nil
	}
	if len(cond.Source) > maxExpression {
		c.tooLong(cond.Pos)
		c.blindUses = true
		return nil
	}
	e, err := ParseExpr(cond.Source)
	if err != nil {
		c.expressionError(cond.Pos, cond.Source, err)
		c.blindUses = true
		return nil
	}
	cond.Expr = e
	return cond
}
