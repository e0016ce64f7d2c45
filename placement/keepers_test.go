package placement_test

import (
	"fmt"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/exospherehost/orbit/placement"
)

func names(t *rapid.T, prefix string, most int) []string {
	return rapid.SliceOfNDistinct(rapid.Custom(func(t *rapid.T) string { return prefix + fmt.Sprint(rapid.IntRange(1, 200).Draw(t, "n")) }), 0, most, rapid.ID[string]).Draw(t, prefix)
}

func TestKeepersAreTheSameForAllWhoSeeTheSameMachines(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		nodes, gateways := names(t, "node-", 10), names(t, "gateway-", 3)
		got := placement.Keepers("node-1", nodes, gateways, 2)
		again := placement.Keepers("node-1", rapid.Permutation(nodes).Draw(t, "other order"), rapid.Permutation(gateways).Draw(t, "and here"), 2)
		if !slices.Equal(got, again) {
			t.Errorf("%v, and in another order %v", got, again)
		}
		others := len(nodes)
		if slices.Contains(nodes, "node-1") {
			others--
		}
		if len(got) != min(2, others+len(gateways)) || slices.Contains(got, "node-1") {
			t.Errorf("%v keep for node-1, of %v and %v", got, nodes, gateways)
		}
		for i, k := range got {
			if !slices.Contains(nodes, k) && i < others {
				t.Errorf("%v: %s keeps, and a node could", got, k)
			}
		}
	})
}

func TestKeepersChangeOnlyWithAMachineThatIsOrBecomesOne(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		nodes := names(t, "node-", 20)
		before := placement.Keepers("me", nodes, nil, 2)
		for _, gone := range nodes {
			left := slices.DeleteFunc(slices.Clone(nodes), func(n string) bool { return n == gone })
			after := placement.Keepers("me", left, nil, 2)
			stay := slices.DeleteFunc(slices.Clone(before), func(n string) bool { return n == gone })
			if !slices.Equal(after[:len(stay)], stay) {
				t.Errorf("%s went, and %v became %v", gone, before, after)
			}
		}
	})
}

func TestListsAreSpreadOverTheMachines(t *testing.T) {
	var nodes []string
	for i := range 50 {
		nodes = append(nodes, fmt.Sprintf("node-%d", i))
	}
	kept := map[string]int{}
	for _, n := range nodes {
		for _, k := range placement.Keepers(n, nodes, []string{"gateway"}, 2) {
			kept[k]++
		}
	}
	for k, n := range kept {
		if n > 10 || k == "gateway" {
			t.Errorf("%s keeps %d lists of 100", k, n)
		}
	}
}

func TestWithoutOtherNodesTheGatewayKeeps(t *testing.T) {
	if got := placement.Keepers("n", []string{"n"}, []string{"g"}, 2); !slices.Equal(got, []string{"g"}) {
		t.Errorf("%v", got)
	}
	if got := placement.Keepers("n", []string{"n"}, nil, 2); len(got) != 0 {
		t.Errorf("%v, and nobody is there", got)
	}
}
