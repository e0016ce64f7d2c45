// Command custom-go is a node with a satellite of its own, written in Go: acme/word-count counts the words of a text. Copy it
// into a module of your own; it needs nothing else of Orbit than these packages.
package main

import (
	"context"
	"encoding/json"
	"os"
	"strings"
	"time"

	"github.com/exospherehost/orbit"
	"github.com/exospherehost/orbit/orbitnode"
	"github.com/exospherehost/orbit/satellite"
)

func main() { os.Exit(orbitnode.Main(wordCount{})) }

// wordCount is the satellite. It keeps nothing between items, so any number of them may be worked on at once.
type wordCount struct{}

var spec = &satellite.Spec{
	Name:        "acme/word-count",
	Kind:        "custom", // for clusters of the project acme alone
	Title:       "Count the words of a text",
	Description: "Counts what stands between blanks.",
	Config:      json.RawMessage(`{"type": "object", "additionalProperties": false, "properties": {"least": {"type": "integer", "description": "Fewer words are an error."}}}`),
	Input:       json.RawMessage(`{"type": "object", "required": ["text"], "properties": {"text": {"type": "string"}}}`),
	Output:      json.RawMessage(`{"type": "object", "required": ["words"], "properties": {"words": {"type": "integer"}}}`),
	Pool:        orbit.ProjectPool("acme"), // nodes with this program host it
	Timeout:     time.Minute,
	BundleHint:  64, // items that travel together; many, for a light one
}

// Spec describes the satellite.
func (wordCount) Spec() *satellite.Spec { return spec }

// Run works on one item.
func (wordCount) Run(ctx context.Context, inv *satellite.Invocation, emit satellite.Emit) error {
	input, _ := inv.Input.(map[string]any)
	text, ok := input["text"].(string)
	if !ok {
		return orbit.Permanent(orbit.CodeInvalidInput, "%s: the input has no text", inv.Item())
	}
	words := len(strings.Fields(text))
	if least, _ := inv.Config["least"].(int); words < least {
		return orbit.Permanent(orbit.CodeInvalidInput, "%s: the text has %d words, and %d are asked for", inv.Item(), words, least)
	}
	inv.Log.Debug().Int("words", words).Msg("counted")
	object, err := orbit.NewObject(map[string]any{"words": words})
	if err != nil {
		return err
	}
	return emit(object)
}
