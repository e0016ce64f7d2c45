package llm

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"sync"

	"github.com/exospherehost/orbit/satellite/schema"
)

// wanted is what an answer in JSON must be.
type wanted struct {
	schema  json.RawMessage
	checked *schema.Schema
	// strict: the schema is of the kind that OpenAI enforces to the letter, where every object names all its keys and requires
	// each. With any other a strict request is refused: https://platform.openai.com/docs/guides/structured-outputs.
	strict bool
}

// maxSchemas bounds what is remembered: a node runs few steps at a time.
const maxSchemas = 64

// schemas keeps schemas that were read, by what the config says.
type schemas struct {
	mu   sync.Mutex
	read map[string]*wanted
}

// wanted reads the output-schema of a config.
func (s *schemas) wanted(config any) (*wanted, error) {
	key, err := json.Marshal(config)
	if err != nil {
		return nil, fmt.Errorf("output-schema cannot be read: %w", err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if w := s.read[string(key)]; w != nil {
		return w, nil
	}
	raw, err := OutputSchema(config)
	if err != nil {
		return nil, err
	}
	checked, err := schema.Compile(raw)
	if err != nil {
		return nil, err // OutputSchema has compiled it: this is not reached
	}
	var root any
	if err := json.Unmarshal(raw, &root); err != nil {
		return nil, err
	}
	if s.read == nil || len(s.read) >= maxSchemas {
		s.read = map[string]*wanted{}
	}
	w := &wanted{schema: raw, checked: checked, strict: isStrict(root)}
	s.read[string(key)] = w
	return w, nil
}

// isStrict tells whether every object in a schema is closed and requires all its keys.
func isStrict(node any) bool {
	switch node := node.(type) {
	case []any:
		return !slices.ContainsFunc(node, func(e any) bool { return !isStrict(e) })
	case map[string]any:
		if node["type"] == "object" || node["properties"] != nil {
			properties, _ := node["properties"].(map[string]any)
			required, _ := node["required"].([]any)
			if node["additionalProperties"] != false || len(required) != len(properties) {
				return false
			}
			return !slices.ContainsFunc(slices.Collect(maps.Values(properties)), func(e any) bool { return !isStrict(e) })
		}
		return !slices.ContainsFunc(slices.Collect(maps.Values(node)), func(e any) bool { return !isStrict(e) })
	}
	return true
}
