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
	b.WriteString(clusterHead(identifier) + "\n")
	fmt.Fprintf(&b, "    - {uses: bench/%s, identifier: root}\n", root)
	for i := range further {
		fmt.Fprintf(&b, "    - {uses: bench/noop, identifier: step-%d}\n", i+1)
	}
	return identifier, []byte(b.String())
}

// clusterHead is a cluster file up to its satellites.
func clusterHead(identifier string) string {
	return "version: 0.0.1b\ncluster:\n  identifier: " + identifier + "\n  sla: 6h\n  trigger: api-call\n  satellites:"
}
