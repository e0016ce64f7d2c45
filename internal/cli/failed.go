package cli

import (
	"context"
	"net/url"
	"path"
	"strings"

	"github.com/exospherehost/orbit"
	"github.com/exospherehost/orbit/internal/apiclient"
)

// maxFailed bounds the failed items that are told at the end of a run; `orbit items` has them all.
const maxFailed = 20

// tellFailed writes a line for each failed item of a run: its id, the name of its file, and what went wrong.
func (a *app) tellFailed(ctx context.Context, client *apiclient.Client, run *orbit.Run) error {
	all := countItems(run.Satellites).failed
	if all == 0 {
		return nil
	}
	told := 0
	err := a.patiently(ctx, func() {}, func() error {
		for page, err := range client.Items(ctx, run.ID, apiclient.Query{State: string(orbit.ItemFailed), Limit: maxFailed}) {
			if err != nil {
				return err
			}
			for _, raw := range page {
				item, err := decode[orbit.ItemDoc](raw)
				if err != nil {
					return err
				}
				a.say("%s", failedLine(&item))
				told++
			}
		}
		return nil
	})
	if err == nil && all > told {
		a.say("… and %d more; `%s` lists them all", all-told, a.command("items", run.ID, "--state", "failed"))
	}
	return err
}

// failedLine is "parse-pdf/0.3  report.pdf  the file is encrypted; …".
func failedLine(item *orbit.ItemDoc) string {
	parts := []string{item.ID}
	if name := fileName(item.Input); name != "" {
		parts = append(parts, name)
	}
	if item.Error != nil {
		parts = append(parts, item.Error.Message)
	}
	for i := range parts {
		parts[i] = oneLine(parts[i])
	}
	return strings.Join(parts, "  ")
}

// fileName is the name of the file that an object is about; empty where it is about none.
func fileName(o orbit.Object) string {
	v, err := o.Value()
	m, ok := v.(map[string]any)
	if err != nil || !ok {
		return ""
	}
	for _, key := range []string{"file-name", "file_name"} {
		if name, ok := m[key].(string); ok && name != "" {
			return name
		}
	}
	for _, key := range []string{"file-path", "file_path"} {
		if p, ok := m[key].(string); ok && p != "" {
			return path.Base(p)
		}
	}
	for _, key := range []string{"file-uri", "file_uri"} {
		uri, ok := m[key].(string)
		if !ok || uri == "" {
			continue
		}
		if u, err := url.Parse(uri); err == nil && u.Path != "" {
			return path.Base(u.Path)
		}
		return path.Base(uri)
	}
	return ""
}
