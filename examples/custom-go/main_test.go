package main

import (
	"go/parser"
	"go/token"
	"strings"
	"testing"

	"github.com/exospherehost/orbit"
	"github.com/exospherehost/orbit/satellite/conformance"
)

func TestTheExampleKeepsTheContract(t *testing.T) {
	no := false
	examples := []conformance.Example{
		{Name: "two", Config: map[string]any{}, Input: map[string]any{"text": "good morning"}, Output: []any{map[string]any{"words": 2}}},
		{Name: "few", Config: map[string]any{"least": 3}, Input: map[string]any{"text": "good morning"}, Error: &conformance.Failure{Code: orbit.CodeInvalidInput, Retry: &no}},
	}
	for _, c := range conformance.Run(t.Context(), wordCount{}, examples, conformance.Options{}) {
		if c.Err != nil {
			t.Errorf("%s: %v", c.Name, c.Err)
		}
	}
}

func TestTheExampleImportsOnlyWhatAnotherModuleMay(t *testing.T) {
	file, err := parser.ParseFile(token.NewFileSet(), "main.go", nil, parser.ImportsOnly)
	if err != nil {
		t.Fatal(err)
	}
	for _, imp := range file.Imports {
		if strings.Contains(imp.Path.Value, "/internal/") {
			t.Errorf("it imports %s, which no other module can", imp.Path.Value)
		}
	}
}
