package orbit

import (
	"maps"
	"slices"
	"strconv"
)

// Usage is what attempts took of something that is counted, by its name, such as prompt-tokens. Amounts are not negative.
type Usage map[string]int64

// MaxUsage bounds the names in one Usage.
const MaxUsage = 16

// Names of what model satellites take, as their server counts it.
const (
	PromptTokens     = "prompt-tokens"
	CompletionTokens = "completion-tokens"
)

// Add adds more to it, and makes it where it is nil. Names beyond MaxUsage are passed over.
func (u *Usage) Add(more Usage) {
	for name, n := range more {
		if *u == nil {
			*u = Usage{}
		}
		if _, known := (*u)[name]; known || len(*u) < MaxUsage {
			(*u)[name] += n
		}
	}
}

// Names are those that are counted, sorted.
func (u Usage) Names() []string { return slices.Sorted(maps.Keys(u)) }

func (u Usage) appendJSON(dst []byte) []byte {
	for i, name := range u.Names() {
		dst = append(appendText(append(dst, "{,"[min(i, 1)]), name), ':')
		dst = strconv.AppendInt(dst, u[name], 10)
	}
	return append(dst, '}')
}

func (u Usage) write(w *frameWriter) {
	w.array(2 * len(u))
	for _, name := range u.Names() {
		w.str(name)
		w.int(u[name])
	}
}

func readUsage(r *frameReader) Usage {
	n := r.array()
	if n%2 != 0 || n > 2*MaxUsage {
		r.fail("a usage of %d fields", n)
	}
	u := make(Usage, n/2)
	for range n / 2 {
		name := r.str()
		amount := r.int()
		if amount < 0 {
			r.fail("a usage of %d", amount)
		}
		u[name] = amount
	}
	if r.err != nil {
		return nil
	}
	return u
}
