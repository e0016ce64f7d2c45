package boot

import (
	"errors"
	"fmt"
	"maps"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"time"

	"gopkg.in/yaml.v3"

	"github.com/exospherehost/orbit"
	"github.com/exospherehost/orbit/node/modelhost"
	"github.com/exospherehost/orbit/satellite"
	"github.com/exospherehost/orbit/satellite/llm"
	"github.com/exospherehost/orbit/vault"
)

// Launch is what starts a model's server: a program and its arguments, or a text for /bin/sh.
type Launch struct {
	Args []string
	Text string
}

// IsZero tells whether nothing is to be started.
func (l Launch) IsZero() bool { return len(l.Args) == 0 && l.Text == "" }

// command is what is run.
func (l Launch) command() []string {
	if l.Text != "" {
		return []string{"/bin/sh", "-c", l.Text}
	}
	return l.Args
}

var errLaunch = errors.New(`launch must be a list of a program and its arguments, as in [vllm, serve, google/gemma-3-27b-it, --port, "8001"], or one text for /bin/sh`)

// UnmarshalYAML reads a list of scalars, or text.
func (l *Launch) UnmarshalYAML(n *yaml.Node) error {
	if n.Kind == yaml.ScalarNode && strings.TrimSpace(n.Value) != "" && n.Tag == "!!str" {
		l.Text = n.Value
		return nil
	}
	if n.Kind != yaml.SequenceNode || len(n.Content) == 0 {
		return errLaunch
	}
	for _, c := range n.Content {
		if c.Kind != yaml.ScalarNode || c.Tag == "!!null" || strings.ContainsRune(c.Value, 0) {
			return errLaunch
		}
		l.Args = append(l.Args, c.Value)
	}
	if l.Args[0] == "" {
		return errLaunch
	}
	return nil
}

// MarshalYAML writes what UnmarshalYAML reads.
func (l Launch) MarshalYAML() (any, error) {
	if l.Text != "" {
		return l.Text, nil
	}
	return l.Args, nil
}

const (
	// defaultStartTimeout is longer than a large model takes to come over the network for the first time at 100 MB/s.
	defaultStartTimeout = 10 * time.Minute
	maxDevices          = 64
)

// checkLaunch refuses what cannot be meant of a server that the node starts.
func (b *ModelBinding) checkLaunch() error {
	if b.Launch.IsZero() {
		for _, k := range []struct {
			given bool
			key   string
		}{{b.GPUMemory != "", "gpu-memory"}, {b.GPUs != nil, "gpus"}, {b.Health != "", "health"}, {b.StartTimeout != 0, "start-timeout"}} {
			if k.given {
				return fmt.Errorf("%s is for a server that the node starts; add launch, or leave it out", k.key)
			}
		}
		return nil
	}
	if b.GPUMemory == "" {
		return errors.New("gpu-memory is missing: with launch it says how much of each GPU the server takes, as in 60GiB, or 0 where it needs none")
	}
	memory, err := orbit.ParseBytes(b.GPUMemory)
	if err != nil {
		return fmt.Errorf("gpu-memory: %w", err)
	}
	switch at, err := url.Parse(b.Health); {
	case memory == 0 && b.GPUs != nil && *b.GPUs != 0:
		return errors.New("gpus is given and gpu-memory is 0; say how much of each GPU the server takes, or leave gpus out")
	case memory > 0 && b.GPUs != nil && (*b.GPUs < 1 || *b.GPUs > maxDevices):
		return fmt.Errorf("gpus must be between 1 and %d; a server that needs none has gpu-memory: 0", maxDevices)
	case b.StartTimeout < 0 || b.StartTimeout > 0 && time.Duration(b.StartTimeout) < time.Second:
		return errors.New("start-timeout must be 1s or more")
	case secretArgument(b.Launch):
		return errors.New(`launch holds a secret; secrets come from files or the environment: leave it out where the server reads it from a variable itself, or write launch as a text, with "$NAME"`)
	case b.Health == "":
	case err != nil, at.Hostname() == "", at.Scheme != "http" && at.Scheme != "https":
		return errors.New("health is no http or https URL; write it like http://127.0.0.1:8000/health")
	case at.User != nil, slices.ContainsFunc(slices.Collect(maps.Keys(at.Query())), isCredential):
		return errors.New("health holds a secret; the key and headers of the entry go along where health is on the host of url")
	}
	return nil
}

// secretFlag is an argument whose value is a secret.
var secretFlag = regexp.MustCompile(`(?i)^--?([a-z0-9_-]*[_-])?(api[_-]?key|password|secret|hf[_-]token|access[_-]token)$`)

