package schema_test

import (
	"encoding/json"
	"fmt"
	"math"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/exospherehost/orbit/satellite/schema"
)

func Example() {
	s, _ := schema.Compile(json.RawMessage(`{"properties": {"method": {"enum": ["POST", "GET"]}}, "required": ["url"]}`))
	for _, v := range s.Check(map[string]any{"method": "SEND"}) {
		fmt.Println(v)
	}
	// Output:
	// method must be one of POST, GET
	// url is required
}

func TestCheckSaysWhatMustBeDifferent(t *testing.T) {
	for name, c := range map[string]struct {
		schema string
		value  any
		want   []string // path: message
	}{
		"a value that fits":        {`{"type": "object"}`, map[string]any{"a": 1}, nil},
		"an empty schema":          {``, 7, nil},
		"no schema, in JSON":       {`null`, 7, nil},
		"an int is a number":       {`{"type": "number"}`, 7, nil},
		"a whole float":            {`{"type": "integer"}`, 7.0, nil},
		"wrong type":               {`{"type": "number"}`, "7", []string{": must be a number, not a string"}},
		"several types":            {`{"type": ["string", "null", "object"]}`, []any{}, []string{": must be null, a string or a map, not a list"}},
		"an integer":               {`{"type": "integer"}`, 1.5, []string{": must be a whole number, not a number"}},
		"a boolean":                {`{"properties": {"on": {"type": "boolean"}}}`, map[string]any{"on": "yes"}, []string{"on: must be true or false, not a string"}},
		"a value of a list":        {`{"enum": ["a", "b", 3]}`, "c", []string{": must be one of a, b, 3"}},
		"the only value":           {`{"const": "a"}`, "c", []string{": must be a"}},
		"unknown keys":             {`{"properties": {"a": {}}, "additionalProperties": false}`, map[string]any{"x": 1, "b": 2}, []string{"b: is an unknown key", "x: is an unknown key"}},
		"an unevaluated key":       {`{"properties": {"a": {}}, "unevaluatedProperties": false}`, map[string]any{"x": 1}, []string{"x: is not allowed here"}},
		"missing keys":             {`{"required": ["b", "a"]}`, map[string]any{}, []string{"a: is required", "b: is required"}},
		"a missing key below":      {`{"properties": {"l": {"items": {"required": ["a"]}}}}`, map[string]any{"l": []any{map[string]any{}}}, []string{"l.0.a: is required"}},
		"a key that needs another": {`{"dependentRequired": {"a": ["b"]}}`, map[string]any{"a": 1}, []string{"b: is required where a is given"}},
		"too small":                {`{"minimum": 0}`, -1, []string{": must be 0 or more"}},
		"too large":                {`{"maximum": 2.5}`, 3, []string{": must be 2.5 or less"}},
		"an empty string":          {`{"minLength": 1}`, "", []string{": must not be empty"}},
		"an empty list":            {`{"minItems": 1}`, []any{}, []string{": must not be an empty list"}},
		"twice the same":           {`{"uniqueItems": true}`, []any{1, 2, 1}, []string{": must not have the same entry twice (entries 1 and 3)"}},
		"a duration":               {`{"format": "go-duration"}`, "30", []string{": must be a duration such as 500ms, 30s or 5m"}},
		"a negative duration":      {`{"format": "go-duration"}`, "-3s", []string{": must be a duration such as 500ms, 30s or 5m"}},
		"a URL":                    {`{"format": "http-url"}`, "ftp://a/b", []string{": must be a URL such as https://example.com/path"}},
		"a pattern":                {`{"pattern": "^a$"}`, "b", []string{": must match the pattern ^a$"}},
		"a pattern in words":       {`{"pattern": "^a$", "x-message": "must be the first letter"}`, "b", []string{": must be the first letter"}},
		"all of several":           {`{"allOf": [{"required": ["a"]}, {"required": ["b"]}]}`, map[string]any{}, []string{"a: is required", "b: is required"}},
		"none that is wanted":      {`{"contains": {"type": "string"}}`, []any{1}, []string{": does not fit: no items match contains schema"}},
		"a definition":             {`{"$ref": "#/$defs/n", "$defs": {"n": {"type": "string"}}}`, 1, []string{": must be a string, not a number"}},
		"an infinite number":       {`{"properties": {"t": {"maximum": 2}}}`, map[string]any{"t": math.Inf(1)}, []string{"t: must be a finite number"}},
	} {
		t.Run(name, func(t *testing.T) { check(t, c.schema, c.value, c.want) })
	}
}

func TestCheckPicksTheAlternativeThatWasMeant(t *testing.T) {
	for name, c := range map[string]struct {
		schema string
		value  any
		want   []string
	}{
		"one of two keys": {`{"anyOf": [{"required": ["prompt"]}, {"required": ["messages"]}]}`, map[string]any{},
			[]string{": needs prompt or messages"}},
		"one of two groups of keys": {`{"anyOf": [{"required": ["uri"]}, {"required": ["bucket", "path"]}]}`, map[string]any{},
			[]string{": needs uri or bucket together with path"}},
		"one of two types": {`{"anyOf": [{"type": "string"}, {"type": "number"}]}`, []any{},
			[]string{": must be a string or a number, not a list"}},
		"one of several values": {`{"anyOf": [{"const": "a"}, {"enum": ["b", "c"]}]}`, "d",
			[]string{": must be one of a, b, c"}},
		"the branch of its type": {`{"anyOf": [{"type": "string"}, {"type": "object", "required": ["env"]}]}`, map[string]any{},
			[]string{"env: is required"}},
		"the branch with the fewest faults": {`{"oneOf": [{"required": ["a", "b"], "properties": {"n": {"type": "string"}}}, {"properties": {"n": {"type": "boolean"}}}]}`,
			map[string]any{"n": 1}, []string{"n: must be true or false, not a number"}},
		"two that exclude each other": {`{"oneOf": [{"required": ["a"]}, {"required": ["b"]}]}`, map[string]any{"a": 1, "b": 1},
			[]string{": fits several forms that exclude each other; keep the keys of one"}},
		"in the schema's own words": {`{"not": {"required": ["a", "b"]}, "x-message": "takes a or b, not both"}`, map[string]any{"a": 1, "b": 1},
			[]string{": takes a or b, not both"}},
	} {
		t.Run(name, func(t *testing.T) { check(t, c.schema, c.value, c.want) })
	}
}

func TestCompileRefusesWhatIsNoSchema(t *testing.T) {
	for name, text := range map[string]string{
		"no JSON":          `{"type": `,
		"an unknown type":  `{"type": "text"}`,
		"a schema far off": `{"$ref": "https://example.com/a.json"}`,
		"a file":           `{"$ref": "file:///etc/hosts"}`,
	} {
		t.Run(name, func(t *testing.T) {
			if _, err := schema.Compile(json.RawMessage(text)); err == nil {
				t.Fatalf("Compile(%s) found nothing wrong", text)
			}
		})
	}
}

func check(t *testing.T, text string, value any, want []string) {
	t.Helper()
	s, err := schema.Compile(json.RawMessage(text))
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, v := range s.Check(value) {
		got = append(got, strings.Join(v.Path, ".")+": "+v.Message)
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("Check (-want +got):\n%s", d)
	}
}
