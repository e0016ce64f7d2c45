// Command orbit-node runs on each machine of a mesh: it takes work that fits the machine, runs it and commits the results.
package main

import (
	"os"

	"github.com/exospherehost/orbit/internal/boot"
)

func main() { os.Exit(boot.NodeCommand().Main(os.Args[1:], os.Stdout, os.Stderr)) }
