package cluster

import (
	"embed"
	"regexp"
	"strconv"
	"strings"
	"sync"
)

// Explanation says what a code means, for `orbit explain` and for the documentation.
type Explanation struct {
	Code   string `json:"code"`
	Title  string `json:"title"`
	Text   string `json:"text"`   // what it says, a paragraph
	Why    string `json:"why"`    // why it is told, a paragraph
	Fails  string `json:"fails"`  // a cluster file that is told it; see Whole
	Mended string `json:"mended"` // the same file put right
}

// Explain looks a code up.
func Explain(code string) (Explanation, bool) {
	for _, e := range explanations() {
		if e.Code == code {
			return e, true
		}
	}
	return Explanation{}, false
}

// Explanations lists all codes in order. The list must not be changed.
func Explanations() []Explanation { return explanations() }

// Each file holds a title, what the code says and why, with an empty line between them, and then the two cluster files.
//
//go:embed explained/*.txt
var explained embed.FS

const (
	failsMark  = "\n-- fails --\n"
	mendedMark = "\n-- mended --\n"
)

var explanations = sync.OnceValue(func() []Explanation {
	entries, err := explained.ReadDir("explained")
	if err != nil {
		panic(err) // the folder is part of the program
	}
	var out []Explanation
	for _, entry := range entries { // sorted by name, which is the code
		text, err := explained.ReadFile("explained/" + entry.Name())
		if err != nil {
			panic(err)
		}
		out = append(out, readExplanation(strings.TrimSuffix(entry.Name(), ".txt"), string(text)))
	}
	return out
})

func readExplanation(code, text string) Explanation {
	head, examples, _ := strings.Cut(text, failsMark)
	fails, mended, _ := strings.Cut(examples, mendedMark)
	e := Explanation{Code: code, Fails: fails + "\n", Mended: mended}
	for i, paragraph := range strings.SplitN(head, "\n\n", 3) {
		*[]*string{&e.Title, &e.Text, &e.Why}[i] = strings.Join(strings.Fields(paragraph), " ")
	}
	return e
}

var shortForm = regexp.MustCompile(`<(\d+) times (.+?)>|<U\+([0-9A-F]{4})>`)

// Whole gives an example as it goes to the compiler. What cannot be shown, or would fill a page, is written down in
// short: <70 times [> and <U+0007>.
func Whole(example string) string {
	return shortForm.ReplaceAllStringFunc(example, func(short string) string {
		m := shortForm.FindStringSubmatch(short)
		if m[3] != "" {
			r, _ := strconv.ParseUint(m[3], 16, 32)
			return string(rune(r))
		}
		n, _ := strconv.Atoi(m[1])
		return strings.Repeat(m[2], n)
	})
}

// Excerpts give the lines of both examples that differ, with their numbers and a line around them.
func (e Explanation) Excerpts() (fails, mended string) {
	a, b := strings.Split(strings.TrimSuffix(e.Fails, "\n"), "\n"), strings.Split(strings.TrimSuffix(e.Mended, "\n"), "\n")
	head, tail := 0, 0
	for head < min(len(a), len(b)) && a[head] == b[head] {
		head++
	}
	for tail < min(len(a), len(b))-head && a[len(a)-1-tail] == b[len(b)-1-tail] {
		tail++
	}
	cut := func(lines []string) string {
		var out strings.Builder
		for i := max(0, head-1); i < min(len(lines), len(lines)-tail+1); i++ {
			out.WriteString(strings.TrimRight(lineNumber(i+1)+lines[i], " ") + "\n")
		}
		return out.String()
	}
	return cut(a), cut(b)
}

// Told is what is said about the example, as Render writes it. File is the name that the example goes by.
func (e Explanation) Told(file string, o Options, color bool) string {
	if e.Code == codeNotStored { // told by a gateway, which knows what is stored
		o.Stored = func(string, string) bool { return false }
	}
	r := Compile(file, []byte(Whole(e.Fails)), o)
	if e.Code == codeLayout { // told by Format alone
		_, r.Diagnostics = Format(file, []byte(Whole(e.Fails)))
	}
	var b strings.Builder
	Render(&b, r.filter(func(d Diagnostic) bool { return d.Code == e.Code }), color)
	return b.String()
}
