package llm

import (
	"hash/fnv"
	"regexp"
	"strconv"
	"strings"
)

// prompt is where words and numbers come from.
type prompt struct {
	text, lower string
	all         []string // its words
}

func newPrompt(text string) *prompt {
	return &prompt{text: text, lower: asciiLower(text), all: strings.Fields(text)}
}

// asciiLower keeps the length, so that a place in one is the same place in the other.
func asciiLower(text string) string {
	return strings.Map(func(r rune) rune {
		if r >= 'A' && r <= 'Z' {
			return r + 'a' - 'A'
		}
		return r
	}, text)
}

// figure is a number as reports write it: 1,234.5 or (12.3), which is negative.
var figure = regexp.MustCompile(`\(?-?\d[\d,]*(?:\.\d+)?\)?`)

// near is how far behind a name its number or words are looked for.
const near = 160

// after gives what stands behind each place where the prompt has the words of a key, the last place first: an instruction comes
// before what it speaks of.
func (p *prompt) after(key string) (texts []string) {
	name := strings.ToLower(strings.NewReplacer("-", " ", "_", " ").Replace(key))
	for end := len(p.lower); name != ""; {
		at := strings.LastIndex(p.lower[:end], name)
		if at < 0 {
			break
		}
		from := at + len(name)
		texts = append(texts, p.text[from:min(len(p.text), from+near)])
		end = at
	}
	return texts
}

// number is one that stands behind the key's name, else any of the prompt, else one made of the key.
func (p *prompt) number(key string) float64 {
	for _, text := range append(p.after(key), p.text) {
		if found := figure.FindString(text); found != "" {
			if v, err := strconv.ParseFloat(strings.NewReplacer(",", "", "(", "", ")", "").Replace(found), 64); err == nil {
				if strings.HasPrefix(found, "(") && strings.HasSuffix(found, ")") {
					v = -v
				}
				return v
			}
		}
	}
	return float64(hash(key) % 1000)
}

// words are those on the rest of the line behind the key's name and a colon or bar, else one of the prompt's.
func (p *prompt) words(key string) string {
	for _, text := range p.after(key) {
		line, _, _ := strings.Cut(text, "\n")
		rest := strings.TrimLeft(line, " *")
		if rest == "" || !strings.ContainsRune(":|=", rune(rest[0])) {
			continue
		}
		if value := strings.Trim(rest, " :|=*\"',"); value != "" {
			return strings.ToValidUTF8(value, "")
		}
	}
	if len(p.all) == 0 {
		return key
	}
	return strings.ToValidUTF8(p.all[hash(key)%uint32(len(p.all))], "")
}

// has tells whether the prompt speaks of the key.
func (p *prompt) has(key string) bool { return len(p.after(key)) > 0 }

func hash(text string) uint32 {
	h := fnv.New32a()
	_, _ = h.Write([]byte(text)) // a hash takes everything
	return h.Sum32()
}
