package cluster

import (
	"bytes"
	"slices"

	"gopkg.in/yaml.v3"
)

// Format gives a cluster file in its canonical form, or the diagnostics of what keeps it from being read. A file that
// can be read is formatted whatever else is wrong with it, such as an unknown satellite. The canonical form:
//
//   - Two blanks of indentation. The items of a list are indented below its key, and the first key of a map stands on
//     the line of its dash.
//   - The keys of the grammar stand in the order of the documentation; keys that it does not know follow, in their own
//     order. The user's data (secrets, config, input) keeps its order, and so does what is written in braces.
//   - Comments stay with what they belong to. A comment belongs to the key or item below it; directly below a value and
//     with an empty line after it, to what is above; and before an empty line at the beginning of a map or of the file,
//     to the map or the file. Its column tells which of the maps and lists that end there it still belongs to.
//   - Empty lines stay, one at a time. Blanks at the ends of lines go. One line end is at the end of the file.
//   - Scalars keep their quotes or their block style, braces and brackets stay, and text keeps its lines. Only the
//     indentation of lines after the first changes.
//
// Formatting twice changes nothing more. The values of the file, and so its plan, are the same afterwards: that is
// checked before the text is given out, and a file for which it cannot be shown comes back as a diagnostic. For the sake
// of the values, the empty lines at the end of a block with + stay, and a block without - whose last line is the end of
// the file, without a line end, gets its -.
func Format(file string, text []byte) ([]byte, []Diagnostic) {
	c := &compiler{src: newSource(file, bytes.TrimPrefix(text, []byte("\ufeff"))), badNodes: map[*yaml.Node]bool{}}
	root := c.decode()
	if root == nil || c.failed {
		sortDiagnostics(c.found)
		return nil, c.found
	}
	l := readLayout(c.src, root)
	if l.lost == nil {
		fileOrder.arrange(l.root.block)
		l.root.lift()
		out := l.write()
		if at, same := c.sameAs(root, l, out); same {
			return out, nil
		} else if at != nil {
			l.lost = at
		}
	}
	if l.lost == nil {
		l.lost = &Pos{1, 1}
	}
	c.error(*l.lost, codeLayout, "write it plainer, without ? before a key and without tags such as !!map", "this cannot be formatted without a risk to what the file says")
	return nil, c.found
}

// sameAs tells whether a text says what the file says: the same values, and the same comments. Where one differs, it gives
// its place.
func (c *compiler) sameAs(root *yaml.Node, l *layout, text []byte) (*Pos, bool) {
	again := &compiler{src: newSource(c.src.file, text), badNodes: map[*yaml.Node]bool{}}
	written := again.decode()
	if written == nil || again.failed {
		return nil, false
	}
	if n := differs(root, written); n != nil {
		return &Pos{n.Line, n.Column}, false
	}
	r := readLayout(again.src, written)
	return nil, r.lost == nil && slices.Equal(slices.Sorted(slices.Values(l.comments)), slices.Sorted(slices.Values(r.comments)))
}

// differs gives the first value that is not the same in another document; nil where all are. The order of keys does not
// count.
func differs(n, other *yaml.Node) *yaml.Node {
	if n.Kind != other.Kind || n.Style != other.Style || n.Tag != other.Tag || n.Value != other.Value || len(n.Content) != len(other.Content) {
		return n
	}
	if n.Kind != yaml.MappingNode {
		for i := range n.Content {
			if d := differs(n.Content[i], other.Content[i]); d != nil {
				return d
			}
		}
		return nil
	}
	places := make(map[string]int, len(n.Content)/2)
	for i := 0; i < len(other.Content); i += 2 {
		places[other.Content[i].Value] = i
	}
	for i := 0; i < len(n.Content); i += 2 {
		at, ok := places[n.Content[i].Value]
		if !ok {
			return n.Content[i]
		}
		for j := range 2 {
			if d := differs(n.Content[i+j], other.Content[at+j]); d != nil {
				return d
			}
		}
	}
	return nil
}
