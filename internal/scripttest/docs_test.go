package scripttest

import (
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/rogpeppe/go-internal/testscript"
)

// doc FILE SECTION [OLD=>NEW…] runs the shell block of a section of a page in docs/ as one script, as it stands there but for
// the replacements.
func doc(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: doc FILE SECTION [OLD=>NEW…]")
	}
	text, err := os.ReadFile(filepath.Join(root, "docs", args[0]))
	ts.Check(err)
	s := readReadme(string(text))[args[1]]
	if s == nil || len(s.shell) == 0 {
		ts.Fatalf("docs/%s has no commands under %q", args[0], args[1])
	}
	script := strings.Join(s.shell, "\n")
	for _, r := range args[2:] {
		old, with, _ := strings.Cut(r, "=>")
		script = strings.ReplaceAll(script, old, with)
	}
	ts.Check(ts.Exec("sh", "-ec", script))
}

// curl is as much of the command of that name as the pages in docs/ use, so that no machine needs it: -s, -X METHOD,
// -H HEADER, -d BODY and an address.
func curl() {
	method, address, body := "", "", ""
	header := http.Header{}
	for args := os.Args[1:]; len(args) > 0; {
		value, two := "", slices.Contains([]string{"-X", "-H", "-d"}, args[0])
		if two {
			if len(args) < 2 {
				exitOn(fmt.Errorf("%s needs a value", args[0]))
			}
			value = args[1]
		}
		switch args[0] {
		case "-s":
		case "-X":
			method = value
		case "-H":
			name, text, _ := strings.Cut(value, ": ")
			header.Set(name, text)
		case "-d":
			body = value
		default:
			address = args[0]
		}
		if args = args[1:]; two {
			args = args[1:]
		}
	}
	if method == "" && body != "" {
		method = http.MethodPost
	}
	r, err := http.NewRequest(method, address, strings.NewReader(body))
	exitOn(err)
	r.Header = header
	answer, err := http.DefaultClient.Do(r)
	exitOn(err)
	defer func() { _ = answer.Body.Close() }()
	_, err = io.Copy(os.Stdout, answer.Body)
	exitOn(err)
}
