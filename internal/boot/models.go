package boot

import (
	"bytes"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"os"
	"regexp"
	"slices"
	"strings"
	"time"

	"gopkg.in/yaml.v3"

	"github.com/exospherehost/orbit"
	"github.com/exospherehost/orbit/satellite"
	"github.com/exospherehost/orbit/satellite/llm"
)

// Models is the section `models` of a node's configuration: which endpoint answers for which model satellite, by the satellite's
// name. It holds no secret, but only where to find each, and can be printed.
type Models map[string]ModelBinding

// ModelBinding is where a model is, and where Launch is given how its server is started there.
type ModelBinding struct {
	URL         string            `yaml:"url"`
	Model       string            `yaml:"model,omitempty"`
	APIKeyFile  string            `yaml:"api-key-file,omitempty"`
	APIKeyEnv   string            `yaml:"api-key-env,omitempty"`
	Headers     map[string]Header `yaml:"headers,omitempty"`
	Concurrency int               `yaml:"concurrency,omitempty"`
	Context     int               `yaml:"context,omitempty"`
	JSONSchema  string            `yaml:"json-schema,omitempty"`
	IdleTimeout orbit.Duration    `yaml:"idle-timeout,omitempty"`

	Launch       Launch         `yaml:"launch,omitempty"`
	GPUMemory    string         `yaml:"gpu-memory,omitempty"` // as it was written: 0 is not the same as nothing
	GPUs         *int           `yaml:"gpus,omitempty"`
	Health       string         `yaml:"health,omitempty"`
	StartTimeout orbit.Duration `yaml:"start-timeout,omitempty"`
}

// Header is the value of a header: text, or where a secret is.
type Header struct{ Text, Env, File string }

// UnmarshalYAML reads text, {env: NAME} or {file: PATH}.
func (h *Header) UnmarshalYAML(n *yaml.Node) error {
	if n.Kind == yaml.ScalarNode {
		return n.Decode(&h.Text)
	}
	var from struct {
		Env  string `yaml:"env"`
		File string `yaml:"file"`
	}
	if err := decodeStrictly(n, &from); err != nil || (from.Env == "") == (from.File == "") {
		return fmt.Errorf("line %d: a header is text, {env: NAME} or {file: PATH}", n.Line)
	}
	h.Env, h.File = from.Env, from.File
	return nil
}

// MarshalYAML writes what UnmarshalYAML reads.
func (h Header) MarshalYAML() (any, error) {
	switch {
	case h.Env != "":
		return map[string]string{"env": h.Env}, nil
	case h.File != "":
		return map[string]string{"file": h.File}, nil
	}
	return h.Text, nil
}

// UnmarshalText reads the section, in YAML. Its error is a sentence that says which entry is wrong.
func (m *Models) UnmarshalText(text []byte) error {
	var entries map[string]yaml.Node
	if err := yaml.Unmarshal(text, &entries); err != nil {
		return errors.New("it must be a map from names of satellites to endpoints, as in exospherehost/gemma-3-27b: {url: http://127.0.0.1:8000/v1}")
	}
	out := Models{}
	for _, name := range slices.Sorted(maps.Keys(entries)) {
		var b ModelBinding
		n := entries[name]
		err := decodeStrictly(&n, &b)
		if err == nil {
			err = b.check()
		}
		if err == nil {
			err = b.checkLaunch()
		}
		if err == nil {
			_, err = llm.Configured(name, 0)
		}
		if err != nil {
			return fmt.Errorf("%s: %w", name, plainly(err))
		}
		out[name] = b
	}
	*m = out
	return m.checkPlaces()
}

// decodeStrictly decodes a node in which every key must be known.
func decodeStrictly(n *yaml.Node, into any) error {
	text, err := yaml.Marshal(n)
	if err != nil {
		return err
	}
	dec := yaml.NewDecoder(bytes.NewReader(text))
	dec.KnownFields(true)
	return dec.Decode(into)
}

var (
	unknownField = regexp.MustCompile(`field (\S+) not found in type \S+`)
	cannotDecode = regexp.MustCompile("cannot unmarshal !!\\w+(?: `([^`]*)`)? into (\\S+)")
)

// plainly says what YAML's decoder says in words of the file.
func plainly(err error) error {
	var typed *yaml.TypeError
	if !errors.As(err, &typed) {
		return err
	}
	text := typed.Errors[0]
	if m := unknownField.FindStringSubmatch(text); m != nil {
		return fmt.Errorf("there is no key %s; there are url, model, api-key-file, api-key-env, headers, concurrency, context, json-schema, idle-timeout, launch, gpu-memory, gpus, health and start-timeout", m[1])
	}
	if m := cannotDecode.FindStringSubmatch(text); m != nil {
		wanted := "a map"
		switch m[2] {
		case "int":
			wanted = "a whole number"
		case "string":
			wanted = "text"
		}
		return fmt.Errorf("%q does not fit: %s is wanted", m[1], wanted)
	}
	_, text, _ = strings.Cut(text, ": ")
	return errors.New(text)
}

