package cli

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/exospherehost/orbit"
	"github.com/exospherehost/orbit/internal/apiclient"
)

// itemsCommand is `orbit items`.
type itemsCommand struct {
	ID        string `arg:"" name:"run" help:"Id of the run."`
	Satellite string `placeholder:"ID" help:"Only items of this satellite of the cluster."`
	State     string `placeholder:"STATE" help:"Only items in this state: waiting, running, retrying, succeeded, failed, skipped or cancelled."`
}

// Run lists the items, page by page.
func (c *itemsCommand) Run(ctx context.Context, a *app) error {
	if c.State != "" && !slices.Contains(orbit.ItemStates[:], orbit.ItemState(c.State)) {
		return &misuse{fmt.Sprintf("%q is no state of an item; it is one of %s", c.State, joinWords(orbit.ItemStates[:])), "items"}
	}
	client, err := a.client()
	if err != nil {
		return err
	}
	defer client.Close()
	now := time.Now()
	pages := client.Items(ctx, c.ID, apiclient.Query{Satellite: c.Satellite, State: c.State})
	return list(a, pages, "ID STATE >ATTEMPTS NODE >TIME ERROR", "no such items", func(it orbit.ItemDoc) []string {
		message := ""
		if it.Error != nil {
			message = it.Error.Message
		}
		return []string{it.ID, string(it.State), strconv.Itoa(it.Attempts), it.Node, between(it.StartedAt, it.FinishedAt, now), message}
	})
}

func joinWords(states []orbit.ItemState) string {
	words := make([]string, len(states))
	for i, s := range states {
		words[i] = string(s)
	}
	return strings.Join(words, ", ")
}
