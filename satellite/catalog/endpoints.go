package catalog

import (
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strings"
)

// endpoints are the services whose address a node's configuration may name, sorted.
var endpoints = []string{
	"azure-blob", "cloudwatch", "datadog", "discord", "docling", "gcs", "kusto", "logz-io", "mailgun", "new-relic", "pagerduty", "s3", "sentry", "ses", "slack",
}

// Endpoints lists the names that Options.Endpoints may have.
func Endpoints() []string { return slices.Clone(endpoints) }

// CheckEndpoints refuses names of which nobody would take notice, and addresses that are none.
func CheckEndpoints(given map[string]string) error {
	for _, name := range slices.Sorted(maps.Keys(given)) {
		if !slices.Contains(endpoints, name) {
			return fmt.Errorf("endpoints: no satellite asks for the service %q; those that are asked for are %s", name, strings.Join(endpoints, ", "))
		}
		if u, err := url.Parse(given[name]); err != nil || u.Host == "" || (u.Scheme != "http" && u.Scheme != "https") {
			return fmt.Errorf("endpoints: the address of %s is no URL; write it like http://127.0.0.1:9000", name) // it may hold a password, and is not repeated
		}
	}
	return nil
}
