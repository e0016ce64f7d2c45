// Command orbit checks cluster files, starts and follows runs, and looks at the mesh. `orbit --help` says more.
package main

import (
	"os"

	"github.com/exospherehost/orbit/internal/localmesh"
)

func main() { os.Exit(localmesh.Main(os.Args[1:])) }
