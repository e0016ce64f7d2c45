package vault

import (
	"html"
	"sort"
	"strconv"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// decoder takes one kind of escapes out of a text. one appends what stands at the beginning of s and tells how long it is
// there; 0: no escape. Each escape is longer than what it stands for.
type decoder struct {
	mark string // with which each escape begins: one of these bytes
	one  func(out []byte, s string) ([]byte, int)
}

var decoders = []decoder{{"%", ofURL}, {`\`, ofJSON}, {"&", ofHTML}}

// lines takes out line breaks, where base64 and hex are broken into lines, behind any escapes.
var lines = &decoder{"\r\n", func(out []byte, _ string) ([]byte, int) { return out, 1 }}

func isEscape(b byte) bool { return b == '%' || b == '\\' || b == '&' || b == '\r' || b == '\n' }

// layer says where the bytes of a text without escapes stood in the text that it came from, which may be one itself.
type layer struct {
	edits []edit
	below *layer
}

// edit is one escape: length bytes at a place were made of what stood in from.
type edit struct {
	at, length int
	from       span
}

// origin gives the place of a stretch in the text at the bottom.
func (l *layer) origin(s span) span {
	for ; l != nil; l = l.below {
		s = span{l.place(s.from).from, l.place(s.to - 1).to}
	}
	return s
}

// place gives the place of one byte, one layer down.
func (l *layer) place(at int) span {
	i := sort.Search(len(l.edits), func(i int) bool { return l.edits[i].at > at })
	if i == 0 {
		return span{at, at + 1}
	}
	e := &l.edits[i-1]
	if past := at - e.at - e.length; past >= 0 {
		return span{e.from.to + past, e.from.to + past + 1}
	}
	return e.from
}

// decode takes escapes out of a text; no layer: there are none.
func decode(s string, d *decoder, below *layer) (string, *layer) {
	var out []byte
	var edits []edit
	done := 0
	for i := 0; ; {
		next := strings.IndexAny(s[i:], d.mark)
		if len(d.mark) == 1 {
			next = strings.IndexByte(s[i:], d.mark[0])
		}
		if next < 0 {
			break
		}
		i += next
		if out == nil {
			out = make([]byte, 0, len(s))
		}
		before := len(out) + i - done
		var plain [utf8.UTFMax]byte
		text, n := d.one(plain[:0], s[i:])
		if n == 0 {
			i++
			continue
		}
		out = append(append(out, s[done:i]...), text...)
		edits = append(edits, edit{before, len(text), span{i, i + n}})
		i += n
		done = i
	}
	if edits == nil {
		return "", nil
	}
	return string(append(out, s[done:]...)), &layer{edits, below}
}

// hexNumber reads digits of a number.
func hexNumber(s string, from, digits int) (n rune, ok bool) {
	if len(s) < from+digits {
		return 0, false
	}
	for _, c := range []byte(s[from : from+digits]) {
		switch {
		case c >= '0' && c <= '9':
			c -= '0'
		case c|0x20 >= 'a' && c|0x20 <= 'f':
			c = c | 0x20 - 'a' + 10
		default:
			return 0, false
		}
		n = n<<4 | rune(c)
	}
	return n, true
}

// ofURL reads %2F.
func ofURL(out []byte, s string) ([]byte, int) {
	if n, ok := hexNumber(s, 1, 2); ok {
		return append(out, byte(n)), 3
	}
	return out, 0
}

// ofJSON reads the escapes of JSON, and those of Go and other languages that look like them.
func ofJSON(out []byte, s string) ([]byte, int) {
	if len(s) < 2 {
		return out, 0
	}
	if i := strings.IndexByte(`"\/'bfnrtav`, s[1]); i >= 0 {
		return append(out, "\"\\/'\b\f\n\r\t\a\v"[i]), 2
	}
	switch s[1] {
	case 'x':
		if n, ok := hexNumber(s, 2, 2); ok {
			return append(out, byte(n)), 4
		}
	case 'u':
		r, ok := hexNumber(s, 2, 4)
		if !ok {
			return out, 0
		}
		if utf16.IsSurrogate(r) && strings.HasPrefix(s[6:], `\u`) {
			if low, ok := hexNumber(s, 8, 4); ok && utf16.DecodeRune(r, low) != utf8.RuneError {
				return utf8.AppendRune(out, utf16.DecodeRune(r, low)), 12
			}
		}
		return utf8.AppendRune(out, r), 6
	case 'U':
		if r, ok := hexNumber(s, 2, 8); ok && utf8.ValidRune(r) {
			return utf8.AppendRune(out, r), 10
		}
	}
	return out, 0
}

// ofHTML reads &amp;, &#38; and &#x26;.
func ofHTML(out []byte, s string) ([]byte, int) {
	const longest = 12 // characters of an entity that stands for one that people type
	end := strings.IndexByte(s[:min(len(s), longest)], ';')
	if end < 2 {
		return out, 0
	}
	if digits, ok := strings.CutPrefix(s[1:end], "#"); ok {
		base := 10
		if digits != "" && digits[0]|0x20 == 'x' {
			base, digits = 16, digits[1:]
		}
		if n, err := strconv.ParseUint(digits, base, 32); err == nil && n <= utf8.MaxRune && utf8.ValidRune(rune(n)) {
			return utf8.AppendRune(out, rune(n)), end + 1
		}
		return out, 0
	}
	if text := html.UnescapeString(s[:end+1]); len(text) < end+1 {
		return append(out, text...), end + 1
	}
	return out, 0
}
