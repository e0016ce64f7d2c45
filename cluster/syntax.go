package cluster

import (
	"bytes"
	"fmt"
	"regexp"
	"strconv"
	"strings"

	"gopkg.in/yaml.v3"
)

var yamlLine = regexp.MustCompile(`^(?:yaml: )?(?:line (\d+): )?(.*)$`)

// syntaxError reports why the file is not YAML: where reading stopped, and what most likely mends it.
func (c *compiler) syntaxError(err error) {
	parts := yamlLine.FindStringSubmatch(strings.SplitN(err.Error(), "\n", 2)[0])
	problem := parts[2]
	line, _ := strconv.Atoi(parts[1])
	if name, ok := strings.CutPrefix(problem, "unknown anchor '"); ok {
		name, _, _ = strings.Cut(name, "'")
		c.error(c.find("*"+name), codeAnchor, "write the value out; text that begins with * needs quotes", "the alias *%s is not allowed", name)
		return
	}
	if strings.HasPrefix(problem, "exceeded max depth") {
		c.error(Pos{max(line, 1), 1}, codeTooMuch, "", "the file is nested too deep to be read")
		return
	}
	line = c.problemLine(line, problem)
	if p, ok := c.tabNear(line); ok {
		c.error(p, codeTab, "indent with blanks", "a tab stands in the indentation")
		return
	}
	at := Pos{line, firstText(c.src.line(line))}
	c.error(at, codeSyntax, c.mend(line, problem), "this is not YAML: %s", problem)
}

// problemLine gives the line at which reading stopped. The library names the line of the scanner, but for the parser
// the one where the surrounding map or list begins; the true one is where the file can be cut off so that the part
// before it reads well and the part up to and with it does not.
func (c *compiler) problemLine(line int, problem string) int {
	if strings.HasPrefix(problem, "found unexpected end of stream") {
		return c.openQuote(line)
	}
	if !strings.HasPrefix(problem, "did not find expected") {
		return min(max(line, 1), len(c.src.lines)) // without a number it is the first
	}
	r := &lineReader{lines: c.src.lines}
	_, _ = decodeOne(yaml.NewDecoder(r))
	for n := r.next; n > 0 && n > r.next-8; n-- { // behind plain text the parser looks some lines ahead
		if c.readsTo(n - 1) {
			return n
		}
	}
	return max(1, min(r.next, len(c.src.lines)))
}

// readsTo tells whether the first n lines are YAML by themselves.
func (c *compiler) readsTo(n int) bool {
	var doc yaml.Node
	defer func() { _ = recover() }()
	text := strings.Join(c.src.lines[:n], "\n") + "\n"
	return yaml.Unmarshal([]byte(text), &doc) == nil
}

// openQuote gives the line of a quote that nothing closes. The library names it, but for the first line, for which it
// names the last.
func (c *compiler) openQuote(line int) int {
	if line >= len(c.src.lines)-1 && !c.readsTo(1) {
		return 1
	}
	return min(max(line, 1), len(c.src.lines))
}

// tabNear looks for a tab in the indentation of a line, or of the lines beside it.
func (c *compiler) tabNear(line int) (Pos, bool) {
	for _, n := range []int{line, line + 1, line - 1} {
		text := c.src.line(n)
		indent := text[:len(text)-len(strings.TrimLeft(text, " \t"))]
		if i := strings.IndexByte(indent, '\t'); i >= 0 && len(indent) < len(text) {
			return Pos{n, i + 1}, true
		}
	}
	return Pos{}, false
}

// find gives the first place of a text outside comments; the beginning where there is none.
func (c *compiler) find(text string) Pos {
	for n, line := range c.src.lines {
		if i := strings.Index(line, text); i >= 0 && !strings.Contains(line[:i], "#") {
			return Pos{n + 1, len([]rune(line[:i])) + 1}
		}
	}
	return Pos{1, 1}
}

var keyLine = regexp.MustCompile(`^(\s*(?:- +)*)([\w./-]+):(?:\s+(.*))?$`)

// mend says what most likely repairs the line.
func (c *compiler) mend(line int, problem string) string {
	text := c.src.line(line)
	this := keyLine.FindStringSubmatch(text)
	if strings.Contains(text, "${{") && strings.ContainsAny(strings.ReplaceAll(strings.ReplaceAll(text, "${{", ""), "}}", ""), "{[") {
		return "inside { } and [ ] an expression needs quotes: '${{ … }}'"
	}
	if this != nil && strings.Contains(this[3], ": ") && !strings.HasPrefix(problem, "did not find") {
		return "put the text after " + this[2] + ": in quotes, since it holds a colon"
	}
	if strings.Contains(problem, "cannot start any token") {
		return "text that begins with @, ` or % needs quotes"
	}
	if strings.HasPrefix(problem, "found unexpected end") {
		return "close the quotes that are opened here"
	}
	if strings.Contains(problem, "',' or") {
		return "close the bracket that is open here, and put a comma between entries"
	}
	before, n := c.before(line)
	above := keyLine.FindStringSubmatch(before)
	if this != nil && above != nil && len(this[1]) != len(above[1]) {
		return fmt.Sprintf("check the indentation: %s begins in column %d, but %s on line %d begins in column %d, and the keys of one map stand in the same column",
			this[2], len(this[1])+1, above[2], n, len(above[1])+1)
	}
	if column, ok := c.siblingDash(line); ok {
		return fmt.Sprintf("check the indentation: this line begins in column %d, but the list above it in column %d, and the dashes of one list stand in the same column",
			firstText(text), column)
	}
	return fmt.Sprintf("check the indentation of this line and of line %d: the keys of one map, and the dashes of one list, stand in the same column", max(n, 1))
}

// before gives the nearest line above that holds something, and its number.
func (c *compiler) before(line int) (string, int) {
	for n := line - 1; n > 0; n-- {
		if t := strings.TrimSpace(c.src.line(n)); t != "" && t[0] != '#' {
			return c.src.line(n), n
		}
	}
	return "", 0
}

// siblingDash gives the column of the list above that a line with a dash most likely belongs to.
func (c *compiler) siblingDash(line int) (int, bool) {
	if !strings.HasPrefix(strings.TrimSpace(c.src.line(line)), "- ") {
		return 0, false
	}
	column := firstText(c.src.line(line))
	for n := line - 1; n > 0; n-- {
		text := c.src.line(n)
		if strings.HasPrefix(strings.TrimSpace(text), "- ") && abs(firstText(text)-column) <= 2 && firstText(text) != column {
			return firstText(text), true
		}
	}
	return 0, false
}

// lineReader hands out one line at a read, so that it knows how far the parser has come.
type lineReader struct {
	lines []string
	next  int
	rest  bytes.Buffer
}

// Read implements io.Reader.
func (r *lineReader) Read(p []byte) (int, error) {
	if r.rest.Len() == 0 && r.next < len(r.lines) {
		r.rest.WriteString(r.lines[r.next])
		r.rest.WriteByte('\n')
		r.next++
	}
	return r.rest.Read(p)
}
