package orbit

import (
	"encoding/json"
	"strings"
	"time"
)

// SatelliteSpec describes a satellite: all that the compiler, the manual page and the scheduler need to know of it. It
// is data; the code behind it is a satellite.Satellite.
type SatelliteSpec struct {
	Name        string   `json:"name"`              // "exospherehost/call-webhook"
	Aliases     []string `json:"aliases,omitempty"` // other names of the very same satellite
	Kind        string   `json:"kind"`              // exosphere, community, custom or configured
	Title       string   `json:"title"`             // one line for a list
	Description string   `json:"description"`       // a paragraph or more for a manual page

	// JSON Schemas (draft 2020-12). Property names are in kebab-case; the compiler takes snake_case for the same.
	// Config describes the step's `config`, without expressions; Output describes one returned object.
	Config json.RawMessage `json:"config"`
	Input  json.RawMessage `json:"input,omitempty"`
	Output json.RawMessage `json:"output,omitempty"`

	PrimaryText string `json:"primary_text,omitempty"` // output field that stands for the object inside text
	// SecretFields are the fields that may hold ${{ secrets.* }}, as "config.secrets", "config.headers", "input.body": a field and
	// everything below it.
	SecretFields []string `json:"secret_fields,omitempty"`
	ReadsFiles   bool     `json:"reads_files,omitempty"` // opens a file-uri of an ancestor, with that ancestor's secrets
	GivesFiles   bool     `json:"gives_files,omitempty"` // returns file-uri, and lends its secrets to who reads them
	EmptyInput   bool     `json:"empty_input,omitempty"` // takes no input: an `input:` is a mistake

	Pool       string        `json:"pool"` // CorePool, or the group of satellites a node must host to run it
	Resources  Resources     `json:"resources"`
	Timeout    time.Duration `json:"timeout"`     // default limit of one attempt of one item
	BundleHint int           `json:"bundle_hint"` // items a bundle until its time has been measured; 1 for heavy ones, 64 for light

	Failures []SatelliteFailure `json:"failures,omitempty"` // how an item fails in it, the likeliest first
	Example  string             `json:"example,omitempty"`  // a step of a cluster in YAML, as the manual page shows it
}

// Owner is the project whose clusters alone may use the satellite; owned is false for one that everybody may use.
func (s *SatelliteSpec) Owner() (project string, owned bool) {
	project, _, _ = strings.Cut(s.Name, "/")
	return project, s.Kind == "custom" || s.Kind == "configured" && s.Pool == ProjectPool(project)
}

// SatelliteFailure is one way in which an item fails.
type SatelliteFailure struct {
	Code    string `json:"code"`
	Retried bool   `json:"retried"` // another attempt may help, and is made; false: the item fails at once
	When    string `json:"when"`    // part of a sentence: "the file is damaged or encrypted"
}