// check refuses what cannot be meant.
func (b *ModelBinding) check() error {
	if b.URL == "" {
		return errors.New("url is missing; give the base of an OpenAI-compatible endpoint, such as http://127.0.0.1:8000/v1")
	}
	at, err := url.Parse(b.URL)
	switch {
	case err != nil, at.Hostname() == "", at.Scheme != "http" && at.Scheme != "https":
		return errors.New("url is no http or https URL; write it like http://127.0.0.1:8000/v1")
	case at.User != nil:
		return errors.New("url holds a password; secrets come from files or the environment: use api-key-file, or headers: {Authorization: {file: PATH}}")
	case slices.ContainsFunc(slices.Collect(maps.Keys(at.Query())), isCredential):
		return errors.New("url holds a key; secrets come from files or the environment: use api-key-file, or headers: {NAME: {file: PATH}}")
	case strings.HasSuffix(at.Path, "/chat/completions"):
		return errors.New("url must be the base, without /chat/completions")
	case b.APIKeyFile != "" && b.APIKeyEnv != "":
		return errors.New("api-key-file and api-key-env are both given; keep one")
	case b.Concurrency < 0 || b.Concurrency > maxConcurrency:
		return fmt.Errorf("concurrency must be between 1 and %d", maxConcurrency)
	case b.Context < 0:
		return errors.New("context must be a number of tokens")
	case b.IdleTimeout < 0 || b.IdleTimeout > 0 && time.Duration(b.IdleTimeout) < time.Second:
		return errors.New("idle-timeout must be 1s or more")
	case !slices.Contains([]string{"", string(llm.Auto), string(llm.Always), string(llm.Never)}, b.JSONSchema):
		return fmt.Errorf("json-schema must be auto, always or never, not %q", b.JSONSchema)
	}
	for _, name := range slices.Sorted(maps.Keys(b.Headers)) {
		h := b.Headers[name]
		switch {
		case !isToken(name) || strings.ContainsAny(h.Text, "\r\n\x00"):
			return fmt.Errorf("headers: %q cannot be sent; name and value must be one line of text", name)
		case h.Text != "" && isCredential(name):
			return fmt.Errorf("headers: %s looks like a secret; secrets come from files or the environment: write %s: {file: PATH} or {env: NAME}", name, name)
		}
	}
	return nil
}

// maxConcurrency bounds the requests at once to one endpoint: each is a bundle in hand of this node.
const maxConcurrency = 1024

// isCredential tells whether what has this name is most likely a secret.
func isCredential(name string) bool {
	name = strings.ToLower(name)
	return slices.ContainsFunc([]string{"auth", "key", "token", "secret", "password", "cookie", "signature"}, func(word string) bool { return strings.Contains(name, word) })
}

func isToken(text string) bool {
	return text != "" && http.CanonicalHeaderKey(text) != "" && !strings.ContainsFunc(text, func(r rune) bool {
		return r <= ' ' || r >= 0x7f || strings.ContainsRune(`"(),/:;<=>?@[\]{}`, r)
	})
}

// endpoints reads the secrets and gives what the satellites are to be told.
func (m Models) endpoints() (map[string]llm.Endpoint, error) {
	out := map[string]llm.Endpoint{}
	for _, name := range slices.Sorted(maps.Keys(m)) {
		b := m[name]
		e := llm.Endpoint{URL: b.URL, Model: b.Model, Headers: map[string]string{}, Concurrency: b.Concurrency, Context: b.Context, Schema: llm.SchemaUse(b.JSONSchema), Idle: time.Duration(b.IdleTimeout)}
		var err error
		if e.Key, err = readSecret(b.APIKeyFile, b.APIKeyEnv); err != nil {
			return nil, fmt.Errorf("models: %s: the key %w", name, err)
		}
		for header, h := range b.Headers {
			if e.Headers[header] = h.Text; h.Text == "" {
				if e.Headers[header], err = readSecret(h.File, h.Env); err != nil {
					return nil, fmt.Errorf("models: %s: the header %s %w", name, header, err)
				}
			}
		}
		out[name] = e
	}
	return out, nil
}

// readSecret reads a secret of one line; "" where neither place is named.
func readSecret(file, variable string) (string, error) {
	switch {
	case file != "":
		text, err := os.ReadFile(file)
		if err != nil {
			return "", fmt.Errorf("file %s cannot be read (%s)", file, cause(err))
		}
		if secret := strings.TrimSpace(string(text)); secret != "" && !strings.ContainsAny(secret, "\r\n\x00") {
			return secret, nil
		}
		return "", fmt.Errorf("file %s does not hold one line of text", file)
	case variable != "":
		secret := strings.TrimSpace(os.Getenv(variable))
		if secret == "" || strings.ContainsAny(secret, "\r\n\x00") {
			return "", fmt.Errorf("is to be in the environment variable %s, which is not set to one line of text", variable)
		}
		return secret, nil
	}
	return "", nil
}

// modelSpecs describes the model satellites that a gateway's configuration names, project/name or project/name=40GiB, so that
// clusters may use them. Those that it knows anyway are passed over.
func modelSpecs(names []string, known *satellite.Registry) (specs []*satellite.Spec, err error) {
	for _, entry := range names {
		name, amount, sized := strings.Cut(strings.TrimSpace(entry), "=")
		var memory orbit.Bytes
		if sized {
			if memory, err = orbit.ParseBytes(amount); err != nil {
				return nil, fmt.Errorf("models: %s: %w", name, err)
			}
		}
		if spec, ok := known.Lookup(name); ok {
			if !orbit.IsModelPool(spec.Pool) {
				return nil, fmt.Errorf("models: %s is a satellite already, and none of a model; choose another name", name)
			}
			continue
		}
		spec, err := llm.Configured(name, memory)
		if err != nil {
			return nil, fmt.Errorf("models: %w", err)
		}
		specs = append(specs, spec)
	}
	return specs, nil
}
