package jq

import (
	"embed"
	"fmt"
	"time"

	"github.com/exospherehost/orbit"
	"github.com/exospherehost/orbit/satellite"
	"github.com/exospherehost/orbit/satellite/schema"
)

//go:embed spec/*.json
var specFiles embed.FS

func newSpec() *satellite.Spec {
	set := schema.MustRead(specFiles, "spec/jq.json")
	return &satellite.Spec{
		Name:  "exospherehost/jq",
		Kind:  "exosphere",
		Title: "Run a jq program",
		Description: "Runs a jq program (gojq's dialect) on the input, by default the incoming object, and returns every value that the " +
			"program emits: an object as it is, anything else as {value: …}. A program that emits nothing ends the branch; one " +
			"that emits a list's entries (.[]) fans out over them.\n\n" +
			"An error of the program, error(…) and halt_error included, fails the item at once, and so does one that computes for " +
			"longer than its timeout: the same program on the same input would do it again. NaN is emitted as null and an infinite number as the " +
			"largest finite one, as jq itself prints them.\n\n" +
			fmt.Sprintf("A program has at most %d KiB, %d names, values and signs, and %d brackets within each other; all programs of a "+
				"cluster together have at most %d names, values and signs.", maxLength>>10, maxSymbols, maxNesting, MaxSymbolsOfFile),
		Config:     set.Config,
		Input:      set.Input,
		Output:     set.Output,
		Pool:       orbit.CorePool,
		Timeout:    10 * time.Minute, // for a program whose own timeout is long, or that waits for a slow reader
		BundleHint: 64,
		Failures: []orbit.SatelliteFailure{
			{Code: string(orbit.CodeInvalidInput), When: "the program ends in an error, such as a field of a value that has none, or error(…)"},
			{Code: string(orbit.CodeTimeout), When: "the program computes for longer than timeout"},
			{Code: string(orbit.CodeInvalidConfig), When: "query is no jq program once its expressions are resolved"},
		},
		Example: `uses: satellite/exospherehost/jq
config:
  query: |
    select(.size > 1000)
    | {name: ."file-name", kib: (.size / 1024 | floor)}
`,
	}
}
