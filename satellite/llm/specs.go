// Package llm is the family of model satellites: one prompt or conversation in, the model's answer out.
//
// It owns their descriptions. It refuses to hold a model: an inference server beside the node does, and a node hosts
// the pool of each model that its server has.
package llm

import (
	"embed"
	"time"

	"github.com/exospherehost/orbit"
	"github.com/exospherehost/orbit/satellite"
	"github.com/exospherehost/orbit/satellite/schema"
)

//go:embed spec/*.json
var specFiles embed.FS

// timeout lets a model write the default max-tokens, 65536, at 30 tokens a second, which takes 36 minutes.
const timeout = 45 * time.Minute

// Specs describes the model satellites.
func Specs() []*satellite.Spec {
	deepseek := describe("deepseek-r1-distrill-llama-70b", "Ask DeepSeek R1 Distill Llama 70B", 76*orbit.GiB)
	// 70.6 billion weights of one byte (fp8) are 66 GiB. 65536 tokens of context, 80 layers × 8 heads × 128 × keys and
	// values × one byte each, are 10 GiB. Together they fit a card sold as 80 GB; at two bytes a weight, 131 GiB and
	// the context would fit no single card of less than 192 GB.
	deepseek.Aliases = []string{"exospherehost/deepseek-r1-distill-llama-70b"}

	gemma := describe("gemma-3-27b", "Ask Gemma 3 27B", 60*orbit.GiB)
	// 27.4 billion weights of two bytes (bf16) are 51 GiB. Five of six layers keep only 1024 tokens, so that 65536
	// tokens of context take about 5 GiB; the rest is room for what a step computes.
	return []*satellite.Spec{deepseek, gemma}
}

func describe(model, title string, memory orbit.Bytes) *satellite.Spec {
	set := schema.MustRead(specFiles, "spec/model.json")
	return &satellite.Spec{
		Name:  "exospherehost/" + model,
		Kind:  "exosphere",
		Title: title,
		Description: "Sends a prompt, or a conversation in messages, to the model and returns its answer in the field text. With " +
			"output-format json the model must answer with an object that fits output-schema, and that object is what is returned.\n\n" +
			"It runs on nodes whose inference server has the model " + model + ".",
		Config:      set.Config,
		Input:       set.Input,
		Output:      set.Output,
		PrimaryText: "text",
		Pool:        "model-" + model,
		Resources:   orbit.Resources{Model: model, GPUMemory: memory},
		Timeout:     timeout,
		BundleHint:  1, // an answer takes seconds to minutes: nothing is gained by committing several together
	}
}
