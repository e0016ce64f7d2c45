package cli

import (
	"context"
	"strconv"
	"time"

	"github.com/exospherehost/orbit"
	"github.com/exospherehost/orbit/cluster"
	"github.com/exospherehost/orbit/internal/apiclient"
)

// runsCommand is `orbit runs`.
type runsCommand struct {
	Cluster string `arg:"" optional:"" name:"identifier" help:"Only runs of this cluster, project/name, or of this satellite called alone, satellite/project/name."`
}

// Run lists the runs.
func (c *runsCommand) Run(ctx context.Context, a *app) error {
	query := apiclient.Query{}
	if satellite, ok := cluster.CalledBy(c.Cluster); ok {
		if _, err := clusterName(satellite); err != nil {
			return failf("%q is no satellite; write it like satellite/project/name, as `orbit satellites` shows it", c.Cluster)
		}
		query.Cluster = c.Cluster
	} else if c.Cluster != "" {
		name, err := clusterName(c.Cluster)
		if err != nil {
			return err
		}
		query.Cluster = name
	}
	client, err := a.client()
	if err != nil {
		return err
	}
	defer client.Close()
	now := time.Now()
	return list(a, client.Runs(ctx, query), "ID CLUSTER STATE TRIGGER >DONE >FAILED STARTED >TIME", "no runs yet; start one with `orbit run`",
		func(r orbit.Run) []string {
			n := countItems(r.Satellites)
			return []string{r.ID, r.Cluster, string(r.State), r.Trigger.Type, share(n), strconv.Itoa(n.failed), shortTime(&r.CreatedAt, now), between(r.StartedAt, r.FinishedAt, now)}
		})
}
