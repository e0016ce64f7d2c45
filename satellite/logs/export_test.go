package logs

import (
	"time"

	"github.com/exospherehost/orbit/satellite"
)

// SetLimit shortens what an exchange may take.
func (f *Forwarder) SetLimit(d time.Duration) { f.client.Limit = d }

// Address is where a config's records go without an endpoint of the node.
func Address(config map[string]any) (string, error) {
	p, err := (&Forwarder{}).target(&satellite.Invocation{Config: config}).provider()
	switch p := p.(type) {
	case *newRelic:
		return p.base(), err
	case *datadog:
		return p.base, err
	case *logzIO:
		return p.url, err
	case *cloudWatch:
		return p.url, err
	case *kusto:
		return p.ingest, err
	case *sentry:
		return p.url, err
	}
	return "", err
}
