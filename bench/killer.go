package main

import (
	"context"
	"fmt"
	"math/rand/v2"
	"strings"
	"time"
)

// killer kills processes of a mesh and starts them again.
type killer struct {
	m       *mesh
	b       *bench
	rand    *rand.Rand
	every   time.Duration
	of      map[string]int           // kills, by role
	longest map[string]time.Duration // from a kill until the process was up again, by role
}

// run kills one process after another until during ends. When it returns without an error, all are up.
func (k *killer) run(ctx, during context.Context) error {
	var next [][]*child
	for pause(during, k.every) == nil {
		if len(next) == 0 { // each kind comes once before one comes again
			next = [][]*child{k.m.nodes, k.m.gateways, k.m.servers}
			k.rand.Shuffle(len(next), func(i, j int) { next[i], next[j] = next[j], next[i] })
		}
		group := next[0]
		next = next[1:]
		victim := group[k.rand.IntN(len(group))]
		begun := time.Now()
		victim.Kill()
		if err := victim.Start(ctx); err != nil {
			return err
		}
		back := time.Since(begun)
		k.of[victim.role]++
		k.longest[victim.role] = max(k.longest[victim.role], back)
		k.b.say("  kill -9 of %s; up again after %s", victim.name, back.Round(time.Millisecond))
	}
	return nil
}

func (k *killer) String() string {
	var parts []string
	for _, role := range []string{"node", "gateway", "server"} {
		if n := k.of[role]; n > 0 {
			parts = append(parts, fmt.Sprintf("a %s %d times (up again after %.1f s at most)", role, n, k.longest[role].Seconds()))
		}
	}
	if len(parts) == 0 {
		return "nothing: the run was too short"
	}
	return strings.Join(parts, ", ")
}
