package files

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/exospherehost/orbit/satellite"
)

// schema compiles a JSON Schema of a description.
func schema(t *testing.T, text json.RawMessage) *jsonschema.Schema {
	t.Helper()
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	c := jsonschema.NewCompiler()
	if err := c.AddResource("test.json", doc); err != nil {
		t.Fatal(err)
	}
	s, err := c.Compile("test.json")
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// fits checks a value, brought to JSON first, against a schema.
func fits(t *testing.T, text json.RawMessage, v any) error {
	t.Helper()
	data, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	return schema(t, text).Validate(doc)
}

func TestDescriptionsAreComplete(t *testing.T) {
	all := Satellites(NewOpener(nil))
	if _, err := satellite.NewRegistry(all...); err != nil {
		t.Fatal(err)
	}
	if len(all) != 6 {
		t.Errorf("%d satellites", len(all))
	}
	for _, s := range all {
		spec := s.Spec()
		if spec.Title == "" || spec.Description == "" || spec.Timeout == 0 || spec.BundleHint == 0 || spec.Example == "" || len(spec.Failures) == 0 ||
			spec.GivesFiles == strings.Contains(spec.Name, "delete") {
			t.Errorf("%s: incomplete", spec.Name)
		}
		for _, part := range []json.RawMessage{spec.Config, spec.Output} {
			var doc struct {
				Additional *bool `json:"additionalProperties"`
				Properties map[string]struct{ Description string }
			}
			if err := json.Unmarshal(part, &doc); err != nil {
				t.Fatal(err)
			}
			if doc.Additional == nil || *doc.Additional {
				t.Errorf("%s: a schema takes unknown fields", spec.Name)
			}
			for name, p := range doc.Properties {
				if p.Description == "" {
					t.Errorf("%s: %s has no description", spec.Name, name)
				}
			}
		}
	}
}

func TestConfigSchemasTakeWhatTheSatellitesTake(t *testing.T) {
	for _, c := range []struct {
		satellite string
		config    config
		ok        bool
	}{
		{"get-files", config{"provider": "file", "folder-path": "/in", "recursive": true, "extension": "pdf"}, true},
		{"get-files", config{"provider": "gcs", "bucket": "b"}, true},
		{"get-files", config{"folder-path": "/in"}, false},
		{"get-files", config{"provider": "dropbox", "folder-path": "/in"}, false},
		{"get-files", config{"provider": "file", "folder": "/in"}, false},
		{"get-files", config{"provider": "file", "folder-path": "/in", "recursive": "yes"}, false},
		{"get-files-from-s3", config{"bucket": "b", "prefix": "sec", "recursive": true, "extension": "pdf", "secrets": keys()}, true},
		{"get-files-from-s3", config{"provider": "s3", "bucket": "b", "allowed-extensions": []any{"pdf"}, "exclude-folders": []any{"old"}}, true},
		{"get-files-from-s3", config{"bucket": "b", "secrets": map[string]any{"AWS_ACCESS_KEY": 1}}, false},
		{"put-files", config{"folder-path": "/out", "file-name": "a.json", "format": "jsonl", "provider": "file"}, true},
		{"put-files", config{"folder-path": "/out"}, false},
		{"put-files", config{"folder-path": "/out", "file-name": "a", "format": "yaml"}, false},
	} {
		err := fits(t, find(t, newOpener(t, ""), c.satellite).Spec().Config, c.config)
		if (err == nil) != c.ok {
			t.Errorf("%s %v: %v", c.satellite, c.config, err)
		}
	}
}

func TestReturnedObjectsFitTheOutputSchemas(t *testing.T) {
	local, err := get(t, config{"folder-path": tree(t, "a.pdf")})
	if err != nil {
		t.Fatal(err)
	}
	remote, err := getS3(t, newFakeS3(t, "a.pdf"), config{"bucket": "bucket"})
	if err != nil {
		t.Fatal(err)
	}
	written, err := put(t, config{"folder-path": t.TempDir(), "file-name": "a.json"}, 1)
	if err != nil {
		t.Fatal(err)
	}
	for name, v := range map[string]any{"get-files": local[0], "get-files-from-s3": remote[0], "put-files": written} {
		if err := fits(t, find(t, newOpener(t, ""), name).Spec().Output, v); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestThePresetDiffersInItsProviderOnly(t *testing.T) {
	var schemas [2]map[string]any
	for i, name := range []string{"get-files", "get-files-from-s3"} {
		if err := json.Unmarshal(find(t, newOpener(t, ""), name).Spec().Config, &schemas[i]); err != nil {
			t.Fatal(err)
		}
	}
	provider := schemas[1]["properties"].(map[string]any)["provider"].(map[string]any)
	if provider["default"] != "aws-s3" || schemas[1]["required"] != nil {
		t.Errorf("the preset's provider is %v, required %v", provider, schemas[1]["required"])
	}
	if len(schemas[0]["properties"].(map[string]any)) != len(schemas[1]["properties"].(map[string]any)) {
		t.Error("the preset has other fields")
	}
}
