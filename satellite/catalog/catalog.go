// Package catalog puts the built-in satellites together: their descriptions for who only compiles, their code for who
// runs them. It is the one place that knows every family.
//
//	files, pdf, webhook, jq, logs, alert, email, llm where bound ──code──┐
//	                                                                     ├──► satellite.Registry
//	llm ──description────────────────────────────────────────────────────┘
//
// It refuses to know of satellites that a project registers; they are added to the registry by their owner.
package catalog

import (
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/rs/zerolog"

	"github.com/exospherehost/orbit/satellite"
	"github.com/exospherehost/orbit/satellite/alert"
	"github.com/exospherehost/orbit/satellite/email"
	"github.com/exospherehost/orbit/satellite/files"
	"github.com/exospherehost/orbit/satellite/jq"
	"github.com/exospherehost/orbit/satellite/llm"
	"github.com/exospherehost/orbit/satellite/logs"
	"github.com/exospherehost/orbit/satellite/pdf"
	"github.com/exospherehost/orbit/satellite/webhook"
)

// Options say where the services are that satellites use. The zero value is good for a machine on its own.
type Options struct {
	Endpoints map[string]string // the address of a service that stands in for its own, by one of the names of Endpoints
	CacheDir  string            // keeps what is slow to make, so that the next start is fast; empty: nothing is kept
	Workers   int               // documents read at once; 0: one for each core
	// Models binds model satellites to endpoints, by the satellite's name. One that is not known becomes a satellite.
	Models map[string]llm.Endpoint
	Log    zerolog.Logger // takes what satellites have to say that is of no item, such as the pace of a model
}

// Catalog is every built-in satellite, those with code ready to run.
type Catalog struct {
	registry *satellite.Registry
	opener   *files.Opener
	parser   *pdf.Parser
	webhook  *webhook.Webhook
	logs     *logs.Forwarder
	alert    *alert.Sender
	mailer   *email.Mailer
	models   []*llm.Model
}

// New makes the satellites. It opens no connection and starts nothing; Close must be called all the same.
func New(o Options) (*Catalog, error) {
	if err := CheckEndpoints(o.Endpoints); err != nil {
		return nil, err
	}
	c := &Catalog{opener: files.NewOpener(o.Endpoints), webhook: webhook.New(), logs: logs.New(o.Endpoints), alert: alert.New(o.Endpoints)}
	c.mailer = email.New(c.opener.Open, o.Endpoints)
	c.parser = pdf.New(pdf.Options{Open: c.opener.Open, DoclingURL: o.Endpoints["docling"], CacheDir: o.CacheDir, Workers: o.Workers})
	if err := c.register(o); err != nil {
		return nil, errors.Join(err, c.Close())
	}
	return c, nil
}

func (c *Catalog) register(o Options) error {
	var code []satellite.Satellite
	code = append(code, files.Satellites(c.opener)...)
	code = append(code, c.parser.Satellites()...)
	code = append(code, c.webhook, jq.New())
	code = append(code, c.logs.Satellites()...)
	code = append(code, c.alert.Satellites()...)
	code = append(code, c.mailer.Satellites()...)
	registry, err := satellite.NewRegistry(code...)
	if err != nil {
		return fmt.Errorf("put the built-in satellites together: %w", err)
	}
	if err := c.bind(registry, o); err != nil {
		return err
	}
	c.registry = registry
	return nil
}

// bind adds the model satellites: those with an endpoint with their code, of the others the description.
func (c *Catalog) bind(registry *satellite.Registry, o Options) error {
	bound := map[*satellite.Spec]llm.Endpoint{}
	known := llm.Specs()
	for _, name := range slices.Sorted(maps.Keys(o.Models)) {
		at := slices.IndexFunc(known, func(s *satellite.Spec) bool { return s.Name == name || slices.Contains(s.Aliases, name) })
		if at < 0 {
			spec, err := llm.Configured(name, 0)
			if err != nil {
				return err
			}
			at, known = len(known), append(known, spec)
		}
		if _, twice := bound[known[at]]; twice {
			return fmt.Errorf("the model satellite %s is bound twice, under two of its names; keep one", known[at].Name)
		}
		bound[known[at]] = o.Models[name]
	}
	for _, spec := range known {
		endpoint, ok := bound[spec]
		if !ok {
			if err := registry.Describe(spec); err != nil {
				return fmt.Errorf("put the model satellites together: %w", err)
			}
			continue
		}
		m := llm.New(spec, endpoint, o.Log)
		if err := registry.Add(m); err != nil {
			return fmt.Errorf("the satellite %s cannot be bound to a model: %w", spec.Name, err)
		}
		c.models = append(c.models, m)
	}
	return nil
}

// Models are the model satellites that are bound to endpoints, by name.
func (c *Catalog) Models() []*llm.Model { return c.models }

// Registry holds the satellites by name. It may be added to before it is shared.
func (c *Catalog) Registry() *satellite.Registry { return c.registry }

// Warm starts in the background what is slow to start, so that the first item need not wait for it; it returns at once.
func (c *Catalog) Warm() { c.parser.Warm() }

// Close ends what the satellites have running and frees what they hold. Calling it twice is fine.
func (c *Catalog) Close() error {
	err := c.parser.Close()
	c.opener.Close()
	c.logs.Close()
	c.alert.Close()
	c.mailer.Close()
	for _, m := range c.models {
		m.Close()
	}
	return errors.Join(err, c.webhook.Close())
}

// Specs describes every built-in satellite, for who compiles clusters and runs none: the registry has no code.
func Specs() (*satellite.Registry, error) {
	all, err := New(Options{})
	if err != nil {
		return nil, err
	}
	described, err := satellite.NewRegistry()
	if err != nil {
		return nil, errors.Join(err, all.Close())
	}
	for _, spec := range all.registry.Specs() {
		if err := described.Describe(spec); err != nil {
			return nil, errors.Join(err, all.Close())
		}
	}
	return described, all.Close()
}
