package llm

import (
	"embed"
	"fmt"
	"regexp"
	"time"

	"github.com/exospherehost/orbit"
	"github.com/exospherehost/orbit/satellite"
	"github.com/exospherehost/orbit/satellite/schema"
)

//go:embed spec/*.json
var specFiles embed.FS

// timeout lets a model write the default max-tokens, 65536, at 30 tokens a second, which takes 36 minutes.
const timeout = 45 * time.Minute

// Specs describes the model satellites that every mesh knows.
func Specs() []*satellite.Spec {
	deepseek := describe("exospherehost/deepseek-r1-distrill-llama-70b", "Ask DeepSeek R1 Distill Llama 70B")
	deepseek.Resources = orbit.Resources{Model: "deepseek-r1-distrill-llama-70b", GPUMemory: 76 * orbit.GiB}
	// 70.6 billion weights of one byte (fp8) are 66 GiB. 65536 tokens of context, 80 layers × 8 heads × 128 × keys and
	// values × one byte each, are 10 GiB. Together they fit a card sold as 80 GB; at two bytes a weight, 131 GiB and
	// the context would fit no single card of less than 192 GB.
	deepseek.Aliases = []string{"exospherehost/deepseek-r1-distill-llama-70b"}

	gemma := describe("exospherehost/gemma-3-27b", "Ask Gemma 3 27B")
	gemma.Resources = orbit.Resources{Model: "gemma-3-27b", GPUMemory: 60 * orbit.GiB}
	// 27.4 billion weights of two bytes (bf16) are 51 GiB. Five of six layers keep only 1024 tokens, so that 65536
	// tokens of context take about 5 GiB; the rest is room for what a step computes.
	return []*satellite.Spec{deepseek, gemma}
}

var fullName = regexp.MustCompile(`^[a-z0-9][a-z0-9_-]{0,62}/[a-z0-9][a-z0-9_-]{0,62}$`)

// Configured describes a model satellite that only a configuration knows. memory is what the model needs on one device, where
// work for it is to be queued by that; 0: nothing.
func Configured(name string, memory orbit.Bytes) (*satellite.Spec, error) {
	if !fullName.MatchString(name) {
		return nil, fmt.Errorf("%q is no name of a satellite; write project/name, each of a-z, 0-9, hyphens and underscores", name)
	}
	spec := describe(name, "Ask "+name)
	spec.Kind = "configured"
	spec.Resources = orbit.Resources{Model: name, GPUMemory: memory}
	return spec, nil
}

func describe(name, title string) *satellite.Spec {
	set := schema.MustRead(specFiles, "spec/model.json")
	return &satellite.Spec{
		Name:  name,
		Kind:  "exosphere",
		Title: title,
		Description: "Sends a prompt, or a conversation in messages, to the model and returns its answer in the field text, without its reasoning, " +
			"and in usage the tokens that it took, where the server tells. With output-format json the model must answer with an object that fits " +
			"output-schema, and that object is what is returned. The server is asked to enforce the schema where it can; else the schema goes " +
			"into the prompt. Either way the answer is checked, and one that does not fit is sent back to the model once, with what is wrong with it. " +
			"The tokens of each item stand in the run's log.\n\n" +
			"It runs on nodes whose `models:` section names an OpenAI-compatible endpoint for it: vLLM, SGLang, llama.cpp's server, Ollama, TGI, or a " +
			"hosted service. Where prompt and max-tokens together are more than the model has room for, max-tokens is reduced to what is left.",
		Config:      set.Config,
		Input:       set.Input,
		Output:      set.Output,
		PrimaryText: "text",
		Pool:        orbit.ModelPool(name),
		Timeout:     timeout,
		BundleHint:  1, // an answer takes seconds to minutes: nothing is gained by committing several together
		Failures: []orbit.SatelliteFailure{
			{Code: string(orbit.CodeUnavailable), Retried: true, When: "the endpoint cannot be reached, is overloaded (429, 503), answers 5xx or breaks off; the wait that it asks for is heeded"},
			{Code: string(orbit.CodeTooLarge), When: "the prompt is longer than the model's context, or JSON was cut off at max-tokens"},
			{Code: string(orbit.CodeRejected), When: "the answer, asked for twice, does not fit output-schema, or the endpoint refuses the request"},
			{Code: string(orbit.CodeTimeout), Retried: true, When: "no byte has come from the endpoint for its idle-timeout"},
			{Code: string(orbit.CodeDenied), When: "the endpoint refuses the key that the node's configuration gives it"},
			{Code: string(orbit.CodeNotFound), When: "the endpoint does not have the model"},
			{Code: string(orbit.CodeInvalidConfig), When: "output-schema cannot be read"},
			{Code: string(orbit.CodeInvalidInput), When: "there is neither a prompt nor a conversation"},
		},
		Example: "uses: satellite/" + name + "\n" +
			"identifier: ask\n" +
			"config:\n" +
			"  temperature: 0.2\n" +
			"  max-tokens: 1024\n" +
			"  output-format: json\n" +
			"  output-schema: '{\"company\": string, \"revenue\": number}'\n" +
			"input:\n" +
			"  prompt: \"Which company is this about, and what was its revenue in millions? ${{ trigger.payload.text }}\"\n",
	}
}
