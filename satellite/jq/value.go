package jq

import (
	"math"

	"github.com/exospherehost/orbit"
)

// private copies the containers of a value: gojq writes into those it is given, and the input may be shared with items
// that run at the same time.
func private(v any) any {
	switch v := v.(type) {
	case []any:
		out := make([]any, len(v))
		for i, e := range v {
			out[i] = private(e)
		}
		return out
	case map[string]any:
		out := make(map[string]any, len(v))
		for k, e := range v {
			out[k] = private(e)
		}
		return out
	}
	return v
}

// wrap makes an object of what a program emitted.
func wrap(v any) (orbit.Object, error) {
	if _, isMap := v.(map[string]any); !isMap {
		v = map[string]any{"value": v}
	}
	object, err := orbit.NewObject(v)
	if err != nil {
		object, err = orbit.NewObject(finite(v)) // numbers that JSON has not are rare; only now are they worth a look
	}
	if err != nil {
		return nil, orbit.Permanent(orbit.CodeInvalidInput, "jq: the program emitted a value that is no JSON: %v", err)
	}
	return object, nil
}

// finite replaces NaN and the infinities as jq prints them.
func finite(v any) any {
	switch v := v.(type) {
	case float64:
		switch {
		case math.IsNaN(v):
			return nil
		case math.IsInf(v, 0):
			return math.Copysign(math.MaxFloat64, v)
		}
	case []any:
		out := make([]any, len(v))
		for i, e := range v {
			out[i] = finite(e)
		}
		return out
	case map[string]any:
		out := make(map[string]any, len(v))
		for k, e := range v {
			out[k] = finite(e)
		}
		return out
	}
	return v
}
