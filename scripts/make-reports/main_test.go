package main

import (
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
	"testing"

	"github.com/itchyny/gojq"
	"gopkg.in/yaml.v3"

	"github.com/exospherehost/orbit"
	"github.com/exospherehost/orbit/scripts/make-reports/report"
)

// query takes the jq program out of the example's cluster.
func query(t *testing.T) *gojq.Code {
	t.Helper()
	data, err := os.ReadFile("../../examples/quarterly-reports/cluster.yml")
	if err != nil {
		t.Fatal(err)
	}
	var file struct {
		Cluster struct {
			Satellites []struct {
				Identifier string
				Config     struct{ Query string }
			}
		}
	}
	if err := yaml.Unmarshal(data, &file); err != nil {
		t.Fatal(err)
	}
	for _, s := range file.Cluster.Satellites {
		if s.Identifier != "extract" {
			continue
		}
		q, err := gojq.Parse(s.Config.Query)
		if err != nil {
			t.Fatal(err)
		}
		code, err := gojq.Compile(q)
		if err != nil {
			t.Fatal(err)
		}
		return code
	}
	t.Fatal("cluster.yml has no satellite `extract`")
	return nil
}

func TestExampleFindsTheFiguresOfEveryReadableReport(t *testing.T) {
	code, parsePDF := query(t), reader(t)
	for _, r := range report.All() {
		document, err := read(t.Context(), parsePDF, r)
		if r.Damaged {
			if fault := (*orbit.Error)(nil); !errors.As(err, &fault) || fault.Retryable {
				t.Errorf("%s is damaged, but reading it gives the error %v, want one that is not worth a retry", r.File, err)
			}
			continue
		}
		if err != nil {
			t.Errorf("%s: %v", r.File, err)
			continue
		}
		if pages := fmt.Sprint(document["pages"]); pages != strconv.Itoa(r.Pages) {
			t.Errorf("%s has %s pages, want %d", r.File, pages, r.Pages)
		}
		got, _ := code.Run(map[string]any{"markdown": document["markdown"], "file-name": document["file-name"]}).Next()
		object, ok := got.(map[string]any)
		if !ok {
			t.Errorf("%s: %v", r.File, got)
			continue
		}
		want := r.Expected()
		for key, value := range want {
			if object[key] != value {
				t.Errorf("%s: %s is %v, want %v", r.File, key, object[key], value)
			}
		}
		if len(object) != len(want) {
			t.Errorf("%s: got %d keys, want %d: %v", r.File, len(object), len(want), object)
		}
	}
}

func TestExampleSaysWhatItDidNotFind(t *testing.T) {
	const title = "# Quarterly report of Nobody & Sons for Q1 2025\n"
	for markdown, want := range map[string]string{
		"Revenue 1.0\nNet income 1.0\nGross profit 1.0\nOperating income 1.0": "no line",
		"":                              `no amount after "revenue" in a.pdf`,
		title + "Revenue rose.":         `no amount after "revenue" in a.pdf`,
		title + "Revenue 12.0 and more": `no amount after "net income" in a.pdf`,
	} {
		got, _ := query(t).Run(map[string]any{"markdown": markdown, "file-name": "a.pdf"}).Next()
		if err, ok := got.(error); !ok || !strings.Contains(err.Error(), want) {
			t.Errorf("for %q the query gives %v, want an error with %q", markdown, got, want)
		}
	}
}

func TestExampleReadsTablesInMarkdown(t *testing.T) {
	const markdown = "# Quarterly report of Nobody & Sons for Q1 2025\n\n| | Q1 2025 | Q1 2024 |\n|---|---:|---:|\n" +
		"| **Revenue** | 1,012.0 | 990.1 |\n| Gross profit | 7.5 | 7.0 |\n| Operating income | (0.5) | 1.0 |\n| Net income | -2.25 | 0.1 |\n"
	got, _ := query(t).Run(map[string]any{"markdown": markdown, "file-name": "a.pdf"}).Next()
	object, ok := got.(map[string]any)
	if !ok {
		t.Fatal(got)
	}
	for key, want := range map[string]any{"revenue": 1012.0, "gross-profit": 7.5, "operating-income": -0.5, "net-income": -2.25} {
		if v, _ := object[key].(float64); v != want {
			t.Errorf("%s is %v, want %v", key, object[key], want)
		}
	}
}
