package schema

import (
	"slices"
	"strings"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/santhosh-tekuri/jsonschema/v6/kind"
)

// failure is a violation together with what is needed to weigh it against those of other alternatives.
type failure struct {
	Violation
	kind jsonschema.ErrorKind
}

// flatten turns the library's tree of errors into a list: groups are opened, alternatives reduced to the likeliest one.
func (s *Schema) flatten(e *jsonschema.ValidationError) []failure {
	if message, ok := s.ownMessage(e); ok {
		return []failure{{Violation{slices.Clone(e.InstanceLocation), message}, e.ErrorKind}}
	}
	switch k := e.ErrorKind.(type) {
	case *kind.AnyOf:
		return s.alternatives(e)
	case *kind.OneOf:
		if len(k.Subschemas) == 0 {
			return s.alternatives(e)
		}
	case *kind.AdditionalProperties:
		return each(e, k.Properties, "is an unknown key")
	case *kind.Required:
		return each(e, k.Missing, "is required")
	case *kind.Dependency:
		return each(e, k.Missing, "is required where "+k.Prop+" is given")
	case *kind.DependentRequired:
		return each(e, k.Missing, "is required where "+k.Prop+" is given")
	case *kind.PropertyNames:
		return each(e, []string{k.Property}, "is no name that is allowed here")
	case *kind.Contains, *kind.MinContains, *kind.ContentSchema: // its causes speak of elements that may well be right
	default:
		if len(e.Causes) > 0 {
			return s.flattenAll(e.Causes)
		}
	}
	return []failure{{Violation{slices.Clone(e.InstanceLocation), sentence(e.ErrorKind)}, e.ErrorKind}}
}

func (s *Schema) flattenAll(causes []*jsonschema.ValidationError) []failure {
	var out []failure
	for _, c := range causes {
		out = append(out, s.flatten(c)...)
	}
	return out
}

// each makes one failure for each key of the value at e.
func each(e *jsonschema.ValidationError, keys []string, message string) []failure {
	out := make([]failure, len(keys))
	for i, key := range keys {
		out[i] = failure{Violation{append(slices.Clone(e.InstanceLocation), key), message}, e.ErrorKind}
	}
	return out
}

// alternatives says what a value needs that fits none of several schemas. Where all ask for the same sort of thing, it
// names all; else it tells what is missing from the one that the value comes closest to.
func (s *Schema) alternatives(e *jsonschema.ValidationError) []failure {
	branches := make([][]failure, len(e.Causes))
	for i, c := range e.Causes {
		branches[i] = s.flatten(c)
	}
	for _, merge := range []func(*jsonschema.ValidationError, [][]failure) (string, bool){mergeRequired, mergeTypes, mergeValues} {
		if message, ok := merge(e, branches); ok {
			return []failure{{Violation{slices.Clone(e.InstanceLocation), message}, e.ErrorKind}}
		}
	}
	at := len(e.InstanceLocation)
	return slices.MinFunc(branches, func(a, b []failure) int {
		if wa, wb := wrongSort(a, at), wrongSort(b, at); wa != wb {
			return wa - wb
		}
		return len(a) - len(b)
	})
}

// wrongSort is 1 where the value itself is of a type or has a value that the branch cannot take at all.
func wrongSort(branch []failure, depth int) int {
	for _, f := range branch {
		switch f.kind.(type) {
		case *kind.Type, *kind.Const, *kind.Enum:
			if len(f.Path) == depth {
				return 1
			}
		}
	}
	return 0
}

// mergeRequired: every branch only misses keys of the value itself.
func mergeRequired(e *jsonschema.ValidationError, branches [][]failure) (string, bool) {
	var needs []string
	for _, branch := range branches {
		var keys []string
		for _, f := range branch {
			if _, ok := f.kind.(*kind.Required); !ok || len(f.Path) != len(e.InstanceLocation)+1 {
				return "", false
			}
			keys = append(keys, f.Path[len(f.Path)-1])
		}
		needs = append(needs, strings.Join(keys, " together with "))
	}
	return "needs " + list(needs, "or"), true
}

// mergeTypes: every branch wants another type.
func mergeTypes(e *jsonschema.ValidationError, branches [][]failure) (string, bool) {
	all := kind.Type{}
	for _, branch := range branches {
		t, ok := branch[0].kind.(*kind.Type)
		if !ok || len(branch) != 1 || len(branch[0].Path) != len(e.InstanceLocation) {
			return "", false
		}
		all.Got, all.Want = t.Got, append(all.Want, t.Want...)
	}
	return sentence(&all), true
}

// mergeValues: every branch wants another fixed value.
func mergeValues(e *jsonschema.ValidationError, branches [][]failure) (string, bool) {
	all := kind.Enum{}
	for _, branch := range branches {
		if len(branch) != 1 || len(branch[0].Path) != len(e.InstanceLocation) {
			return "", false
		}
		switch k := branch[0].kind.(type) {
		case *kind.Enum:
			all.Want = append(all.Want, k.Want...)
		case *kind.Const:
			all.Want = append(all.Want, k.Want)
		default:
			return "", false
		}
	}
	return sentence(&all), true
}
