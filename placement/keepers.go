package placement

import (
	"cmp"
	"slices"
)

// Keepers chooses, of the machines that live, those who keep a node's list of what it holds: at most n of them, the one who
// acts first before the others. Nodes come before gateways, which have other things to do.
//
// Everybody who sees the same machines chooses the same ones, whatever their order. When a machine comes or goes, only the
// nodes change their keepers that it is now, or was, a keeper of; and each machine keeps about as many lists as any other.
func Keepers(node string, nodes, gateways []string, n int) []string {
	keepers := nearest(node, nodes)
	if len(keepers) < n {
		keepers = append(keepers, nearest(node, gateways)...)
	}
	return keepers[:min(n, len(keepers))]
}

// nearest sorts the machines by a number that each pair of names has (rendezvous hashing), and leaves out the node itself.
func nearest(node string, machines []string) []string {
	others := slices.DeleteFunc(slices.Clone(machines), func(m string) bool { return m == node })
	slices.SortFunc(others, func(a, b string) int {
		return cmp.Or(cmp.Compare(pair(node, a), pair(node, b)), cmp.Compare(a, b))
	})
	return slices.Compact(others)
}

// pair is a number that depends on every bit of two names: FNV-1a, and then a mixing, for names often differ in their last
// letter only.
func pair(a, b string) uint64 {
	h := uint64(14695981039346656037)
	for _, s := range []string{a, "\x00", b} {
		for i := range len(s) {
			h = (h ^ uint64(s[i])) * 1099511628211
		}
	}
	h = (h ^ h>>32) * 0xd6e8feb86659fd93
	h = (h ^ h>>32) * 0xd6e8feb86659fd93
	return h ^ h>>32
}
