package schema

import (
	"encoding/json"
	"fmt"
	"math/big"
	"slices"
	"strconv"
	"strings"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/santhosh-tekuri/jsonschema/v6/kind"
)

// messageKey is a keyword of a schema that holds the sentence for a value that breaks it, where JSON Schema itself can
// only say that a pattern or a `not` has failed. It stands beside the keyword that fails.
const messageKey = "x-message"

// ownMessage gives the sentence that the failing schema brings along.
func (s *Schema) ownMessage(e *jsonschema.ValidationError) (string, bool) {
	switch e.ErrorKind.(type) {
	case *kind.Pattern, *kind.Not, *kind.AnyOf, *kind.OneOf, *kind.FalseSchema, *kind.Contains, *kind.MinContains:
	default:
		return "", false
	}
	pointer, ok := strings.CutPrefix(e.SchemaURL, location+"#")
	if !ok {
		return "", false
	}
	at := s.document
	for _, token := range strings.Split(pointer, "/")[1:] {
		switch node := at.(type) {
		case map[string]any:
			at = node[unescape.Replace(token)]
		case []any:
			i, err := strconv.Atoi(token)
			if err != nil || i < 0 || i >= len(node) {
				return "", false
			}
			at = node[i]
		}
	}
	node, _ := at.(map[string]any)
	text, ok := node[messageKey].(string)
	return text, ok
}

var unescape = strings.NewReplacer("~1", "/", "~0", "~")

// sentence says what a value must be, in words of YAML rather than of JSON Schema.
func sentence(k jsonschema.ErrorKind) string {
	switch k := k.(type) {
	case *kind.Type:
		want := make([]string, 0, len(k.Want))
		for _, w := range k.Want {
			if !slices.Contains(want, typeName(w)) {
				want = append(want, typeName(w))
			}
		}
		return "must be " + list(want, "or") + ", not " + typeName(k.Got)
	case *kind.Enum:
		if len(k.Want) == 1 {
			return "must be " + show(k.Want[0])
		}
		values := make([]string, len(k.Want))
		for i, w := range k.Want {
			values[i] = show(w)
		}
		return "must be one of " + strings.Join(values, ", ")
	case *kind.Const:
		return "must be " + show(k.Want)
	case *kind.Format:
		return formatMessage(k.Want)
	case *kind.Pattern:
		return "must match the pattern " + k.Want
	case *kind.Minimum:
		return "must be " + number(k.Want) + " or more"
	case *kind.Maximum:
		return "must be " + number(k.Want) + " or less"
	case *kind.ExclusiveMinimum:
		return "must be more than " + number(k.Want)
	case *kind.ExclusiveMaximum:
		return "must be less than " + number(k.Want)
	case *kind.MultipleOf:
		return "must be a multiple of " + number(k.Want)
	case *kind.MinLength:
		if k.Want == 1 {
			return "must not be empty"
		}
		return fmt.Sprintf("must have %d characters or more", k.Want)
	case *kind.MaxLength:
		return fmt.Sprintf("must have %d characters or fewer", k.Want)
	case *kind.MinItems:
		if k.Want == 1 {
			return "must not be an empty list"
		}
		return fmt.Sprintf("must have %d entries or more", k.Want)
	case *kind.MaxItems:
		return fmt.Sprintf("must have %d entries or fewer", k.Want)
	case *kind.MinProperties:
		if k.Want == 1 {
			return "must not be empty"
		}
		return fmt.Sprintf("must have %d keys or more", k.Want)
	case *kind.MaxProperties:
		return fmt.Sprintf("must have %d keys or fewer", k.Want)
	case *kind.UniqueItems:
		return fmt.Sprintf("must not have the same entry twice (entries %d and %d)", k.Duplicates[0]+1, k.Duplicates[1]+1)
	case *kind.FalseSchema, *kind.Not:
		return "is not allowed here"
	case *kind.OneOf:
		return "fits several forms that exclude each other; keep the keys of one"
	case *kind.InvalidJsonValue:
		return fmt.Sprintf("is not JSON (%T)", k.Value)
	}
	return "does not fit: " + (&jsonschema.ValidationError{ErrorKind: k}).BasicOutput().Error.String()
}

// typeName gives a JSON type as a person who writes YAML would say it.
func typeName(t string) string {
	switch t {
	case "object":
		return "a map"
	case "array":
		return "a list"
	case "string":
		return "a string"
	case "number":
		return "a number"
	case "integer":
		return "a whole number"
	case "boolean":
		return "true or false"
	}
	return t // null
}

func show(v any) string {
	if text, ok := v.(string); ok && text != "" {
		return text
	}
	text, err := json.Marshal(v)
	if err != nil {
		return fmt.Sprint(v)
	}
	return string(text)
}

func number(r *big.Rat) string {
	if r.IsInt() {
		return r.Num().String()
	}
	f, _ := r.Float64()
	return strconv.FormatFloat(f, 'g', -1, 64)
}

// list joins words as a sentence does: "a", "a or b", "a, b or c".
func list(words []string, last string) string {
	if len(words) < 2 {
		return strings.Join(words, "")
	}
	return strings.Join(words[:len(words)-1], ", ") + " " + last + " " + words[len(words)-1]
}
