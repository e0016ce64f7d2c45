package cluster

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"gopkg.in/yaml.v3"
)

var (
	secretPattern = regexp.MustCompile(fmt.Sprintf(`^[A-Za-z_][A-Za-z0-9_-]{0,%d}$`, maxSecretName-1))
	sourcePattern = map[string]*regexp.Regexp{
		"env":   regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*$`),
		"vault": regexp.MustCompile(`^[A-Za-z0-9_][A-Za-z0-9_./#-]*$`),
	}
)

// sourceHint says what the value of a secret may be.
const sourceHint = "write text, {env: NAME} or {vault: NAME}"

// readSecrets reads the list of one-key maps, or the one map.
func (c *compiler) readSecrets(f *fields, s *Spec) {
	v, ok := f.get("secrets")
	if !ok {
		c.blindSecrets = c.badNodes[v.value]
		return
	}
	maps := []*yaml.Node{v.value}
	if v.value.Kind == yaml.SequenceNode {
		maps = v.value.Content
	}
	c.declared = map[string]bool{}
	for _, m := range maps {
		if m.Kind != yaml.MappingNode {
			c.blindSecrets = true
			if !c.badNodes[m] {
				c.error(at(m), codeType, "write NAME: value", "secrets must be a map or a list of one-key maps, not %s", describe(m))
			}
			continue
		}
		for i := 0; i+1 < len(m.Content); i += 2 {
			key, value := m.Content[i], m.Content[i+1]
			if value.Kind == yaml.ScalarNode && !isNull(value) {
				c.inlineAt = append(c.inlineAt, at(value))
			}
			if c.badNodes[key] {
				continue
			}
			if c.declared[key.Value] {
				c.error(at(key), codeDuplicate, "keep one of them", "the secret %s is declared twice", quoted(key.Value))
				continue
			}
			c.declared[key.Value] = true
			s.secretNames = append(s.secretNames, key.Value)
			if !secretPattern.MatchString(key.Value) {
				c.error(at(key), codeIdentifier, "write it of letters, digits, _ and -, such as API_KEY", "%s is no name of a secret", quoted(key.Value))
				continue
			}
			secret := SecretSpec{SecretSource{Name: key.Value, Source: "inline"}, at(key)}
			if c.readSecret(key, value, &secret) {
				s.Secrets = append(s.Secrets, secret)
			}
		}
	}
}

// readSecret reads where the value of one secret comes from.
func (c *compiler) readSecret(key, value *yaml.Node, s *SecretSpec) bool {
	switch {
	case c.badNodes[value]:
		return false
	case isNull(value):
		c.error(at(key), codeSecretValue, sourceHint, "the secret %s has no value", s.Name)
		return false
	case value.Kind == yaml.ScalarNode:
		c.inline[s.Name] = value.Value
		return true
	case value.Kind != yaml.MappingNode:
		c.error(at(value), codeSecretValue, sourceHint, "the secret %s cannot be %s", s.Name, describe(value))
		return false
	}
	f, _ := c.fields(value, at(key), "the secret "+s.Name, sourceKeys)
	sources := f.names()
	if len(sources) != 1 {
		if len(sources) == 2 || len(value.Content) == 0 { // else its unknown key has been told
			c.error(at(value), codeSecretValue, sourceHint, "the secret %s needs one source", s.Name)
		}
		return false
	}
	source := sources[0]
	v, ok := f.need(source)
	if !ok {
		return false
	}
	w, ok := c.text(v.value, s.Name, ".", source)
	if ok && !sourcePattern[source].MatchString(w.Text) {
		c.error(w.Pos, codeSecretValue, "write it of letters, digits and _", "%s is no name of a %s secret", quoted(w.Text), source)
		return false
	}
	s.Source, s.Key = source, w.Text
	return ok
}

// inlineSecrets warns of values in the file, once.
func (c *compiler) inlineSecrets() {
	n := len(c.inline) + len(c.unnamed)
	if n == 0 {
		return
	}
	message := "the value of a secret stands in this file, for all who may read it"
	if n > 1 {
		message = fmt.Sprintf("the values of %d secrets stand in this file, this one first, for all who may read it", n)
	}
	hint := "write {env: NAME}, or {vault: NAME} for a value stored with orbit secrets set; orbit run --secrets-file gives values for one run"
	if slices.Contains(c.unnamed, c.inlineAt[0]) {
		hint = "declare it under cluster.secrets, as NAME: {env: NAME} or NAME: {vault: NAME}, and write ${{ secrets.NAME }} here"
	}
	c.warn(c.inlineAt[0], codeInlineSecret, hint, "%s", message)
}

// notStored warns of secrets that the project's vault does not hold yet.
func (c *compiler) notStored(s *Spec) {
	project, _, ok := strings.Cut(s.Identifier.Text, "/")
	if c.options.Stored == nil || !ok {
		return
	}
	for _, secret := range s.Secrets {
		if secret.Source == "vault" && !c.options.Stored(project, secret.Key) {
			c.warn(secret.Pos, codeNotStored, "store it with orbit secrets set "+project+" "+secret.Key+", before a run is started",
				"the vault of %s has no secret %s yet", project, quoted(secret.Key))
		}
	}
}

// hidden stands for the value of a secret.
const hidden = "***"

// hideSecrets keeps the values of secrets out of the lines that Render shows: what it writes may be a log.
func (c *compiler) hideSecrets() {
	first := map[int]mark{} // of each line, where its first value begins
	for _, p := range c.inlineAt {
		if _, known := first[p.Line]; !known {
			first[p.Line] = c.src.locate(p)
		}
	}
	for i := range c.found {
		if m, ok := first[c.found[i].Line]; ok {
			c.found[i].source = c.found[i].source[:m.offset] + hidden
		}
	}
}
