package main

import (
	"context"
	"fmt"
	"strings"
	"time"
)

// sample is the resident memory of each group of processes at one moment: of the largest of them, in MiB.
type sample [3]int

// trace samples the memory of a mesh's servers, gateways and nodes each second until ctx ends. Then it gives what they came to.
func trace(ctx context.Context, m *mesh) <-chan string {
	out := make(chan string, 1)
	go func() { // ends with ctx
		var all []sample
		for pause(ctx, time.Second) == nil {
			var s sample
			for i, group := range [][]*child{m.servers, m.gateways, m.nodes} {
				for _, c := range group {
					s[i] = max(s[i], resident(c.PID()))
				}
			}
			all = append(all, s)
		}
		out <- thirds(all)
	}()
	return out
}

// thirds tells the most in each third of the time.
func thirds(all []sample) string {
	var parts []string
	for i, who := range []string{"server", "gateways", "nodes"} {
		var most [3]int
		for at, s := range all {
			third := at * 3 / len(all)
			most[third] = max(most[third], s[i])
		}
		parts = append(parts, fmt.Sprintf("%s %d, %d, %d MiB", who, most[0], most[1], most[2]))
	}
	return strings.Join(parts, "; ")
}
