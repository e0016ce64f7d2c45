package cli

import (
	"context"
	"strconv"
	"strings"
	"time"

	"github.com/exospherehost/orbit"
)

// clustersCommand is `orbit clusters`.
type clustersCommand struct{}

// Run lists the clusters.
func (*clustersCommand) Run(ctx context.Context, a *app) error {
	client, err := a.client()
	if err != nil {
		return err
	}
	defer client.Close()
	now := time.Now()
	return list(a, client.Clusters(ctx), "CLUSTER VERSION SLA >SATELLITES UPDATED TITLE", "no clusters yet; register one with `orbit apply FILE`",
		func(c orbit.ClusterDoc) []string {
			return []string{c.Identifier, c.Version, c.SLA.String(), strconv.Itoa(len(c.Satellites)), shortTime(&c.UpdatedAt, now), c.Title}
		})
}

// deleteCommand is `orbit delete`.
type deleteCommand struct {
	Cluster string `arg:"" name:"identifier" help:"The cluster: project/name."`
}

// Run removes the cluster, and says what is gone.
func (c *deleteCommand) Run(ctx context.Context, a *app) error {
	identifier, err := clusterName(c.Cluster)
	if err != nil {
		return err
	}
	client, err := a.client()
	if err != nil {
		return err
	}
	defer client.Close()
	raw, err := client.Cluster(ctx, identifier)
	if err != nil {
		return err
	}
	if err := client.Delete(ctx, identifier); err != nil {
		return err
	}
	return show(a, raw, func(doc orbit.ClusterDoc) error {
		return a.print("%s removed, with its latest version %s of %s", doc.Identifier, doc.Version, one(len(doc.Satellites), "satellite"))
	})
}

// clusterName gives the identifier of a cluster, project/name, as the API wants it.
func clusterName(s string) (string, error) {
	name := strings.TrimPrefix(s, "cluster/")
	if project, rest, ok := strings.Cut(name, "/"); !ok || project == "" || rest == "" || strings.Contains(rest, "/") {
		return "", failf("%q is no identifier of a cluster; write it like project/name, as `orbit clusters` shows it", s)
	}
	return name, nil
}