// secretArgument tells whether a command holds a secret where everyone would see it. In a text the shell may put it in.
func secretArgument(l Launch) bool {
	args := l.Args
	if l.Text != "" {
		args = strings.Fields(l.Text)
	}
	for i, a := range args {
		flag, value, joined := strings.Cut(a, "=")
		if !secretFlag.MatchString(flag) {
			continue
		}
		if !joined && i+1 < len(args) {
			value = args[i+1]
		}
		if value = strings.TrimLeft(value, `"`); value != "" && !(l.Text != "" && strings.HasPrefix(value, "$")) {
			return true
		}
	}
	return false
}

// checkPlaces refuses two servers that would listen at the same place.
func (m Models) checkPlaces() error {
	at := map[string]string{}
	for _, name := range slices.Sorted(maps.Keys(m)) {
		if m[name].Launch.IsZero() {
			continue
		}
		u, err := url.Parse(m[name].URL)
		if err != nil {
			continue // told already
		}
		if other, ok := at[u.Host]; ok {
			return fmt.Errorf("%s and %s are both launched at %s; give each a port of its own", other, name, u.Host)
		}
		at[u.Host] = name
	}
	return nil
}

// devices is the number of GPUs that a server takes, and how much of each.
func (b *ModelBinding) devices() (n int, memory orbit.Bytes) {
	if memory, _ = orbit.ParseBytes(b.GPUMemory); memory == 0 { // checked when it was read
		return 0, 0
	}
	if n = 1; b.GPUs != nil {
		n = *b.GPUs
	}
	return n, memory
}

// servers are the models' servers that the node starts. A registry knows the satellites by whatever name they are bound.
func (m Models) servers(endpoints map[string]llm.Endpoint, known *satellite.Registry, gpus []orbit.GPU) (out []modelhost.Server, err error) {
	for _, name := range slices.Sorted(maps.Keys(m)) {
		b := m[name]
		if b.Launch.IsZero() {
			continue
		}
		spec, ok := known.Lookup(name)
		if !ok {
			return nil, fmt.Errorf("models: %s is no satellite", name)
		}
		s := modelhost.Server{Name: spec.Name, Pool: spec.Pool, Command: b.Launch.command(), StartTimeout: time.Duration(b.StartTimeout), Hidden: m.secretsOfOthers(name)}
		s.Devices, s.Memory = b.devices()
		if s.StartTimeout == 0 {
			s.StartTimeout = defaultStartTimeout
		}
		if s.Health, err = b.health(endpoints[name]); err != nil {
			return nil, fmt.Errorf("models: %s: %w", name, err)
		}
		if large := len(slices.DeleteFunc(slices.Clone(gpus), func(g orbit.GPU) bool { return g.Memory < s.Memory })); large < s.Devices {
			return nil, fmt.Errorf("models: %s: it takes %s of each of %d GPUs, and of the %d of this machine %d are so large; correct gpu-memory or gpus", name, s.Memory, s.Devices, len(gpus), large)
		}
		out = append(out, s)
	}
	return out, nil
}

// health is where the server answers when it is ready. Its key goes along to nobody else.
func (b *ModelBinding) health(e llm.Endpoint) (modelhost.Health, error) {
	base, err := url.Parse(b.URL)
	if err != nil {
		return modelhost.Health{}, err
	}
	h := modelhost.Health{URL: base.JoinPath("models").String()}
	if b.Health != "" {
		h.URL = b.Health
		if own, err := url.Parse(b.Health); err != nil || own.Scheme != base.Scheme || own.Host != base.Host {
			return h, err
		}
	}
	h.Headers = maps.Clone(e.Headers)
	if e.Key != "" {
		h.Headers["Authorization"] = "Bearer " + e.Key
	}
	return h, nil
}

// secretsOfOthers are the variables with secrets of the other models: a server gets to see its own.
func (m Models) secretsOfOthers(name string) (hidden []string) {
	variables := func(b ModelBinding) (out []string) {
		if b.APIKeyEnv != "" {
			out = append(out, b.APIKeyEnv)
		}
		for _, h := range b.Headers {
			if h.Env != "" {
				out = append(out, h.Env)
			}
		}
		return out
	}
	own := variables(m[name])
	for other, b := range m {
		for _, v := range variables(b) {
			if other != name && !slices.Contains(own, v) && !slices.Contains(hidden, v) {
				hidden = append(hidden, v)
			}
		}
	}
	slices.Sort(hidden)
	return hidden
}

// maskOf masks the secrets of endpoints in what a server wrote last.
func maskOf(endpoints map[string]llm.Endpoint) func(string) string {
	secrets := map[string]string{}
	for name, e := range endpoints {
		secrets[name] = e.Key
		for header, value := range e.Headers {
			_, token, _ := strings.Cut(value, " ") // "Bearer …"
			secrets[name+" "+header], secrets[name+" "+header+" token"] = value, token
		}
	}
	return vault.NewMasker(secrets).Text
}
