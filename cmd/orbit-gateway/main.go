// Command orbit-gateway serves the API, compiles clusters into work, and settles runs. Without --nats it embeds the NATS
// server that everything else connects to.
package main

import (
	"os"

	"github.com/exospherehost/orbit/internal/boot"
)

func main() { os.Exit(boot.GatewayCommand().Main(os.Args[1:], os.Stdout, os.Stderr)) }
