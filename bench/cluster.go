package main

import (
	"fmt"
	"strings"
)

// fanOut is a cluster whose root returns as many objects as the payload says, and whose other steps pass each of them on.
func fanOut(steps int) (identifier string, file []byte) {
	return clusterFile("fan-out", "emit", steps)
}

// chain is a cluster of steps that pass the payload on.
func chain(steps int) (identifier string, file []byte) {
	return clusterFile("chain", "noop", steps-1)
}

func clusterFile(name, root string, further int) (identifier string, file []byte) {
	identifier = fmt.Sprintf("bench/%s-%d", name, 1+further)
	var b strings.Builder
	fmt.Fprintf(&b, "version: 0.0.1b\ncluster:\n  identifier: %s\n  sla: 6h\n  trigger: api-call\n  satellites:\n", identifier)
	fmt.Fprintf(&b, "    - {uses: bench/%s, identifier: root}\n", root)
	for i := range further {
		fmt.Fprintf(&b, "    - {uses: bench/noop, identifier: step-%d}\n", i+1)
	}
	return identifier, []byte(b.String())
}
