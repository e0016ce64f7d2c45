package cli

import (
	"context"

	"github.com/exospherehost/orbit/cluster"
	"github.com/exospherehost/orbit/placement"
	"github.com/exospherehost/orbit/satellite/catalog"
)

// schemaCommand is `orbit schema`.
type schemaCommand struct{}

// Help is the long help.
func (*schemaCommand) Help() string {
	return "With it an editor completes a cluster file, explains its keys, and marks what is wrong as you type: Visual Studio Code with the " +
		"YAML extension, and every other editor with a YAML language server. It knows the built-in satellites; no gateway is asked.\n\n" +
		"Write it to a file: orbit schema > orbit.schema.json\n\n" +
		"and begin the cluster file beside it with this line:\n\n" +
		"# yaml-language-server: $schema=orbit.schema.json\n\n" +
		"`orbit lint` tells more: what speaks of other places of the file, such as parents, secrets and expressions."
}

// Run prints the schema of cluster files. It is JSON whatever -o says.
func (*schemaCommand) Run(_ context.Context, a *app) error {
	all, err := catalog.Specs()
	if err != nil {
		return err
	}
	var classes []string
	for _, c := range placement.DefaultClasses() {
		classes = append(classes, c.Name)
	}
	_, err = a.stdout.Write(cluster.FileSchema(all, classes))
	return err
}
