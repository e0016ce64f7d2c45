// Command orbit-node runs on each machine of a mesh: it takes work that fits the machine, runs it and commits the results.
package main

import (
	"os"

	"github.com/exospherehost/orbit/orbitnode"
)

func main() { os.Exit(orbitnode.Main()) }
