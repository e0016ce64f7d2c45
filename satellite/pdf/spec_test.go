package pdf

import (
	"bytes"
	"encoding/json"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/exospherehost/orbit/satellite"
)

// compiled gives a schema of a spec, or fails.
func compiled(t *testing.T, text json.RawMessage) *jsonschema.Schema {
	t.Helper()
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	c := jsonschema.NewCompiler()
	if err := c.AddResource("schema.json", doc); err != nil {
		t.Fatal(err)
	}
	schema, err := c.Compile("schema.json")
	if err != nil {
		t.Fatal(err)
	}
	return schema
}

func TestBothNamesAreRegisteredWithTheirOwnDefault(t *testing.T) {
	r, err := satellite.NewRegistry(shared.Satellites()...)
	if err != nil {
		t.Fatal(err)
	}
	for name, format := range map[string]string{"parse-with-docling": "json", "parse-pdf-with-docling": "markdown-string"} {
		spec, ok := r.Lookup("satellite/exospherehost/" + name)
		if !ok {
			t.Fatalf("%s is not registered", name)
		}
		var config struct {
			Properties map[string]struct{ Default any }
		}
		if err := json.Unmarshal(spec.Config, &config); err != nil {
			t.Fatal(err)
		}
		same(t, config.Properties["output-format"].Default, any(format))
		same(t, config.Properties["language"].Default, any("en"))
	}
}

func TestConfigSchemaTakesWhatIsDocumentedAndNothingElse(t *testing.T) {
	config := compiled(t, shared.Satellites()[0].Spec().Config)
	for text, good := range map[string]bool{
		`{}`: true,
		`{"file-path":"s3://b/k.pdf","language":"de","output-format":"text","extract-images":true,"secrets":{"AWS_ACCESS_KEY":"x"}}`: true,
		`{"output-format":"html"}`: false,
		`{"file":"a.pdf"}`:         false,
		`{"extract-images":"yes"}`: false,
	} {
		v, err := jsonschema.UnmarshalJSON(bytes.NewReader([]byte(text)))
		if err != nil {
			t.Fatal(err)
		}
		if err := config.Validate(v); (err == nil) != good {
			t.Errorf("%s: %v", text, err)
		}
	}
}

func TestOutputsFitTheirSchema(t *testing.T) {
	output := compiled(t, shared.Satellites()[0].Spec().Output)
	for _, format := range []string{"json", "markdown", "text"} {
		got, err := reads(t, newSheet(text(50, 800, 10, "One")).bytes(), map[string]any{"output-format": format})
		if err != nil {
			t.Fatal(err)
		}
		if err := output.Validate(got); err != nil {
			t.Errorf("%s: %v", format, err)
		}
	}
	compiled(t, shared.Satellites()[0].Spec().Input)
}
