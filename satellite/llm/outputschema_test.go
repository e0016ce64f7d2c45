package llm_test

import (
	"strings"
	"testing"

	"github.com/exospherehost/orbit/satellite/llm"
)

func TestOutputSchemaIsAJSONSchemaOrTheShorthand(t *testing.T) {
	const closed = `,"additionalProperties":false}`
	for name, c := range map[string]struct {
		config any
		want   string
	}{
		"none":                  {nil, `{"type":"object"}`},
		"an empty text":         {" \n", `{"type":"object"}`},
		"the introduction's":    {"{\n    \"company\": string, \n    \"net-income\": number,\n}\n", `{"type":"object","properties":{"company":{"type":"string"},"net-income":{"type":"number"}},"required":["company","net-income"]` + closed},
		"keys keep their order": {`{"z": int, "a": bool, "m": text}`, `{"type":"object","properties":{"z":{"type":"integer"},"a":{"type":"boolean"},"m":{"type":"string"}},"required":["z","a","m"]` + closed},
		"lists, maps, unions": {`{rows: [{name: string | null, any: any}], tags: [string], free: object}`,
			`{"type":"object","properties":{"rows":{"type":"array","items":{"type":"object","properties":{"name":{"type":["string","null"]},"any":{}},"required":["name","any"]` + closed +
				`},"tags":{"type":"array","items":{"type":"string"}},"free":{"type":"object"}},"required":["rows","tags","free"]` + closed},
		"the shorthand as JSON":              {`{"a": "string"}`, `{"type":"object","properties":{"a":{"type":"string"}},"required":["a"]` + closed},
		"the shorthand as a map":             {fields{"b": "number", "a": "string"}, `{"type":"object","properties":{"a":{"type":"string"},"b":{"type":"number"}},"required":["a","b"]` + closed},
		"a field named type":                 {fields{"type": "string", "name": "string"}, `{"type":"object","properties":{"name":{"type":"string"},"type":{"type":"string"}},"required":["name","type"]` + closed},
		"fields that are keywords":           {`{type: object, title: string}`, `{"type":"object","properties":{"type":{"type":"object"},"title":{"type":"string"}},"required":["type","title"]` + closed},
		"a JSON Schema as a map":             {fields{"type": "object", "required": []any{"a"}, "properties": fields{"a": fields{"type": "string"}}}, `{"properties":{"a":{"type":"string"}},"required":["a"],"type":"object"}`},
		"a JSON Schema as text":              {"{\"type\": \"object\",\n \"properties\": {\"b\": {}, \"a\": {}}}", `{"type":"object","properties":{"b":{},"a":{}}}`},
		"a JSON Schema in YAML":              {"type: object\nproperties:\n  a: {type: string}\n", `{"properties":{"a":{"type":"string"}},"type":"object"}`},
		"a JSON Schema that only says so":    {fields{"type": "object"}, `{"type":"object"}`},
		"a JSON Schema by its keyword":       {`{"anyOf": [{"type": "object"}]}`, `{"anyOf":[{"type":"object"}]}`},
		"a JSON Schema without a type":       {`{"properties": {"a": {"type": "string"}}}`, `{"properties":{"a":{"type":"string"}}}`},
		"the shorthand in lines":             {"a: string\nb:\n  c: number\n", `{"type":"object","properties":{"a":{"type":"string"},"b":{"type":"object","properties":{"c":{"type":"number"}},"required":["c"]` + closed + `},"required":["a","b"]` + closed},
		"letters of either case, and spaces": {`{a: " String|NULL "}`, `{"type":"object","properties":{"a":{"type":["string","null"]}},"required":["a"]` + closed},
	} {
		got, err := llm.OutputSchema(c.config)
		if err != nil || string(got) != c.want {
			t.Errorf("%s: %v\n%s\nwant\n%s", name, err, got, c.want)
		}
	}
}

func TestAnOutputSchemaThatIsNoneIsToldInASentence(t *testing.T) {
	for name, c := range map[string]struct {
		config any
		want   string
	}{
		"no map":             {"string", "output-schema must describe an object"},
		"a list":             {[]any{"a"}, "output-schema must describe an object"},
		"a number":           {5, "output-schema must describe an object"},
		"an unknown type":    {`{"a": {"b": strin}}`, `output-schema.a.b: "strin" is no type; write string, number, integer, boolean, object, list, any or null`},
		"a value":            {`{"a": 5}`, `output-schema.a: "5" is no type`},
		"a list of two":      {`{"a": [string, number]}`, "output-schema.a: a list holds one type"},
		"a key twice":        {`{"a": string, "a": number}`, `output-schema: the key "a" stands there twice`},
		"no YAML":            {`{"a": string`, "can be read neither as a JSON Schema nor as the shorthand"},
		"an alias":           {"a: &x string\nb: *x\n", "output-schema holds an alias"},
		"a bad JSON Schema":  {fields{"type": "object", "properties": 3}, "output-schema is no JSON Schema: properties must be a map, not a number"},
		"a foreign document": {`{"$ref": "https://example.com/x.json"}`, "output-schema is no JSON Schema: "},
		"a long shorthand":   {"a: string\n" + strings.Repeat("# x\n", 10_000), "output-schema is longer than 32 KiB and no JSON Schema"},
		"a long JSON Schema": {`{"type": "object", "description": "` + strings.Repeat("x", 300<<10) + `"}`, "output-schema is longer than 256 KiB"},
	} {
		if got, err := llm.OutputSchema(c.config); err == nil || !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: %s, %v", name, got, err)
		}
	}
}
