package scripttest

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/exospherehost/orbit/scripts/make-reports/report"
)

// Ports come from below the range out of which the kernel gives them to outgoing connections, so that none of those takes
// one between its choice here and its use.
const firstPort, lastPort = 20000, 31000

var nextPort struct {
	mu sync.Mutex
	n  int
}

// freeports NAME… sets variables to addresses of loopback that nobody listens on, by TCP or UDP.
func freePorts(ts *testscript.TestScript, neg bool, args []string) {
	nextPort.mu.Lock()
	defer nextPort.mu.Unlock()
	if nextPort.n == 0 {
		nextPort.n = firstPort + os.Getpid()*37%(lastPort-firstPort)
	}
	for _, name := range args {
		for tried := 0; ; tried++ {
			if tried == lastPort-firstPort {
				ts.Fatalf("no port is free")
			}
			if nextPort.n++; nextPort.n > lastPort {
				nextPort.n = firstPort
			}
			addr := fmt.Sprintf("127.0.0.1:%d", nextPort.n)
			if isFree(addr) {
				ts.Setenv(name, addr)
				break
			}
		}
	}
}

func isFree(addr string) bool {
	l, err := net.Listen("tcp", addr)
	if err != nil {
		return false
	}
	_ = l.Close()
	u, err := net.ListenPacket("udp", addr)
	if err != nil {
		return false
	}
	_ = u.Close()
	return true
}

// keep NAME stdout|FILE puts text into a variable, without the space around it.
func keep(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: keep NAME stdout|FILE")
	}
	ts.Setenv(args[0], strings.TrimSpace(ts.ReadFile(args[1])))
}

// jsonlines FILE LEAST checks that a file is JSON objects, one a line, and that there are enough.
func jsonLines(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: jsonlines stdout|FILE LEAST")
	}
	lines := 0
	for line := range strings.Lines(ts.ReadFile(args[0])) {
		var o map[string]any
		if err := json.Unmarshal([]byte(line), &o); err != nil {
			ts.Fatalf("%q is no JSON object: %v", line, err)
		}
		lines++
	}
	if lines < number(ts, args[1]) {
		ts.Fatalf("%d lines, want at least %s", lines, args[1])
	}
}

// make KIND FILE writes a file that is too tiresome for a script.
func makeFile(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: make KIND FILE")
	}
	const head = "version: 0.0.1b\ncluster:\n  identifier: big/big\n  sla: 6h\n  trigger: api-call\n  satellites:\n    - uses: exospherehost/jq\n      config: {query: .}\n      input:\n"
	var b strings.Builder
	switch args[0] {
	case "40000-keys", "15000-keys":
		b.WriteString(head)
		keys, _, _ := strings.Cut(args[0], "-")
		for i := range number(ts, keys) {
			fmt.Fprintf(&b, "        k%d: 1\n", i)
		}
	case "300-kilobytes":
		b.WriteString(head + "        text: \"")
		b.WriteString(strings.Repeat("0123456789", 30_000) + "\"\n")
	case "3-megabytes":
		b.WriteString(head + strings.Repeat("# nothing\n", 300_000) + "        x: 1\n")
	default:
		ts.Fatalf("make knows no %s", args[0])
	}
	ts.Check(os.WriteFile(ts.MkAbs(args[1]), []byte(b.String()), 0o644))
}

// nowhere WORD PATH… reads every file below the paths and fails where the word is, as it is, in hex or in base64. At least one
// file must be there: a search of nothing finds nothing. `! nowhere` fails where the word is not.
func nowhere(ts *testscript.TestScript, neg bool, args []string) {
	if len(args) < 2 {
		ts.Fatalf("usage: nowhere WORD PATH…")
	}
	needles := spellings(args[0])
	for _, path := range args[1:] {
		files := 0
		err := filepath.WalkDir(ts.MkAbs(path), func(name string, d fs.DirEntry, err error) error {
			if err != nil || !d.Type().IsRegular() {
				return err
			}
			text, err := os.ReadFile(name)
			if err != nil {
				return err
			}
			files++
			for _, needle := range needles {
				if at := bytes.Index(text, needle); at >= 0 {
					return fmt.Errorf("%s holds the secret at byte %d: %q", name, at, text[max(0, at-60):min(len(text), at+60)])
				}
			}
			return nil
		})
		if neg {
			if err == nil {
				ts.Fatalf("%s does not hold %s", path, args[0])
			}
			continue
		}
		ts.Check(err)
		if files == 0 {
			ts.Fatalf("no file in %s", path)
		}
	}
}

// spellings are the word, its forms in hex, and those in the middle of base64.
func spellings(word string) [][]byte {
	inHex := hex.EncodeToString([]byte(word))
	out := [][]byte{[]byte(word), []byte(inHex), []byte(strings.ToUpper(inHex))}
	for shift := range 3 {
		text := base64.RawStdEncoding.EncodeToString(append(make([]byte, shift), word...))
		out = append(out, []byte(text[(shift*8+5)/6:len(text)-1]))
	}
	return out
}

// repo PATH… copies files of the repository into the script's folder, to the same place.
func repo(ts *testscript.TestScript, neg bool, args []string) {
	for _, path := range args {
		from, err := filepath.Abs(filepath.Join(root, path))
		ts.Check(err)
		to := ts.MkAbs(path)
		if stat, err := os.Stat(from); err == nil && stat.IsDir() {
			ts.Check(os.CopyFS(to, os.DirFS(from)))
			continue
		}
		text, err := os.ReadFile(from)
		ts.Check(err)
		ts.Check(os.MkdirAll(filepath.Dir(to), 0o755))
		ts.Check(os.WriteFile(to, text, 0o644))
	}
}

// reports DIR writes the PDF reports of the example.
func reports(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: reports DIR")
	}
	ts.Check(report.Write(ts.MkAbs(args[0])))
}

// files DIR N checks how many files are in a folder.
func countFiles(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: files DIR N")
	}
	entries, err := os.ReadDir(ts.MkAbs(args[0]))
	ts.Check(err)
	if n := number(ts, args[1]); len(entries) != n {
		ts.Fatalf("%s holds %d files, want %d", args[0], len(entries), n)
	}
}

// fill FILE puts the values of variables where a file has @NAME@.
func fill(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: fill FILE")
	}
	text := place.ReplaceAllStringFunc(ts.ReadFile(args[0]), func(s string) string { return ts.Getenv(strings.Trim(s, "@")) })
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), []byte(text), 0o644))
}

var place = regexp.MustCompile(`@[A-Z]+@`)

// has FILE checks that stdout is what a file holds below its first paragraph, which is for people.
func has(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: has FILE")
	}
	_, want, _ := strings.Cut(ts.ReadFile(args[0]), "\n\n")
	if got := ts.ReadFile("stdout"); strings.TrimSpace(got) != strings.TrimSpace(want) {
		ts.Fatalf("%s does not hold what is in force; it should be:\n%s", args[0], got)
	}
}
