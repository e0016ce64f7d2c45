package cluster_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/txtar"
	"pgregory.net/rapid"

	"github.com/exospherehost/orbit/cluster"
)

// TestFormatKeepsAnyFile: files of every shape that people give them. Comments are numbered, so that none can be taken
// for another.
func TestFormatKeepsAnyFile(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		g := &fileMaker{T: t, above: map[string]string{}, behind: map[string]string{}}
		text := g.file()
		out, ok := formatted(t, text)
		if !ok {
			t.Fatalf("refused:\n%s\n%s", out, text)
		}
		for n := range g.comments {
			if c := strings.Count(out, fmt.Sprintf("# %d.", n)); c != 1 {
				t.Fatalf("comment %d is there %d times in:\n%s\nfrom:\n%s", n, c, out, text)
			}
		}
		lines := strings.Split(out, "\n")
		for i, line := range lines {
			trimmed := strings.TrimSpace(line)
			if key := g.above[trimmed]; key != "" {
				below := i + 1
				for strings.HasPrefix(strings.TrimSpace(lines[below]), "#") {
					below++
				}
				if !strings.HasPrefix(strings.TrimLeft(lines[below], " -"), key+":") {
					t.Fatalf("%q stands above %q, not %s, in:\n%s\nfrom:\n%s", trimmed, lines[below], key, out, text)
				}
			}
			if at := strings.Index(line, "# "); at > 0 {
				if key := g.behind[line[at:]]; key != "" && !strings.Contains(line, key+":") {
					t.Fatalf("%q is not behind %s in:\n%s\nfrom:\n%s", line, key, out, text)
				}
			}
		}
	})
}

// fileMaker writes a random cluster file, line by line.
type fileMaker struct {
	*rapid.T
	strings.Builder
	comments, keys int
	above          map[string]string // comments and the keys that they stand above
	behind         map[string]string // comments and the keys that they stand behind
}

func (g *fileMaker) chance(percent int) bool {
	return rapid.IntRange(1, 100).Draw(g.T, "chance") <= percent
}

// some is how often to do something: mostly not at all.
func (g *fileMaker) some() int { return max(0, rapid.IntRange(-5, 3).Draw(g.T, "some")) }

func (g *fileMaker) one(of ...string) string { return rapid.SampledFrom(of).Draw(g.T, "one") }

func (g *fileMaker) comment() string {
	g.comments++
	return fmt.Sprintf("# %d.%s", g.comments-1, g.one("", " - a: b", " {[\"'", " ends\\"))
}

func (g *fileMaker) line(column int, text string) {
	end := g.one("", "", "", " ", "   ", "\t")
	if text == "" {
		end = strings.TrimRight(end, "\t") // a line may not begin with a tab
	}
	g.WriteString(strings.Repeat(" ", column) + text + end + "\n")
}

// gap writes comments and empty lines, some far from where they should be.
func (g *fileMaker) gap(column int) {
	for range g.some() {
		if g.chance(50) {
			g.line(0, "")
		} else {
			g.line(max(0, column+rapid.IntRange(-5, 5).Draw(g.T, "off")), g.comment())
		}
	}
}

func (g *fileMaker) file() string {
	if g.chance(10) {
		g.gap(0)
		g.WriteString("---")
		g.note("")
	}
	column := g.one("", "", "", "  ")
	g.object(len(column), "version", "cluster")
	g.gap(0)
	if g.chance(10) {
		g.line(0, "...")
		g.gap(0)
	}
	if text := g.String(); g.chance(20) {
		return strings.ReplaceAll(text, "\n", "\r\n")
	}
	return g.String()
}

// object writes a map of some of the given keys, in any order; of its own ones where there are none.
func (g *fileMaker) object(column int, known ...string) {
	keys := rapid.Permutation(known).Draw(g.T, "keys")
	if len(keys) > 2 {
		keys = keys[:rapid.IntRange(1, min(6, len(keys))).Draw(g.T, "number")]
	}
	if len(keys) == 0 || g.chance(10) {
		for range rapid.IntRange(1, 3).Draw(g.T, "number") {
			g.keys++
			keys = append(keys, fmt.Sprintf("%s%d", g.one("k", "it's", "a b", "ä-"), g.keys))
		}
	}
	for i, key := range keys {
		if inline := i == 0 && column < 0; inline {
			column = -column // the dash is there already
		} else {
			g.gap(column)
			if g.chance(20) {
				c := g.comment()
				g.above[c] = key
				g.line(column, c)
			}
			g.WriteString(strings.Repeat(" ", column))
		}
		g.WriteString(key + g.one("", "", " ") + ":")
		g.value(column, key)
	}
}

var grammar = map[string][]string{
	"cluster":   {"identifier", "title", "description", "sla", "trigger", "retries", "secrets", "satellites", "logs", "failure"},
	"failure":   {"satellites", "from"},
	"logs":      {"satellites"},
	"retries":   {"max", "strategy", "max_delay", "jitter"},
	"resources": {"cpu", "class", "gpu-memory", "memory"},
}

var stepKeys = []string{"name", "uses", "identifier", "config", "input", "retries", "timeout", "parents", "unites", "rate_limit", "rate-limit", "resources"}

