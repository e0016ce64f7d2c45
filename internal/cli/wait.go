package cli

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/exospherehost/orbit"
	"github.com/exospherehost/orbit/internal/apiclient"
)

const (
	pollWait   = 500 * time.Millisecond // how long the gateway may hold an answer back: progress is fluent, and the end is seen at once
	pollPause  = 250 * time.Millisecond // least time between two questions, should a gateway answer at once
	patience   = 2 * time.Minute        // a gateway that restarts, or another that takes its address, is back well within
	retryPause = time.Second
)

// wait follows a run to its end: progress on stderr, then its outputs on stdout, then what failed on stderr. The error
// carries the exit code of the run's state. Interrupted is called when ctx ends first.
func (a *app) wait(ctx context.Context, client *apiclient.Client, run *orbit.Run, interrupted func()) error {
	end, err := a.follow(ctx, client, run.ID)
	if err == nil {
		err = a.conclude(ctx, client, end)
	}
	var ended exit
	switch {
	case err == nil || errors.As(err, &ended):
		return err
	case ctx.Err() == nil:
		if apiclient.Passing(err) {
			a.say("the run goes on without its gateway; later `%s` shows how it stands", a.command("status", run.ID))
		}
		return err
	}
	interrupted()
	return exit(exitInterrupted)
}

// follow asks how the run stands until it has ended, and shows it.
func (a *app) follow(ctx context.Context, client *apiclient.Client, id string) (*orbit.Run, error) {
	progress := a.newProgress()
	defer progress.clear()
	for {
		asked := time.Now()
		var raw json.RawMessage
		err := a.patiently(ctx, progress.clear, func() (err error) {
			raw, err = client.Run(ctx, id, pollWait)
			return err
		})
		if err != nil {
			return nil, err
		}
		run, err := decode[*orbit.Run](raw)
		if err != nil || run.State.Terminal() {
			return run, err
		}
		progress.show(snapshot{At: time.Now(), Run: run})
		if err := pause(ctx, pollPause-time.Since(asked)); err != nil {
			return nil, err
		}
	}
}

// conclude shows what became of a run that has ended.
func (a *app) conclude(ctx context.Context, client *apiclient.Client, run *orbit.Run) error {
	var body io.ReadCloser
	err := a.patiently(ctx, func() {}, func() (err error) {
		body, err = client.Outputs(ctx, run.ID, "")
		return err
	})
	if err != nil {
		return err
	}
	defer body.Close()
	if err := a.pour(body, run.ID); err != nil {
		return err
	}
	a.say("%s", verdict(run))
	if err := a.tellFailed(ctx, client, run); err != nil {
		return err
	}
	switch run.State {
	case orbit.RunSucceeded:
		return nil
	case orbit.RunCancelled:
		return exit(exitCancelled)
	}
	return exit(exitRunFailed)
}

// verdict says in a line how a run has ended.
func verdict(run *orbit.Run) string {
	n := countItems(run.Satellites)
	text := fmt.Sprintf("run %s %s", run.ID, run.State)
	if run.State == orbit.RunPartial {
		text = fmt.Sprintf("run %s is partial", run.ID)
	}
	if run.FinishedAt != nil {
		text += " after " + shortDuration(run.FinishedAt.Sub(run.CreatedAt))
	}
	text += ": " + one(n.total, "item")
	if n.failed > 0 {
		text += fmt.Sprintf(", %d failed", n.failed)
	}
	if run.DeadlineMissed {
		text += ", deadline missed"
	}
	if run.Error != "" && n.failed == 0 { // else the failed items are told one by one
		text += "; " + oneLine(run.Error)
	}
	return text
}

// patiently makes a request again while the gateway does not answer, for as long as one may need to come back: the run
// goes on without it. It says so once, after before.
func (a *app) patiently(ctx context.Context, before func(), request func() error) error {
	var since time.Time
	for {
		err := request()
		if err == nil || !apiclient.Passing(err) || ctx.Err() != nil {
			return err
		}
		switch {
		case since.IsZero():
			since = time.Now()
			before()
			a.say("the gateway does not answer; the run goes on, and this waits for the gateway")
		case time.Since(since) > patience:
			return err
		}
		if err := pause(ctx, retryPause); err != nil {
			return err
		}
	}
}

// pause waits, or gives the context's error.
func pause(ctx context.Context, d time.Duration) error {
	if d <= 0 {
		return ctx.Err()
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}
