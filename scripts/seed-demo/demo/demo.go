// Package demo runs the cluster of examples/structured-json against real servers on loopback: an S3 server over a folder, a
// receiver of webhooks, logs and alerts, a mail server that delivers nothing, a model or its stand-in, a gateway and nodes, each of
// Orbit's and the S3 server a process of its own. It uploads reports, fires the cluster's cron trigger, checks what came of each
// file, and reads the mail that a second cluster sends at the end of the run.
package demo

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/exospherehost/orbit"
	"github.com/exospherehost/orbit/internal/apiclient"
	"github.com/exospherehost/orbit/internal/standin/smtp"
	"github.com/exospherehost/orbit/scripts/make-reports/report"
)

// What the cluster file names.
const (
	cluster       = "aikin/strucutred-pdfs"
	bucket        = "aikin-financial-reports"
	failureBucket = "aikin-financial-reports-failure"
	prefix        = "sec/2025/"
	failedPrefix  = "failed/quaterly-financial-reports/"
	webhookURL    = "http://127.0.0.1:7099/v1/financial-reports" // as the file has it; replaced by where the receiver listens
)

// Options say what is run.
type Options struct {
	Bin   string    // folder with orbit-gateway and orbit-node
	S3    string    // the program versitygw
	File  string    // the cluster file
	Mail  string    // the file of the cluster that sends a mail at its end
	Dir   string    // an empty folder to work in
	Model string    // URL of an OpenAI-compatible endpoint; "": a stand-in
	Kill  bool      // kill a node with -9 when the first webhooks have come
	Out   io.Writer // takes a line for each step
}

// Result is what came of it.
type Result struct {
	Run    orbit.Run
	Hooks  []Hook   // calls of the webhook, in the order in which they were answered
	Left   []string // keys that are still in the bucket
	Failed []string // keys in the failure bucket
	Alerts []string // what was said to PagerDuty
	Logs   int      // records that New Relic got
	Mails  []Mail   // in the order in which they came
}

// Run runs all of it and gives what came of it. Everything it started has ended when it returns.
func Run(ctx context.Context, o Options) (_ *Result, err error) {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Minute)
	defer cancel()
	say := func(format string, args ...any) { fmt.Fprintf(o.Out, format+"\n", args...) }
	procs := &processes{dir: o.Dir}
	defer procs.stop()

	store, err := startStore(ctx, procs, o)
	if err != nil {
		return nil, fmt.Errorf("the S3 server: %w", err)
	}
	say("S3 server (versitygw over a folder) at %s", store.url)
	receiver, err := startReceiver(store)
	if err != nil {
		return nil, err
	}
	defer receiver.close()
	say("webhooks, New Relic and PagerDuty are received at %s", receiver.url)
	post, err := smtp.Start(smtp.Options{})
	if err != nil {
		return nil, err
	}
	defer post.Close()
	say("mails are received by SMTP at %s, and go no further", post.Addr)
	model := o.Model
	if model == "" {
		standin, err := startModel()
		if err != nil {
			return nil, err
		}
		defer standin.close()
		model = standin.url
		say("THE MODEL IS A STAND-IN at %s: it makes answers up that fit the schema. Set ORBIT_LLM_URL to ask a real one", model)
	} else {
		say("the model is asked at %s", model)
	}
	reports := filepath.Join(o.Dir, "reports")
	if err := report.Write(reports); err != nil {
		return nil, err
	}
	n, err := store.upload(ctx, reports)
	if err != nil {
		return nil, fmt.Errorf("upload the reports: %w", err)
	}
	say("%d PDF reports uploaded to s3://%s/%s, one of them damaged", n, bucket, prefix)

	mesh, err := startMesh(ctx, procs, o, store, receiver, model)
	if err != nil {
		return nil, err
	}
	say("gateway at %s, two nodes", mesh.url)
	text, err := os.ReadFile(o.File)
	if err != nil {
		return nil, err
	}
	if !strings.Contains(string(text), webhookURL) {
		return nil, fmt.Errorf("%s does not call %s", o.File, webhookURL)
	}
	text = []byte(strings.ReplaceAll(string(text), webhookURL, receiver.url+"/v1/financial-reports"))
	if _, _, err := mesh.api.Apply(ctx, cluster, text); err != nil {
		return nil, fmt.Errorf("apply the cluster: %w", err)
	}
	if err := mesh.applyMail(ctx, o.Mail, post); err != nil {
		return nil, fmt.Errorf("apply the cluster that sends mails: %w", err)
	}
	raw, err := mesh.api.Fire(ctx, cluster+"/cron", nil)
	if err != nil {
		return nil, fmt.Errorf("fire the trigger: %w", err)
	}
	run, err := orbitRun(raw)
	if err != nil {
		return nil, err
	}
	say("its cron trigger has fired: run %s", run.ID)
	if o.Kill {
		receiver.await(ctx, 3)
		if err := procs.kill("node-1"); err != nil {
			return nil, err
		}
		say("node-1 was killed with -9 in the middle")
	}
	if run, err = mesh.wait(ctx, run.ID, say); err != nil {
		return nil, err
	}
	r := &Result{Run: *run}
	if r.Mails, err = mesh.awaitMail(ctx, post, say); err != nil {
		return nil, fmt.Errorf("the mail at the end of run %s: %w", run.ID, err)
	}
	r.Hooks, r.Alerts, r.Logs = receiver.got()
	if r.Left, err = store.list(ctx, bucket); err != nil {
		return nil, err
	}
	if r.Failed, err = store.list(ctx, failureBucket); err != nil {
		return nil, err
	}
	return r, errors.Join(r.check(n), r.checkMails(o.Kill))
}

