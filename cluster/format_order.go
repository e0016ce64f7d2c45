package cluster

import (
	"cmp"
	"slices"
	"strings"
)

// keyOrder is the order of the keys of a map, or of each map in a list, and of the maps below.
type keyOrder struct {
	keys  []string
	below map[string]*keyOrder
}

var (
	stepOrder = &keyOrder{stepKeys.names(), map[string]*keyOrder{"retries": {keys: retryKeys.names()}, "unites": {keys: unitesKeys.names()}, "resources": {keys: resourceKeys.names()}}}

	fileOrder = &keyOrder{fileKeys.names(), map[string]*keyOrder{"cluster": {clusterKeys.names(), map[string]*keyOrder{
		"trigger":    {keys: slices.Concat(triggerTypes, triggerKeys.names())}, // what it is, then how
		"retries":    {keys: retryKeys.names()},
		"satellites": stepOrder,
		"logs":       {below: map[string]*keyOrder{"satellites": stepOrder}},
		"failure":    {failureKeys.names(), map[string]*keyOrder{"satellites": stepOrder}},
	}}}}
)

// arrange puts the keys of a block into order; those it does not know come last.
func (o *keyOrder) arrange(b *layoutBlock) {
	if o == nil || b == nil {
		return
	}
	if b.list {
		for _, e := range b.entries {
			if e.block != nil && !e.block.list {
				o.arrange(e.block)
			}
		}
		return
	}
	first := b.entries[0]
	slices.SortStableFunc(b.entries, func(x, y *layoutEntry) int { return cmp.Compare(o.place(x.name), o.place(y.name)) })
	if now := b.entries[0]; now != first { // the empty line that parts the two stays between them
		was, is := first.lead(), now.lead()
		*was, *is = *is, *was
	}
	for _, e := range b.entries {
		o.below[o.known(e.name)].arrange(e.block)
	}
}

// known gives a key in the grammar's spelling; as it is where the grammar does not know it.
func (o *keyOrder) known(name string) string {
	if kebab := strings.ReplaceAll(name, "_", "-"); !slices.Contains(o.keys, name) && slices.Contains(o.keys, kebab) {
		return kebab
	}
	return name
}

func (o *keyOrder) place(name string) int {
	if i := slices.Index(o.keys, o.known(name)); i >= 0 {
		return i
	}
	return len(o.keys)
}
