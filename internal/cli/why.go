package cli

import (
	"context"
	"strconv"

	"github.com/exospherehost/orbit"
)

// whyCommand is `orbit why`.
type whyCommand struct {
	ID   string `arg:"" name:"run" help:"Id of the run."`
	Item string `arg:"" optional:"" help:"Only this item, such as parse-pdf/0.17, or this satellite of the cluster."`
}

// Help is the long help.
func (*whyCommand) Help() string {
	return "Shows a line for each satellite with open items, what blocks most first, and after them the satellites that have none yet; and below, what would change it. " +
		"The words in the column WHY are stable. The exit code is 0 whatever the reason."
}

// Run tells why.
func (c *whyCommand) Run(ctx context.Context, a *app) error {
	client, err := a.client()
	if err != nil {
		return err
	}
	defer client.Close()
	raw, err := client.Why(ctx, c.ID, c.Item)
	if err != nil {
		return err
	}
	return show(a, raw, a.showWhy)
}

// showWhy writes the reasons as a table, and then what would change them, each hint once.
func (a *app) showWhy(why orbit.Why) error {
	t := a.newTable("ABOUT >ITEMS WHY REASON")
	for _, r := range why.Reasons {
		items := ""
		if r.Items > 0 {
			items = strconv.Itoa(r.Items)
		}
		t.add(about(r), items, string(r.Code), r.Reason)
	}
	if err := t.flush(); err != nil {
		return err
	}
	told := map[string]bool{}
	for _, r := range why.Reasons {
		if r.Hint == "" || told[r.Hint] {
			continue
		}
		if len(told) == 0 {
			if err := a.print(""); err != nil {
				return err
			}
		}
		told[r.Hint] = true
		if err := a.print("%s: %s", about(r), oneLine(r.Hint)); err != nil {
			return err
		}
	}
	return nil
}

// about says of what a reason is: an item, a satellite or the run.
func about(r orbit.WhyReason) string {
	switch {
	case r.Item != nil:
		return *r.Item
	case r.Satellite != "":
		return r.Satellite
	}
	return "run"
}
