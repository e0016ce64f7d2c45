package report_test

import (
	"bytes"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"testing"

	"github.com/exospherehost/orbit/scripts/make-reports/report"
)

func TestReportsAreTwelveWithOneDamaged(t *testing.T) {
	names, damaged, total := map[string]bool{}, 0, 0
	for _, r := range report.All() {
		names[r.File] = true
		total += len(r.PDF())
		if r.Damaged {
			damaged++
		}
	}
	if len(names) != 12 || damaged != 1 {
		t.Errorf("%d files, %d of them damaged; want 12 and 1", len(names), damaged)
	}
	if total > 400<<10 {
		t.Errorf("the reports take %d bytes, want 400 KiB at most", total)
	}
}

func TestPDFHasTheSameBytesEachTime(t *testing.T) {
	for _, r := range report.All() {
		if !bytes.Equal(r.PDF(), r.PDF()) {
			t.Errorf("%s differs between two calls", r.File)
		}
	}
}

func TestPDFHasItsPagesAndACorrectXref(t *testing.T) {
	page := regexp.MustCompile(`/Type /Page `)
	startxref := regexp.MustCompile(`startxref\n(\d+)\n%%EOF\n$`)
	entry := regexp.MustCompile(`(?m)^(\d{10}) 00000 n $`)
	for _, r := range append(report.All(), report.Many(24)...) {
		pdf := r.PDF()
		if r.Damaged {
			if bytes.HasPrefix(pdf, []byte("%PDF")) || bytes.Contains(pdf, []byte("startxref")) || bytes.Contains(pdf, []byte("/Catalog")) {
				t.Errorf("%s is damaged too little", r.File)
			}
			continue
		}
		if n := len(page.FindAll(pdf, -1)); n != r.Pages {
			t.Errorf("%s has %d pages, want %d", r.File, n, r.Pages)
		}
		m := startxref.FindSubmatch(pdf)
		if m == nil {
			t.Errorf("%s does not end in startxref and %%%%EOF", r.File)
			continue
		}
		at, _ := strconv.Atoi(string(m[1]))
		for i, e := range entry.FindAllSubmatch(pdf[at:], -1) {
			object, _ := strconv.Atoi(string(e[1]))
			if want := strconv.Itoa(i+1) + " 0 obj\n"; !bytes.HasPrefix(pdf[object:], []byte(want)) {
				t.Errorf("%s: the cross-reference table is wrong about object %d", r.File, i+1)
			}
		}
	}
}

func TestWriteLeavesNothingButTheReports(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "made", "on the way")
	for range 2 { // over the files of the first time, too
		if err := report.Write(dir); err != nil {
			t.Fatal(err)
		}
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	all := report.All()
	if len(entries) != len(all) {
		t.Fatalf("%d files in the folder, want %d", len(entries), len(all))
	}
	for i, r := range all { // both in the order of names
		got, err := os.ReadFile(filepath.Join(dir, entries[i].Name()))
		if err != nil {
			t.Fatal(err)
		}
		if entries[i].Name() != r.File || !bytes.Equal(got, r.PDF()) {
			t.Errorf("%s is not what %s should be", entries[i].Name(), r.File)
		}
	}
}

func TestManyAreAllDifferentAndReadable(t *testing.T) {
	names, texts := map[string]bool{}, map[string]bool{}
	for _, r := range report.Many(24) {
		names[r.File], texts[string(r.PDF())] = true, true
		if r.Damaged {
			t.Errorf("%s is damaged", r.File)
		}
	}
	if len(names) != 24 || len(texts) != 24 {
		t.Errorf("%d names and %d files, want 24", len(names), len(texts))
	}
}
