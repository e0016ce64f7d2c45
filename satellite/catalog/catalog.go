// Package catalog puts the built-in satellites together: their descriptions for who only compiles, their code for who
// runs them. It is the one place that knows every family.
//
//	files, pdf, webhook, jq ──code──┐
//	                                ├──► satellite.Registry
//	llm, logs, alert, email ────────┘ descriptions
//
// It refuses to know of satellites that a project registers; they are added to the registry by their owner.
package catalog

import (
	"errors"
	"fmt"

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
	Endpoints map[string]string // by service: s3, gcs and azure-blob, the URLs of stores; docling, that of a docling-serve
	CacheDir  string            // keeps what is slow to make, so that the next start is fast; empty: nothing is kept
	Workers   int               // documents read at once; 0: one for each core
}

// Catalog is every built-in satellite, those with code ready to run.
type Catalog struct {
	registry *satellite.Registry
	opener   *files.Opener
	parser   *pdf.Parser
	webhook  *webhook.Webhook
}

// New makes the satellites. It opens no connection and starts nothing; Close must be called all the same.
func New(o Options) (*Catalog, error) {
	c := &Catalog{opener: files.NewOpener(o.Endpoints), webhook: webhook.New()}
	c.parser = pdf.New(pdf.Options{Open: c.opener.Open, DoclingURL: o.Endpoints["docling"], CacheDir: o.CacheDir, Workers: o.Workers})
	if err := c.register(); err != nil {
		return nil, errors.Join(err, c.Close())
	}
	return c, nil
}

func (c *Catalog) register() error {
	var code []satellite.Satellite
	code = append(code, files.Satellites(c.opener)...)
	code = append(code, c.parser.Satellites()...)
	code = append(code, c.webhook, jq.New())
	registry, err := satellite.NewRegistry(code...)
	if err != nil {
		return fmt.Errorf("put the built-in satellites together: %w", err)
	}
	for _, family := range [][]*satellite.Spec{llm.Specs(), logs.Specs(), alert.Specs(), email.Specs()} {
		for _, spec := range family {
			if err := registry.Describe(spec); err != nil {
				return fmt.Errorf("put the built-in satellites together: %w", err)
			}
		}
	}
	c.registry = registry
	return nil
}

// Registry holds the satellites by name. It may be added to before it is shared.
func (c *Catalog) Registry() *satellite.Registry { return c.registry }

// Warm starts in the background what is slow to start, so that the first item need not wait for it; it returns at once.
func (c *Catalog) Warm() { c.parser.Warm() }

// Close ends what the satellites have running and frees what they hold. Calling it twice is fine.
func (c *Catalog) Close() error {
	err := c.parser.Close()
	c.opener.Close()
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
