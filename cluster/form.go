package cluster

import (
	"math"
	"regexp"
	"strings"
	"time"

	"github.com/exospherehost/orbit"
)

// rule is a JSON Schema, or a part of one.
type rule = map[string]any

// form makes the rule for a value of the grammar, a new one each time.
type form func() rule

// with adds a keyword.
func (f form) with(keyword string, value any) form {
	return func() rule {
		r := f()
		r[keyword] = value
		return r
	}
}

// anyText is what the compiler takes as text: any scalar, as it is written.
var anyText form = func() rule { return rule{"type": []any{"string", "number", "boolean"}} }

var (
	anything form = func() rule { return rule{} }
	anyMap   form = func() rule { return rule{"type": "object"} }
)

// textLike is text of which what YAML takes for a string must match; what it takes for a number or truth is not looked at.
func textLike(pattern string) form { return anyText.with("pattern", pattern) }

// like is text that YAML can only take for a string.
func like(pattern string) form {
	return func() rule { return rule{"type": "string", "pattern": pattern} }
}

// says is what an editor shows where a value does not fit; many editors know the keyword, though no draft has it.
func (f form) says(sentence string) form { return f.with("errorMessage", sentence) }

func only(word string) form { return func() rule { return rule{"const": word} } }

func words(known []string) form { return func() rule { return rule{"enum": list(known...)} } }

func whole(least, most int) form {
	return func() rule { return rule{"type": "integer", "minimum": least, "maximum": most} }
}

func between(least, most float64) form {
	return func() rule { return rule{"type": "number", "minimum": least, "maximum": most} }
}

// refer is a definition that the grammar's values share.
func refer(name string) form { return func() rule { return rule{"$ref": "#/$defs/" + name} } }

// list is a JSON-like list.
func list(words ...string) []any {
	out := make([]any, len(words))
	for i, w := range words {
		out[i] = w
	}
	return out
}

// shortest is a duration as people write it.
func shortest(d time.Duration) string { return orbit.Duration(d).String() }

// How amounts and names are written, in the words of compiler and editor.
const (
	timeHint    = "write it like 30s, 10m or 6h"
	rateHint    = "write it like 10/s, 100/m or 1000/h"
	shareHint   = "write a share like 95% or a count like 10"
	memoryHint  = "write it like 16GiB or 512MiB"
	subjectHint = "write it like orders.created, or orders.* or orders.>"
	clusterHint = "write it like project/name"
	cronHint    = "the fields are minute, hour, day of month, month and day of week"
	nameHint    = "write it of a-z, 0-9, - and _, 63 at most"
)

// The patterns of amounts. A number below zero is let through where it is zero after all: -0s is no less than 0s.
const (
	decimal     = `([0-9]+\.?[0-9]*|\.[0-9]+)`
	nothing     = `(0+\.?0*|\.0+)`
	timeUnit    = `(ns|us|µs|μs|ms|s|m|h)`
	timePattern = `^(\+?(` + decimal + timeUnit + `)+|-(` + nothing + timeUnit + `)+|[-+]?0)$`
)

// zero matches text that holds no digit but 0.
func zero() rule { return rule{"type": "string", "pattern": "^[^1-9]*$"} }

// exponent follows a number; so does, in the notation with base 16, more than is worth spelling out.
const exponent = `([eE][-+]?[0-9]+)?`

// sharePattern is a share, such as 95%, or a count, such as 10.
const sharePattern = `^(\s*[-+]?(0*(100(\.0*)?|[0-9]{1,2}(\.[0-9]*)?)|\.[0-9]+|` + decimal + `[eE][-+]?[0-9]+|0[xX].*)\s*%\s*|\+?[0-9]+|-0+)$`

// memoryPattern is an amount of memory, with or without a unit.
func memoryPattern() string {
	units := strings.Join(orbit.ByteUnits(), "|")
	return `^\s*(\+?` + decimal + exponent + `|-` + nothing + exponent + `|[-+]?0[xX].*)\s*(` + units + `)?\s*$`
}

// cronPattern is a macro or five fields; what the fields say is not looked at.
func cronPattern() string {
	return `^\s*(` + strings.Join(cronMacros, "|") + `|\S+(\s+\S+){4})\s*$`
}

const (
	subjectToken   = `([^ \t\r\n.*>]+|\*)`
	subjectPattern = `^(` + subjectToken + `(\.` + subjectToken + `)*(\.>)?|>)$`
)

// clusterPattern is the identifier of a cluster.
func clusterPattern() string {
	part := strings.Trim(identifierPattern.String(), "^$")
	return `^(cluster/)?` + part + `/` + part + `$`
}

// urlPattern is what every URL that call-webhook and its like take begins with.
const urlPattern = `^[hH][tT][tT][pP][sS]?://.`

// plainName is a key that needs no escape in a JSON pointer; not every editor knows them.
var plainName = regexp.MustCompile(`^[A-Za-z0-9_.-]+$`)

// mostCount bounds a number of items.
const mostCount = math.MaxInt32