// value writes what stands behind a colon; a key that the grammar knows has mostly the value that it wants.
func (g *fileMaker) value(column int, key string) {
	deeper := column + rapid.IntRange(1, 4).Draw(g.T, "deeper")
	if column > 40 || g.chance(40) && grammar[key] == nil && key != "satellites" {
		g.scalar(column, deeper, key)
		return
	}
	switch {
	case grammar[key] != nil:
		g.note(key)
		g.object(deeper, grammar[key]...)
	case key == "satellites":
		g.note(key)
		g.list(deeper-deeper%2*(deeper-column), stepKeys...)
	case g.chance(40):
		g.note(key)
		g.list(deeper - deeper%2*(deeper-column))
	default:
		g.note(key)
		g.object(deeper)
	}
}

// note ends the line of a key, maybe with a comment.
func (g *fileMaker) note(key string) {
	if g.chance(20) {
		c := g.comment()
		if key != "" {
			g.behind[c] = key
		}
		g.WriteString(g.blanks(key) + c)
	}
	g.line(0, "")
}

// blanks are those behind a key; there may be no tab behind a dash.
func (g *fileMaker) blanks(key string) string {
	if key == "" {
		return g.one(" ", " ", "   ")
	}
	return g.one(" ", " ", "   ", "\t")
}

func (g *fileMaker) list(column int, keys ...string) {
	for range rapid.IntRange(1, 3).Draw(g.T, "items") {
		g.gap(column)
		g.WriteString(strings.Repeat(" ", column) + "-")
		blanks := rapid.IntRange(1, 3).Draw(g.T, "blanks")
		switch {
		case len(keys) == 0 && g.chance(50) || column > 40:
			g.scalar(column, column+1+blanks, "")
		case len(keys) == 0 && g.chance(20):
			g.note("")
			g.list(column + 1 + blanks)
		case g.chance(20):
			g.note("")
			g.object(column+1+blanks, keys...)
		default:
			g.WriteString(strings.Repeat(" ", blanks))
			g.object(-(column + 1 + blanks), keys...)
		}
	}
}

// scalar writes a value that is no block, its further lines in any column that is right of the block's.
func (g *fileMaker) scalar(column, deeper int, key string) {
	in := strings.Repeat(" ", deeper)
	more := strings.Repeat(" ", column+1+rapid.IntRange(0, 6).Draw(g.T, "more"))
	styles := []string{"plain", "plain", "single", "double", "block", "block", "flow", "long flow", "tag", "none"}
	if g.chance(10) {
		styles = styles[:len(styles)-1]
		g.note(key)
		g.gap(deeper)
		g.WriteString(in)
		key = ""
	} else {
		g.WriteString(g.blanks(key))
	}
	switch g.one(styles...) {
	case "none":
		g.note(key)
	case "plain":
		g.WriteString(g.one("6h", "a/b", "it's#1", "-1", "~", "x: "[:1], "$${{ run.id }}", "${{ satellites.a.output }}"))
		for range g.some() {
			g.WriteString(g.one("", " ") + "\n" + g.one("", "", "\n", "  \n\n") + more + g.one("- and", "more", "\"text\"", "it's"))
			key = ""
		}
		g.note(key)
	case "single":
		g.WriteString("'it''s" + g.one("", "", "  \n"+more+"# no comment", "\n\n"+more+"- x", "\n\t y") + "'")
		g.note("")
	case "double":
		g.WriteString("\"\\\"" + g.one("", "", "  \n"+more+"# no comment", "\\  \n"+more+"\\ x", " \\\n"+more+"y", "\n\n  z\\\\  \n"+more) + "\"")
		g.note("")
	case "tag":
		g.WriteString("!!str" + g.one("", " 5", " \"5\"", " |\n"+in+"5"))
		g.line(0, "")
	case "flow":
		g.WriteString(g.one("[]", "{}", "[1, 'a', \"b]\", {c: d, \"e\":f}, [g: h], {i, j: }]"))
		g.note("")
	case "long flow":
		g.WriteString("{a: 1, " + g.comment() + "\n" + more + "b: [\n 2,\n\n" + in + "3 ], " + g.comment() + "\n" + in + "}")
		g.note("")
	case "block":
		g.block(column, deeper)
	}
}

// block writes a block scalar.
func (g *fileMaker) block(column, deeper int) {
	header := g.one("|", ">") + g.one("", "", "+", "-")
	in := strings.Repeat(" ", deeper)
	first := in
	if g.chance(20) {
		header += fmt.Sprint(deeper - column)
		first += g.one("", "  ")
	}
	g.WriteString(header)
	g.note("")
	if g.chance(10) {
		return
	}
	g.WriteString(g.one("", "", "\n") + first + g.one("x", "# no comment", "a: b", "- \"", "${{ run.id }}  ") + "\n")
	for range g.some() {
		g.WriteString(g.one("", "\n", in+"\n", in[:1]+"\n") + in + g.one("y", "  # no comment", "   ", "\tz", "") + "\n")
	}
}

// FuzzFormat: whatever comes in, what holds for formatted files holds.
func FuzzFormat(f *testing.F) {
	for _, name := range []string{"testdata/bad.txtar", "testdata/fmt.txtar"} {
		archive, err := txtar.ParseFile(name)
		if err != nil {
			f.Fatal(err)
		}
		for i := 0; i < len(archive.Files); i += 2 {
			f.Add(string(archive.Files[i].Data))
		}
	}
	f.Fuzz(func(t *testing.T, text string) {
		if _, ok := formatted(t, text); ok {
			return
		}
		if _, ds := cluster.Format("c.yml", []byte(text)); len(ds) == 0 {
			t.Fatal("neither a text nor a reason")
		}
	})
}
