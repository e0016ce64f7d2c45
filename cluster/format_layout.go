package cluster

import (
	"slices"
	"strings"
)

// layout is a file as it is laid out: its maps and lists in block style, each entry with its comments and empty lines,
// and the text of all other values as it stands.
type layout struct {
	start    []string     // the lines up to the --- that begins the document; none without it
	root     *layoutEntry // the document's value: an entry without a key
	rest     []comment    // behind it
	end      []string     // the lines from the ... that ends the document
	comments []string     // all there are, in file order
	lost     *Pos         // where reading stopped, for what stands there was not expected; nil: all was read
}

// layoutBlock is a map or a list in block style.
type layoutBlock struct {
	list    bool
	opening []comment // about the whole of it
	entries []*layoutEntry
	tail    []comment
}

// layoutEntry is a key and its value, or a dash and its value: a block, a leaf or nothing.
type layoutEntry struct {
	head  []comment // above it
	blank bool      // an empty line stands right above
	name  string    // what the key says; empty for a dash
	key   string    // the key as it is written
	note  string    // the comment behind the key or dash, with the blanks before it

	block *layoutBlock
	leaf  *leaf
	below bool      // the leaf begins on a line of its own
	above []comment // between the key and that line

	inner []comment // indented below a key without a value
	foot  []comment // directly below all of it
}

// comment is a comment that has a line to itself.
type comment struct {
	text   string
	column int  // from 0
	blank  bool // an empty line stands right above
}

// lead tells whether an empty line parts the entry from what is above.
func (e *layoutEntry) lead() *bool {
	if len(e.head) > 0 {
		return &e.head[0].blank
	}
	return &e.blank
}

// lift moves comments that stand between a dash and what stands on its line, or should stand there, to above the dash.
func (e *layoutEntry) lift() {
	if e.block == nil {
		return
	}
	for _, below := range e.block.entries {
		below.lift()
		if e.block.list {
			below.liftOwn()
		}
	}
}

func (e *layoutEntry) liftOwn() {
	var lifted []comment
	if e.note != "" {
		lifted = append(lifted, comment{text: strings.TrimLeft(e.note, " ")})
	}
	parted := false // an empty line stands between the comments and what they are about
	switch {
	case e.leaf != nil && e.below:
		lifted = append(lifted, e.above...)
		e.above, e.below = nil, false
	case e.block != nil:
		first := e.block.entries[0]
		lifted = slices.Concat(lifted, e.block.opening, first.head)
		parted = first.blank && len(lifted) > 0
		e.block.opening, first.head, first.blank = nil, nil, false
	default:
		return
	}
	e.note = ""
	if len(lifted) > 0 {
		lifted[0].blank = lifted[0].blank || e.blank
		e.head, e.blank = append(e.head, lifted...), parted
	}
}
