package jq

import (
	"errors"
	"fmt"
	"strings"
	"sync"
	"unicode/utf8"

	"github.com/itchyny/gojq"
)

// SyntaxError is what is wrong with the text of a program.
type SyntaxError struct {
	Line, Column int    // from 1, in characters, of the token at fault; 0 where it is not known
	Message      string // "unexpected token \"}\""
}

// Error gives the message and, where it is known, the place.
func (e *SyntaxError) Error() string {
	if e.Line == 0 {
		return "the jq program cannot be compiled: " + e.Message
	}
	return fmt.Sprintf("the jq program has an error at line %d, column %d: %s", e.Line, e.Column, e.Message)
}

// compile makes a program ready to run. The error is a *SyntaxError or a *TooLarge.
func compile(query string) (*gojq.Code, error) {
	parsed, err := parse(query)
	if err != nil {
		return nil, err
	}
	return translate(parsed)
}

// parse reads a program within the limits.
func parse(query string) (*gojq.Query, error) {
	if _, err := symbols(query); err != nil {
		return nil, err
	}
	parsed, err := gojq.Parse(query)
	if err != nil {
		bad := &SyntaxError{Message: err.Error()}
		var at *gojq.ParseError
		if errors.As(err, &at) {
			bad.Line, bad.Column = position(query, at.Offset-len(at.Token))
		}
		return nil, bad
	}
	return parsed, nil
}

// translate looks up what a program names, and gives it code.
func translate(parsed *gojq.Query) (*gojq.Code, error) {
	code, err := gojq.Compile(parsed, gojq.WithEnvironLoader(func() []string { return nil }), gojq.WithModuleLoader(noModules{}))
	if err != nil {
		return nil, &SyntaxError{Message: err.Error()}
	}
	return code, nil
}

// noModules is the module loader of a program that may not read files.
type noModules struct{}

func (noModules) LoadModule(name string) (*gojq.Query, error) {
	return nil, fmt.Errorf("module %q: modules are not available", name)
}

// position gives line and column of a byte offset.
func position(text string, offset int) (line, column int) {
	before := text[:min(max(offset, 0), len(text))]
	line = strings.Count(before, "\n") + 1
	return line, utf8.RuneCountInString(before[strings.LastIndexByte(before, '\n')+1:]) + 1
}

// maxPrograms bounds the cache. A query is usually the same for all items of a step; one that an expression makes for
// each item must not fill the memory.
const maxPrograms = 256

// programs remembers compiled programs by their text. It is safe for concurrent use.
type programs struct {
	mu     sync.Mutex
	byText map[string]*gojq.Code
}

func newPrograms() *programs { return &programs{byText: map[string]*gojq.Code{}} }

// get compiles a program, or finds it compiled.
func (p *programs) get(query string) (*gojq.Code, error) {
	p.mu.Lock()
	code, ok := p.byText[query]
	p.mu.Unlock()
	if ok {
		return code, nil
	}
	code, err := compile(query) // outside the lock; two that compile the same at once do no harm
	if err != nil {
		return nil, err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.byText) >= maxPrograms {
		for text := range p.byText { // any one: to compile takes well under a millisecond
			delete(p.byText, text)
			break
		}
	}
	p.byText[query] = code
	return code, nil
}
