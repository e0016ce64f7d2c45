package cluster_test

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// TestEachCodeIsToldByAFileOfTheTests: there is no code that nothing shows at work, with its place and its sentence.
func TestEachCodeIsToldByAFileOfTheTests(t *testing.T) {
	files, err := filepath.Glob("testdata/*.txtar")
	if err != nil {
		t.Fatal(err)
	}
	var told strings.Builder
	for _, name := range append(files, "limits_test.go") {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		told.Write(text)
	}
	codes, err := os.ReadFile("codes.go")
	if err != nil {
		t.Fatal(err)
	}
	all := regexp.MustCompile(`ORB-C\d{3}`).FindAllString(string(codes), -1)
	if len(all) < 40 {
		t.Fatalf("only %d codes were found in codes.go", len(all))
	}
	for _, code := range all {
		if !regexp.MustCompile(`\d+:\d+ (error|warning) ` + code + ` `).MatchString(told.String()) {
			t.Errorf("no file shows %s", code)
		}
	}
}
