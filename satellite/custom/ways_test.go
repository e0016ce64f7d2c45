package custom_test

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"go.uber.org/goleak"

	"github.com/exospherehost/orbit"
	"github.com/exospherehost/orbit/satellite"
	"github.com/exospherehost/orbit/satellite/conformance"
	"github.com/exospherehost/orbit/satellite/custom"
)

func TestMain(m *testing.M) {
	if len(os.Args) > 1 && os.Args[1] == "count-words" {
		countWords()
		return
	}
	goleak.VerifyTestMain(m)
}

// One satellite in each way: it counts the words of a text, and at least one.
const described = `
name: acme/word-count
title: Count words
config: {type: object, additionalProperties: false, properties: {token: {type: string}, unit: {type: integer}}}
input: {type: object, required: [text], properties: {text: {type: string}}}
output: {type: object, required: [words], properties: {words: {type: integer}}}
secret-fields: [config.token]
`

type item struct {
	ID     string         `json:"id"`
	Config map[string]any `json:"config"`
	Input  any            `json:"input"`
}

// count gives the words of an item, or why there are none.
func count(it item) (words int, fault string) {
	m, _ := it.Input.(map[string]any)
	text, ok := m["text"].(string)
	if !ok || text == "" {
		return 0, "there is no text"
	}
	return len(strings.Fields(text)), ""
}

// countWords is the program.
func countWords() {
	fmt.Println(`{"orbit": 1}`)
	in := bufio.NewReader(os.Stdin)
	for {
		line, err := in.ReadBytes('\n')
		if err != nil {
			return
		}
		var it item
		if err := json.Unmarshal(line, &it); err != nil {
			os.Exit(1)
		}
		words, fault := count(it)
		fmt.Fprintln(os.Stderr, "counted", words)
		if fault != "" {
			fmt.Printf("{\"id\": %q, \"error\": {\"code\": \"invalid_input\", \"message\": %q}}\n", it.ID, fault)
			continue
		}
		fmt.Printf("{\"id\": %q, \"emit\": {\"words\": %d}}\n{\"id\": %q, \"done\": true}\n", it.ID, words, it.ID)
	}
}

// countOverHTTP is the service.
func countOverHTTP(w http.ResponseWriter, r *http.Request) {
	var it item
	if err := json.NewDecoder(r.Body).Decode(&it); err != nil {
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	words, fault := count(it)
	if fault != "" {
		w.WriteHeader(http.StatusUnprocessableEntity)
		fmt.Fprintf(w, `{"error": {"code": "invalid_input", "message": %q}}`, fault)
		return
	}
	fmt.Fprintf(w, `{"outputs": [{"words": %d}]}`, words)
}

// inProcess is the Go type; a preset is made over it.
type inProcess struct{ spec *satellite.Spec }

func (g *inProcess) Spec() *satellite.Spec { return g.spec }

func (g *inProcess) Run(ctx context.Context, inv *satellite.Invocation, emit satellite.Emit) error {
	words, fault := count(item{Config: inv.Config, Input: inv.Input})
	if fault != "" {
		return orbit.Permanent(orbit.CodeInvalidInput, "%s", fault)
	}
	return emit(orbit.MustObject(map[string]any{"words": words}))
}

func TestEveryWayKeepsTheContract(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(countOverHTTP))
	defer server.Close()
	self, err := json.Marshal(os.Args[0])
	if err != nil {
		t.Fatal(err)
	}
	counter := described + "command: [" + string(self) + ", count-words]\nprocesses: 2\n"
	d, err := custom.Read(folder(t, map[string]string{"satellite.yml": counter}), registry(t))
	if err != nil {
		t.Fatal(err)
	}
	inGo := *d.Spec
	inGo.Name = "acme/in-go"
	for way, text := range map[string]string{
		"program": counter,
		"HTTP":    described + "url: " + server.URL + "\n",
		"preset":  "name: acme/word-count\npreset: {uses: acme/in-go, config: {unit: 1}}\n",
	} {
		t.Run(way, func(t *testing.T) {
			r := registry(t)
			if err := r.Add(&inProcess{&inGo}); err != nil {
				t.Fatal(err)
			}
			dir := folder(t, map[string]string{"satellite.yml": text})
			if err := os.Mkdir(filepath.Join(dir, conformance.Folder), 0o700); err != nil {
				t.Fatal(err)
			}
			for name, example := range map[string]string{"two": `{"config": {"token": "t"}, "input": {"text": "good morning"}, "output": [{"words": 2}]}`,
				"none": `{"input": {"text": ""}, "error": {"code": "invalid_input", "retry": false}}`} {
				if err := os.WriteFile(filepath.Join(dir, conformance.Folder, name+".json"), []byte(example), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			set, err := custom.OpenAll([]string{dir}, r)
			if err != nil {
				t.Fatal(err)
			}
			defer set.Close()
			examples, err := conformance.ReadExamples(dir)
			if err != nil {
				t.Fatal(err)
			}
			for _, c := range conformance.Run(t.Context(), set.Satellites[0], examples, conformance.Options{}) {
				if c.Err != nil || c.Note != "" {
					t.Errorf("%s: %v %s", c.Name, c.Err, c.Note)
				}
			}
		})
	}
}
