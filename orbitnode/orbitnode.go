// Package orbitnode is the command orbit-node for a program of one's own: with satellites written in Go, linked in beside the
// built-in ones. examples/custom-go is such a program.
//
//	func main() { os.Exit(orbitnode.Main(wordCount{})) }
//
// The program takes the flags, the configuration file and the signals of orbit-node. It hosts the pools of its satellites;
// `PROGRAM satellites` prints their descriptions, which `orbit satellites register` sends to a gateway. It refuses to know how
// a node is brought up.
package orbitnode

import (
	"os"

	"github.com/exospherehost/orbit/internal/boot"
	"github.com/exospherehost/orbit/satellite"
)

// Main is the whole program: it runs until it is told to stop, and gives the exit code. A satellite that belongs to a project
// has orbit.ProjectPool(project) as its pool.
func Main(satellites ...satellite.Satellite) int {
	return boot.NodeCommand(satellites...).Main(os.Args[1:], os.Stdout, os.Stderr)
}
