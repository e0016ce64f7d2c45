package orbittest

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// Canary begins every secret of a scenario. Found anywhere, it gives a leak away.
const Canary = "CANARY-"

// canaries are the forms in which Canary may show: as it is, inside base64, which depends on where it begins, in hex, and
// with each character escaped.
var canaries = func() (forms [][]byte) {
	add := func(text string) { forms = append(forms, []byte(text)) }
	add(Canary)
	add(hex.EncodeToString([]byte(Canary)))
	add(strings.ToUpper(hex.EncodeToString([]byte(Canary))))
	for _, e := range []*base64.Encoding{base64.RawStdEncoding, base64.RawURLEncoding} {
		for shift := range 3 {
			text := e.EncodeToString([]byte("xxx"[:shift] + Canary))
			add(text[(8*shift+5)/6 : 8*(len(Canary)+shift)/6]) // the digits that Canary alone determines
		}
	}
	for _, format := range []string{"%%%02x", "%%%02X", `\x%02x`, `\u%04x`, `\u%04X`, `\\u%04x`, `\\u%04X`, "&#%d;", "&#x%x;"} {
		text := ""
		for _, c := range []byte(Canary) {
			text += fmt.Sprintf(format, c)
		}
		add(text)
	}
	return forms
}()

func showsSecret(data []byte) bool {
	for _, c := range canaries {
		if bytes.Contains(data, c) {
			return true
		}
	}
	return false
}

// secretsIn looks for secrets in every stream and bucket, in the log and in what the API answered.
func (o *Orbit) secretsIn(all *stored) (wrong []string) {
	wrong = all.secrets()
	if showsSecret(o.log.bytes()) {
		wrong = append(wrong, "a secret can be read in the log")
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	for _, a := range o.answers {
		if showsSecret([]byte(a)) {
			wrong = append(wrong, "a secret can be read in an answer of the API: "+a)
		}
	}
	return wrong
}

// secretsOnDisk looks for secrets in every file that the server left: what was deleted counts too.
func (o *Orbit) secretsOnDisk() []string { return SecretsIn(o.dir) }

// secrets looks for secrets in every stream and bucket.
func (all *stored) secrets() (wrong []string) {
	for name, msgs := range all.streams {
		for _, m := range msgs {
			if showsSecret(m.Data) || showsSecret([]byte(m.Subject)) || showsSecret([]byte(fmt.Sprint(m.Header))) {
				wrong = append(wrong, fmt.Sprintf("a secret can be read in stream %s at %s", name, m.Subject))
			}
		}
	}
	return wrong
}

// SecretsIn looks for secrets in every file below a folder.
func SecretsIn(dir string) (wrong []string) {
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		data, err := os.ReadFile(path)
		if showsSecret(data) {
			wrong = append(wrong, "a secret can be read in the file "+path)
		}
		return err
	})
	if err != nil {
		wrong = append(wrong, err.Error())
	}
	return wrong
}
