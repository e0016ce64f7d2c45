package pdf

import (
	"testing"
)

func TestPresetReturnsMarkdownOfOnePage(t *testing.T) {
	got, err := reads(t, newSheet(text(50, 800, 10, "Hello, world.", "A second line.")).bytes(), nil)
	if err != nil {
		t.Fatal(err)
	}
	same(t, got, map[string]any{
		"markdown": "Hello, world.\nA second line.", "pages": 1,
		"file-path": "/in/" + t.Name() + ".pdf", "file-name": t.Name() + ".pdf",
	})
}

func TestPagesAreSeparatedByAnEmptyLine(t *testing.T) {
	file := newSheet(text(50, 800, 10, "One"), "", text(50, 800, 10, "Three")).bytes()
	for _, format := range []string{"markdown", "text"} {
		got, err := reads(t, file, map[string]any{"output-format": format})
		if err != nil {
			t.Fatal(err)
		}
		same(t, got[format], "One\n\nThree")
		same(t, got["pages"], 3)
	}
}

func TestColumnsAreReadOneAfterTheOther(t *testing.T) {
	got, err := reads(t, newSheet(
		text(50, 800, 10, "Left one", "left two", "left three")+text(320, 800, 10, "Right one", "right two")).bytes(), nil)
	if err != nil {
		t.Fatal(err)
	}
	same(t, got["markdown"], "Left one\nleft two\nleft three\nRight one\nright two")
}

func TestTableIsReadRowByRow(t *testing.T) {
	table := ""
	for i, row := range [][2]string{{"Name", "Amount"}, {"Apples", "12"}, {"Pears", "7"}} {
		y := 800 - 14*float64(i)
		table += text(50, y, 10, row[0]) + text(200, y, 10, row[1])
	}
	got, err := reads(t, newSheet(table).bytes(), nil)
	if err != nil {
		t.Fatal(err)
	}
	same(t, got["markdown"], "Name Amount\nApples 12\nPears 7")
}

func TestLargePrintBecomesHeadingsAndGapsBecomeParagraphs(t *testing.T) {
	got, err := reads(t, newSheet(
		text(50, 800, 24, "Annual report")+
			text(50, 760, 14, "Sales of", "the year")+
			text(50, 700, 10, "They rose in every month of it.", "In May most of all, by far.", "Then less.")+
			text(50, 620, 10, "Costs did not rise.")).bytes(), nil)
	if err != nil {
		t.Fatal(err)
	}
	same(t, got["markdown"], "# Annual report\n\n## Sales of the year\n\n"+
		"They rose in every month of it.\nIn May most of all, by far.\nThen less.\n\nCosts did not rise.")
}

func TestTextOfManySizesHasNoHeadings(t *testing.T) {
	got, err := reads(t, newSheet(
		text(50, 800, 10, "Most of the text")+text(50, 786, 13, "recognised")+text(50, 772, 18, "from a scan")).bytes(), nil)
	if err != nil {
		t.Fatal(err)
	}
	same(t, got["markdown"], "Most of the text\nrecognised\nfrom a scan")
}

func TestJSONTellsPagesAndMetadata(t *testing.T) {
	s := newSheet(text(50, 800, 10, "One"), text(50, 800, 10, "Two"))
	s.add("<</Title(A report)/Author(Ada \\(Lovelace\\))>>")
	s.trailer = "/Info 8 0 R"
	uri := shelf.put("s3://bucket/in/report #1.pdf", s.bytes())
	got, err := runsAs(t.Context(), shared.Satellites()[0], nil, map[string]any{"file-uri": uri})
	if err != nil {
		t.Fatal(err)
	}
	same(t, got, map[string]any{
		"document": map[string]any{
			"metadata": map[string]any{"title": "A report", "author": "Ada (Lovelace)"},
			"pages": []any{
				map[string]any{"number": 1, "width": 595, "height": 842, "text": "One"},
				map[string]any{"number": 2, "width": 595, "height": 842, "text": "Two"},
			},
		},
		"pages": 2, "file-path": "in/report #1.pdf", "file-name": "report #1.pdf",
	})
}

func TestHyphenatedWordIsWholeAgain(t *testing.T) {
	got, err := reads(t, newSheet(text(50, 800, 10, "This is an exam-", "ple of it.")).bytes(), nil)
	if err != nil {
		t.Fatal(err)
	}
	same(t, got["markdown"], "This is an example of it.")
}
