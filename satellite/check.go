package satellite

import (
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"strings"
	"time"

	"github.com/exospherehost/orbit"
	"github.com/exospherehost/orbit/satellite/schema"
)

// Bounds of what a project may say of a satellite of its own.
const (
	maxTitle       = 200
	maxDescription = 16 << 10
	maxSchema      = 64 << 10
	maxTimeout     = 24 * time.Hour // an item that takes longer is better made into several
	maxBundleHint  = 256            // what a bundle holds at most
	maxFields      = 64
)

// namePattern is one part of a name. Hosts, subjects and keys are made of it.
var namePattern = regexp.MustCompile(`^[a-z0-9][a-z0-9_-]{0,62}$`)

var fieldPattern = regexp.MustCompile(`^(config|input)(\.[^.\s]+)+$`)

// SpecError is what is wrong with a description. Field is where: "timeout", "config"; a key of satellite.yml.
type SpecError struct{ Field, Message string }

func (e *SpecError) Error() string { return e.Field + ": " + e.Message }

// CheckSpec tells what is wrong with the description of a satellite that a project brings; nil where it is fine. The error
// is a *SpecError.
func CheckSpec(s *Spec) error {
	wrong := func(field, format string, args ...any) error { return &SpecError{field, fmt.Sprintf(format, args...)} }
	project, name, ok := strings.Cut(s.Name, "/")
	switch {
	case !ok || !namePattern.MatchString(project) || !namePattern.MatchString(name):
		return wrong("name", "%q is no name of a satellite; write it project/name, each part of a-z, 0-9, - and _, and 63 characters at most", Shorten(s.Name, 130))
	case project == "exospherehost":
		return wrong("name", "the project exospherehost is that of the built-in satellites; choose a project of your own")
	case s.Kind != "custom" && s.Kind != "configured":
		return wrong("kind", "%q is neither custom nor configured", Shorten(s.Kind, 60))
	case len(s.Aliases) > 0:
		return wrong("aliases", "a satellite of a project has one name")
	case strings.TrimSpace(s.Title) == "" || len(s.Title) > maxTitle || strings.ContainsAny(s.Title, "\r\n"):
		return wrong("title", "it must say in one line, of %d bytes at most, what the satellite does", maxTitle)
	case len(s.Description) > maxDescription:
		return wrong("description", "it has more than %d KiB", maxDescription>>10)
	case s.Pool != orbit.ProjectPool(project):
		return wrong("pool", "it must be %s: the nodes that have the code host it", orbit.ProjectPool(project))
	case s.Timeout <= 0 || s.Timeout > maxTimeout:
		return wrong("timeout", "an attempt may take more than 0 and at most %s", orbit.Duration(maxTimeout))
	case s.BundleHint < 1 || s.BundleHint > maxBundleHint:
		return wrong("bundle-hint", "it must be 1 to %d items", maxBundleHint)
	case s.Resources.GPUMemory < 0 || s.Resources.Memory < 0 || s.Resources.CPU < 0:
		return wrong("resources", "an amount is below 0")
	case len(s.SecretFields) > maxFields:
		return wrong("secret-fields", "there are more than %d", maxFields)
	}
	for _, f := range s.SecretFields {
		if !fieldPattern.MatchString(f) {
			return wrong("secret-fields", "%q is no field; write it config.NAME or input.NAME", Shorten(f, 100))
		}
	}
	for _, part := range []struct {
		name string
		raw  json.RawMessage
	}{{"config", s.Config}, {"input", s.Input}, {"output", s.Output}} {
		if err := CheckSchema(part.raw); err != nil {
			return wrong(part.name, "%v", err)
		}
	}
	return nil
}

// CheckSchema tells what is wrong with a JSON Schema; none at all is fine.
func CheckSchema(raw json.RawMessage) error {
	if len(raw) > maxSchema {
		return fmt.Errorf("the schema has more than %d KiB", maxSchema>>10)
	}
	if _, err := schema.Compile(raw); err != nil {
		inner := err
		for errors.Unwrap(inner) != nil {
			inner = errors.Unwrap(inner)
		}
		return fmt.Errorf("it is no JSON Schema: %s", strings.Join(strings.Fields(inner.Error()), " "))
	}
	return nil
}

// SpecVersion is a hash of all that a description says.
func SpecVersion(s *Spec) (string, error) {
	text, err := json.Marshal(s)
	if err != nil {
		return "", fmt.Errorf("the description of %s cannot be written: %w", s.Name, err)
	}
	return orbit.HashID("satellite", string(text)), nil
}

// SameSpec tells whether two descriptions say the same.
func SameSpec(a, b *Spec) bool {
	x, errX := SpecVersion(a)
	y, errY := SpecVersion(b)
	return errX == nil && errY == nil && x == y
}
