package orbit

import (
	"cmp"
	"fmt"
	"strconv"
	"strings"
)

// Lineage is the path of output ordinals from the root to an item, such as "0.17.2": the third object of the eighteenth
// object of the root. It means something to a person and is deterministic once the parent is committed.
type Lineage string

// RootLineage is the lineage of a root's only item.
const RootLineage Lineage = "0"

// Child is the lineage of the item that the ordinal-th object of this one becomes.
func (l Lineage) Child(ordinal int) Lineage {
	return l + "." + Lineage(strconv.Itoa(ordinal))
}

// AppendChild appends what Child gives; for who makes many at once.
func (l Lineage) AppendChild(buf []byte, ordinal int) []byte {
	return strconv.AppendInt(append(append(buf, l...), '.'), int64(ordinal), 10)
}

// Depth is the number of ordinals: 1 for a root.
func (l Lineage) Depth() int {
	if l == "" {
		return 0
	}
	return strings.Count(string(l), ".") + 1
}

// Prefix is the lineage of the ancestor at the given depth (the whole of l where it is not deeper).
func (l Lineage) Prefix(depth int) Lineage {
	for i := range len(l) {
		if l[i] == '.' {
			if depth--; depth == 0 {
				return l[:i]
			}
		}
	}
	return l
}

// Parent is the lineage without its last ordinal.
func (l Lineage) Parent() Lineage { return l[:max(0, strings.LastIndexByte(string(l), '.'))] }

// Last is the last ordinal.
func (l Lineage) Last() (int, error) {
	n, err := strconv.Atoi(string(l[strings.LastIndexByte(string(l), '.')+1:]))
	if err != nil {
		return 0, fmt.Errorf("%q is no lineage", string(l))
	}
	return n, nil
}

// Compare orders lineages as numbers, part by part, an ancestor before its descendants: "0.2" before "0.10".
func (l Lineage) Compare(o Lineage) int {
	a, b := string(l), string(o)
	for a != "" && b != "" {
		x, restA, _ := strings.Cut(a, ".")
		y, restB, _ := strings.Cut(b, ".")
		if x != y {
			if c := cmp.Compare(len(x), len(y)); c != 0 { // ordinals have no leading zeros
				return c
			}
			return cmp.Compare(x, y)
		}
		a, b = restA, restB
	}
	return cmp.Compare(len(a), len(b))
}

// ItemID is the name of an item as people see it: "parse-pdf/0.17".
func ItemID(step string, l Lineage) string { return step + "/" + string(l) }