// check holds what came of it against what was promised for n reports, of which one is damaged.
func (r *Result) check(n int) error {
	var wrong []error
	add := func(format string, args ...any) { wrong = append(wrong, fmt.Errorf(format, args...)) }
	keys, files := map[string]string{}, map[string]bool{}
	for _, h := range r.Hooks {
		if h.Key == "" {
			add("the call for %s has no idempotency key", h.File)
		}
		if file, twice := keys[h.Key]; twice && file != h.File {
			add("the calls for %s and %s have one idempotency key", file, h.File)
		}
		keys[h.Key], files[h.File] = h.File, true
		if !h.There {
			add("%s was deleted before its webhook was answered", h.File)
		}
		if h.Token != "Bearer your-api-bearer-token" {
			add("the call for %s bears the token %q", h.File, h.Token)
		}
	}
	if len(keys) != n-1 || len(files) != n-1 {
		add("%d files came to the webhook under %d keys, want %d", len(files), len(keys), n-1)
	}
	if len(r.Left) > 0 {
		add("the bucket still holds %s", strings.Join(r.Left, ", "))
	}
	if len(r.Failed) != 1 || !strings.HasPrefix(r.Failed[0], failedPrefix) {
		add("the failure bucket holds %q, want the damaged report", r.Failed)
	}
	if len(r.Alerts) != 1 {
		add("%d alerts, want 1", len(r.Alerts))
	}
	if r.Logs == 0 {
		add("no log has come to New Relic")
	}
	if r.Run.State != orbit.RunPartial {
		add("the run ended as %s: %s", r.Run.State, r.Run.Error)
	}
	return errors.Join(wrong...)
}

// wait waits for the end of a run, and says how it stands now and then.
func (m *mesh) wait(ctx context.Context, id string, say func(string, ...any)) (*orbit.Run, error) {
	last := ""
	for {
		run, err := m.api.Run(ctx, id, time.Second)
		var down *apiclient.Unreachable
		switch {
		case errors.As(err, &down) && ctx.Err() == nil:
			continue
		case err != nil:
			return nil, err
		case run.State.Terminal():
			return run, nil
		}
		line := ""
		for _, s := range run.Satellites {
			if n := s.Items.Of(orbit.ItemSucceeded); n > 0 {
				line += fmt.Sprintf(" %s %d", s.Identifier, n)
			}
		}
		if line != last {
			say("done so far:%s", line)
			last = line
		}
	}
}
