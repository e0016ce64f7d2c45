package cluster

import (
	"errors"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"gopkg.in/yaml.v3"
)

var yamlLine = regexp.MustCompile(`^(?:yaml: )?(?:line (\d+): )?(.*)$`)

// syntaxError reports why the file is not YAML: where reading stopped, and what most likely mends it. Reached is the number of
// lines that the parser had asked for by then.
func (c *compiler) syntaxError(err error, reached int) {
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
	line = c.problemLine(line, reached, problem)
	if p, ok := c.tabNear(line); ok {
		c.error(p, codeTab, "indent with blanks", "a tab stands in the indentation")
		return
	}
	if n := c.directive(line); n > 0 {
		c.error(Pos{n, 1}, codeSyntax, "remove the line; a cluster file needs no directive", "the directive %s is not known here", quoted(strings.TrimSpace(c.src.line(n))))
		return
	}
	at := Pos{line, firstText(c.src.line(line))}
	c.error(at, codeSyntax, c.mend(line, problem), "this is not YAML: %s", problem)
}

// problemLine gives the line at which reading stopped. The library names the line of the scanner, but for the parser
// the one where the surrounding map or list begins; the true one is where the file can be cut off so that the part
// before it reads well and the part up to and with it does not.
func (c *compiler) problemLine(line, reached int, problem string) int {
	if strings.HasPrefix(problem, "found unexpected end of stream") {
		return c.openQuote(line)
	}
	if !strings.HasPrefix(problem, "did not find expected") {
		return min(max(line, 1), len(c.src.lines)) // without a number it is the first
	}
	lines := c.src.lines[:reached]
	if few := outline(lines); problemOf(few) == problem {
		lines = few
	}
	for n := len(lines); n > 0 && n > len(lines)-lookahead; n-- {
		if problemOf(lines[:n-1]) == "" {
			return reached - len(lines) + n
		}
	}
	return max(1, reached)
}

const (
	lookahead = 8   // lines that the parser may be ahead behind plain text
	nearby    = 200 // lines; most lists and texts of one satellite are shorter
)

// outline leaves out of lines, which end at a problem, what is most likely without influence on it, so that reading them
// again and again costs little: but for those nearby only the lines that the others stand below.
func outline(lines []string) []string {
	if len(lines) <= 2*nearby {
		return lines
	}
	first := len(lines) - nearby
	for blankLine(lines[first]) && first < len(lines)-1 {
		first++
	}
	indent := firstText(lines[first])
	var above []string
	for n := first - 1; n >= 0 && indent > 1; n-- {
		if at := firstText(lines[n]); !blankLine(lines[n]) && at < indent && lines[n][at-1] != '#' {
			above = append(above, lines[n])
			indent = at
		}
	}
	slices.Reverse(above)
	return append(above, lines[first:]...)
}

// problemOf tells what keeps lines from being YAML by themselves; empty where nothing does.
func problemOf(lines []string) string {
	_, err := decodeOne(yaml.NewDecoder(strings.NewReader(strings.Join(lines, "\n") + "\n")))
	if err == nil || errors.Is(err, io.EOF) {
		return ""
	}
	return yamlLine.FindStringSubmatch(strings.SplitN(err.Error(), "\n", 2)[0])[2]
}

// openQuote gives the line of a quote that nothing closes. The library names it, but for the first line, for which it
// names the last.
func (c *compiler) openQuote(line int) int {
	if line >= len(c.src.lines)-1 && problemOf(c.src.lines[:1]) != "" {
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

// directive gives the line of a directive at which reading stopped: at the given line, or at the first one below it, since the
// library names the line of a comment before it. 0: it stopped elsewhere.
func (c *compiler) directive(line int) int {
	for n, text := range c.src.lines {
		switch {
		case strings.HasPrefix(text, "%"):
			if n+1 >= line {
				return n + 1
			}
		case !blankLine(text) && text[firstText(text)-1] != '#':
			return 0
		}
	}
	return 0
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
	source *source
	lines  int // handed out
	at     int // bytes
}

// Read implements io.Reader.
func (r *lineReader) Read(p []byte) (int, error) {
	if r.at == len(r.source.text) {
		return 0, io.EOF
	}
	end := r.source.ends[max(r.lines-1, 0)]
	if r.at == end || r.lines == 0 {
		r.lines++
		end = r.source.ends[r.lines-1]
	}
	n := copy(p, r.source.text[r.at:end])
	r.at += n
	return n, nil
}
