package cluster

import (
	"errors"
	"fmt"
	"io"
	"strings"
	"unicode"
	"unicode/utf8"

	"gopkg.in/yaml.v3"
)

// decode reads the file's one YAML document; nil where it cannot be read, and then the reason has been told.
func (c *compiler) decode() *yaml.Node {
	if !c.readable() {
		return nil
	}
	r := &lineReader{source: c.src}
	dec := yaml.NewDecoder(r)
	root, err := decodeOne(dec)
	switch {
	case errors.Is(err, io.EOF):
		c.error(Pos{1, 1}, codeMissingKey, "begin with version: "+formatVersion, "the file is empty")
		return nil
	case err != nil:
		c.syntaxError(err, r.lines)
		return nil
	}
	if next, err := decodeOne(dec); err == nil {
		c.error(c.secondDocument(next), codeDocuments, "put it into a file of its own", "the file holds a second document")
	} else if !errors.Is(err, io.EOF) {
		c.syntaxError(err, r.lines)
		return nil
	}
	root = root.Content[0]
	tree := &treeCheck{compiler: c}
	tree.check(root, 1)
	if tree.full {
		return nil
	}
	return root
}

// decodeOne reads the next document. The library answers some malformed input with a panic.
func decodeOne(dec *yaml.Decoder) (n *yaml.Node, err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("yaml: %v", r)
		}
	}()
	n = &yaml.Node{}
	if err := dec.Decode(n); err != nil {
		return nil, err
	}
	if len(n.Content) == 0 {
		return nil, io.EOF
	}
	return n, nil
}

// readable tells whether the file is text of a bearable size.
func (c *compiler) readable() bool {
	text := c.src.text
	if len(text) > maxSize {
		c.error(c.src.place(maxSize), codeTooLarge, "move large data to a file or bucket that a satellite reads",
			"the file has %d KiB; at most %d KiB are read", (len(text)+1023)/1024, maxSize/1024)
		return false
	}
	for i := 0; i < len(text); {
		if c := text[i]; c >= ' ' && c <= '~' { // most are
			i++
			continue
		}
		r, size := utf8.DecodeRune(text[i:])
		switch {
		case r == utf8.RuneError && size == 1:
			c.error(c.src.place(i), codeEncoding, "save the file as UTF-8", "the file is not UTF-8 text")
			return false
		case unicode.IsControl(r) && r != '\t' && r != '\n' && r != '\r' && r != 0x85, r == 0xfffe, r == 0xffff, r == 0xfeff:
			c.error(c.src.place(i), codeEncoding, "remove it; in quoted text it can be written \\u"+fmt.Sprintf("%04X", r),
				"the character U+%04X is not allowed in YAML", r)
			return false
		}
		i += size
	}
	return true
}

// secondDocument gives the place of the line of dashes before it.
func (c *compiler) secondDocument(n *yaml.Node) Pos {
	seen := false
	for i, line := range c.src.lines {
		text := strings.TrimSpace(line)
		if line == "---" || strings.HasPrefix(line, "--- ") || strings.HasPrefix(line, "---\t") {
			if seen {
				return Pos{i + 1, 1}
			}
			seen = true
		} else if text != "" && text[0] != '#' && text[0] != '%' {
			seen = true
		}
	}
	return Pos{n.Line, n.Column}
}

// treeCheck walks the whole document once, and refuses what YAML allows but cluster files do not.
type treeCheck struct {
	*compiler
	nodes int
	full  bool // past a limit: the rest was not looked at
}

func (t *treeCheck) check(n *yaml.Node, depth int) {
	if t.full {
		return
	}
	t.nodes++
	if t.nodes > maxNodes || depth > maxDepth {
		t.full = true
		message := fmt.Sprintf("the file holds more than %d values", maxNodes)
		if depth > maxDepth {
			message = fmt.Sprintf("the value is nested more than %d levels deep", maxDepth)
		}
		t.error(at(n), codeTooMuch, "move large data to a file or bucket that a satellite reads", "%s", message)
		return
	}
	if n.Anchor != "" {
		t.error(at(n), codeAnchor, "write the value out where it is needed", "the anchor &%s is not allowed", n.Anchor)
	}
	switch n.Kind {
	case yaml.AliasNode:
		t.refuse(n, codeAnchor, "write the value out", "the alias *%s is not allowed", n.Value)
	case yaml.MappingNode:
		t.mapping(n, depth)
	case yaml.SequenceNode:
		t.tag(n, "!!seq")
		for _, e := range n.Content {
			t.check(e, depth+1)
		}
	case yaml.ScalarNode:
		t.tag(n, "!!str", "!!int", "!!float", "!!bool", "!!null")
	}
}

func (t *treeCheck) mapping(n *yaml.Node, depth int) {
	t.tag(n, "!!map")
	var seen few[string]
	for i := 0; i < len(n.Content) && !t.full; i += 2 {
		key := n.Content[i]
		merge := isMerge(key)
		twice := !merge && !seen.add(key.Value)
		switch {
		case key.Kind == yaml.AliasNode:
			t.refuse(key, codeAnchor, "write the key out", "the alias *%s is not allowed", key.Value)
		case key.Kind != yaml.ScalarNode:
			t.refuse(key, codeNoJSON, "a text with braces or brackets needs quotes", "a key must be text, not a map or a list")
		case merge:
			t.refuse(key, codeAnchor, "write the keys out", "the merge key << is not allowed")
			t.badNodes[n.Content[i+1]] = true // its alias is part of the same mistake
			t.nodes++
			continue
		case key.Anchor != "":
			t.error(at(key), codeAnchor, "write the key without it", "the anchor &%s is not allowed", key.Anchor)
		case twice:
			t.refuse(key, codeDuplicate, "keep one of them", "the key %s stands here twice", quoted(key.Value))
		}
		t.nodes++
		t.check(n.Content[i+1], depth+1)
	}
}

// isMerge tells a merge key from text.
func isMerge(key *yaml.Node) bool {
	return key.Kind == yaml.ScalarNode && key.Style&(yaml.SingleQuotedStyle|yaml.DoubleQuotedStyle) == 0 && key.Value == "<<"
}

// tag refuses explicit tags but the plain ones.
func (t *treeCheck) tag(n *yaml.Node, allowed ...string) {
	if n.Style&yaml.TaggedStyle == 0 {
		return
	}
	for _, a := range allowed {
		if n.Tag == a {
			return
		}
	}
	t.refuse(n, codeNoJSON, "remove the tag", "the tag %s is not used in cluster files", n.Tag)
}

// refuse reports a node and keeps everything after from looking at it again.
func (t *treeCheck) refuse(n *yaml.Node, code, hint, format string, args ...any) {
	t.badNodes[n] = true
	t.blindUses = true
	t.error(at(n), code, hint, format, args...)
}

func at(n *yaml.Node) Pos { return Pos{n.Line, n.Column} }
