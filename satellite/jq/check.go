package jq

import (
	"slices"
	"strings"
	"sync"

	"github.com/itchyny/gojq"
)

// Checker tells what is wrong with programs. Most are parsed only: compiling one takes all that it uses of what jq has
// built in along with it, and is of no use where each function that it calls is known to be there and it makes no names
// of its own. One that was found right is not looked at again: a cluster file is compiled again and again. It is safe for
// concurrent use.
type Checker struct {
	mu    sync.Mutex
	has   map[function]bool // functions that compile, and so are no more than jq has
	right map[string]bool   // programs
	size  int               // of their texts together
}

// maxRemembered bounds the texts of programs that are remembered: as much as four cluster files of the largest size hold.
const maxRemembered = 1 << 20

// function is a name and how many arguments it takes.
type function struct {
	name      string
	arguments int
}

// NewChecker knows no function yet, and no program.
func NewChecker() *Checker { return &Checker{has: map[function]bool{}, right: map[string]bool{}} }

// Check tells what is wrong with a program without running it: a *SyntaxError, a *TooLarge, or nil.
func (c *Checker) Check(query string) error {
	c.mu.Lock()
	known := c.right[query]
	c.mu.Unlock()
	if known {
		return nil
	}
	parsed, err := parse(query)
	if err != nil {
		return err
	}
	if !c.query(parsed) {
		if _, err := translate(parsed); err != nil {
			return err
		}
	}
	c.remember(query)
	return nil
}

func (c *Checker) remember(query string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.right[query] {
		return // two that checked it at once
	}
	if c.size += len(query); c.size > maxRemembered {
		clear(c.right)
		c.size = len(query)
	}
	c.right[query] = true
}

// query tells whether a part of a program surely compiles; where it cannot be told, it is false.
func (c *Checker) query(q *gojq.Query) bool {
	switch {
	case q == nil:
		return true
	case q.Meta != nil, q.Imports != nil, q.FuncDefs != nil, q.Func != "":
		return false
	case q.Term != nil:
		return c.term(q.Term)
	}
	return q.Left != nil && q.Right != nil && c.query(q.Left) && c.query(q.Right)
}

func (c *Checker) term(t *gojq.Term) bool {
	for _, s := range t.SuffixList {
		if s.Bind != nil || !c.index(s.Index) {
			return false
		}
	}
	switch t.Type {
	case gojq.TermTypeIdentity, gojq.TermTypeRecurse, gojq.TermTypeNull, gojq.TermTypeTrue, gojq.TermTypeFalse, gojq.TermTypeNumber:
		return true
	case gojq.TermTypeIndex:
		return c.index(t.Index)
	case gojq.TermTypeFunc:
		return c.call(t.Func)
	case gojq.TermTypeObject:
		return !slices.ContainsFunc(t.Object.KeyVals, func(kv *gojq.ObjectKeyVal) bool {
			return strings.HasPrefix(kv.Key, "$") || !c.text(kv.KeyString) || !c.query(kv.KeyQuery) || !c.query(kv.Val)
		})
	case gojq.TermTypeArray:
		return c.query(t.Array.Query)
	case gojq.TermTypeUnary:
		return c.term(t.Unary.Term)
	case gojq.TermTypeString:
		return c.text(t.Str)
	case gojq.TermTypeIf:
		return c.condition(t.If)
	case gojq.TermTypeTry:
		return c.query(t.Try.Body) && c.query(t.Try.Catch)
	case gojq.TermTypeQuery:
		return c.query(t.Query)
	}
	return false // it makes a name, or asks for a format
}

func (c *Checker) index(i *gojq.Index) bool {
	return i == nil || c.text(i.Str) && c.query(i.Start) && c.query(i.End)
}

func (c *Checker) text(s *gojq.String) bool {
	return s == nil || !slices.ContainsFunc(s.Queries, func(q *gojq.Query) bool { return !c.query(q) })
}

func (c *Checker) condition(i *gojq.If) bool {
	for _, e := range i.Elif {
		if !c.query(e.Cond) || !c.query(e.Then) {
			return false
		}
	}
	return c.query(i.Cond) && c.query(i.Then) && c.query(i.Else)
}

// call tells whether a function is there, by compiling a call of it with other arguments where it is not known yet.
func (c *Checker) call(f *gojq.Func) bool {
	if strings.HasPrefix(f.Name, "$") || slices.ContainsFunc(f.Args, func(q *gojq.Query) bool { return !c.query(q) }) {
		return false
	}
	called := function{f.Name, len(f.Args)}
	c.mu.Lock()
	known := c.has[called]
	c.mu.Unlock()
	if known {
		return true
	}
	plain := &gojq.Func{Name: f.Name, Args: make([]*gojq.Query, len(f.Args))}
	for i := range plain.Args {
		plain.Args[i] = &gojq.Query{Term: &gojq.Term{Type: gojq.TermTypeIdentity}}
	}
	if _, err := translate(&gojq.Query{Term: &gojq.Term{Type: gojq.TermTypeFunc, Func: plain}}); err != nil {
		return false
	}
	c.mu.Lock()
	c.has[called] = true
	c.mu.Unlock()
	return true
}
