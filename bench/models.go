package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/exospherehost/orbit"
	"github.com/exospherehost/orbit/internal/standin/llm"
)

const (
	// modelSatellite is bound to the stand-in by the node that is measured.
	modelSatellite = "bench/model"
	// modelTokens is the length of an answer.
	modelTokens = 40
	// modelAnswers is how many answers each place at the endpoint gives in one measurement: what happens at the beginning and the
	// end of a run, where not all places are taken, weighs little then.
	modelAnswers = 24
)

// modelPace is that of a model of some 8 billion weights on one large card, by the answer: 64 at once are 6,400 tokens a second.
var modelPace = llm.Options{Latency: 100 * time.Millisecond, TokensPerSecond: 100, Tokens: modelTokens}

// models measures how many answers a second a run gets from an OpenAI-compatible server, through gateway and node, compared
// with what a plain client gets that sends the same requests with as many at once. The server is the stand-in: it has the pace
// of a model and takes little of the machine.
func models(ctx context.Context, b *bench) ([]row, error) {
	server, err := startChild(ctx, b, "model")
	if err != nil {
		return nil, err
	}
	defer server.Stop()
	var rows []row
	for _, at := range []int{1, 8, 64} {
		n := max(2*at, b.size(at*modelAnswers))
		var plains, orbits []rate
		var ratios []float64
		for range b.rounds {
			plain, err := askPlainly(ctx, server.ready.URL, at, n)
			if err != nil {
				return rows, fmt.Errorf("plain client, %d at once: %w", at, err)
			}
			own, err := askByRun(ctx, b, server.ready.URL, at, n)
			if err != nil {
				return rows, fmt.Errorf("run, %d at once: %w", at, err)
			}
			plains, orbits = append(plains, plain), append(orbits, own)
			ratios = append(ratios, own.perSecond()/plain.perSecond())
			b.say("  %d at once, %d answers: plain %.1f, orbit %.1f answers/s, ratio %.2f", at, n, plain.perSecond(), own.perSecond(), own.perSecond()/plain.perSecond())
		}
		what := fmt.Sprintf("answers of a model, %d at once", at)
		speed := median(of(orbits, rate.perSecond))
		rows = append(rows,
			row{what, "orbit", fmt.Sprintf("%.1f answers/s, %s tokens/s, %.0f µs of processor an answer", speed, count(speed*modelTokens), median(of(orbits, rate.each)))},
			row{what, "ratio", fmt.Sprintf("%.2f (%s) of a plain client's %.1f answers/s", median(ratios), each(ratios), median(of(plains, rate.perSecond)))})
	}
	return rows, nil
}

// modelPrompt is what each item asks, before its number. Most of it is the same for all, as most of a prompt usually is.
const modelPrompt = "Say in a few words what this report is about, and of which quarter it is. Name no figures. The report has the number "

// askPlainly sends n requests, at of them at once, and reads each answer to its end.
func askPlainly(ctx context.Context, url string, at, n int) (rate, error) {
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: at}}
	defer client.CloseIdleConnections()
	var next atomic.Int64
	var wg sync.WaitGroup
	begun := time.Now()
	for range at {
		wg.Go(func() {
			for i := int(next.Add(1)) - 1; i < n && ctx.Err() == nil; i = int(next.Add(1)) - 1 {
				if err := askOnce(ctx, client, url, modelPrompt+strconv.Itoa(firstN+i)); err != nil {
					stop(err)
				}
			}
		})
	}
	wg.Wait()
	return rate{bundles: n, took: time.Since(begun)}, context.Cause(ctx)
}

func askOnce(ctx context.Context, client *http.Client, url, prompt string) error {
	body := fmt.Sprintf(`{"model":"model","messages":[{"role":"user","content":%q}],"temperature":0.5,"max_tokens":%d,"stream":true,"stream_options":{"include_usage":true}}`, prompt, modelTokens)
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, url+"/chat/completions", strings.NewReader(body))
	if err != nil {
		return err
	}
	req.Header.Set("Content-Type", "application/json")
	resp, err := client.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return errors.New(resp.Status)
	}
	_, err = io.Copy(io.Discard, resp.Body)
	return err
}

// askByRun lets one run ask for n answers, on a mesh of its own whose node is bound to the server with so many at once. The time
// is that of the run: from its acceptance to its end.
func askByRun(ctx context.Context, b *bench, url string, at, n int) (rate, error) {
	binding := fmt.Sprintf("{%s: {url: %q, concurrency: %d}}", modelSatellite, url, at)
	ctx, m, err := startMesh(ctx, b, "models", 0, "-models", binding)
	if err != nil {
		return rate{}, err
	}
	defer m.Stop()
	name := "bench/models"
	file := "version: 0.0.1b\ncluster:\n  identifier: " + name + "\n  sla: 6h\n  trigger: api-call\n  satellites:\n    - {uses: bench/emit, identifier: root}\n" +
		"    - uses: " + modelSatellite + "\n      identifier: ask\n      config: {max-tokens: " + strconv.Itoa(modelTokens) + "}\n" +
		"      input: {prompt: \"" + modelPrompt + "${{ satellites.root.output.n }}\"}\n"
	if err := m.apply(ctx, name, []byte(file)); err != nil {
		return rate{}, err
	}
	if _, _, err := m.succeed(ctx, name, map[string]any{"count": at}); err != nil { // connections are open after that
		return rate{}, err
	}
	m.profile(b)
	spent := watch(m.gateway.PID(), m.node.PID())
	run, _, err := m.succeed(ctx, name, map[string]any{"count": n})
	if err != nil {
		return rate{}, err
	}
	cpu := spent()
	m.profile(b)
	if got := run.Satellites[1].Items.Of(orbit.ItemSucceeded); got != n {
		return rate{}, fmt.Errorf("%d items have succeeded; there must be %d", got, n)
	}
	return rate{bundles: n, took: run.FinishedAt.Sub(run.CreatedAt), cpu: cpu}, nil
}

// playModel is the server, a process of its own.
func playModel(context.Context, roleFlags) (ready, func(), error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return ready{}, nil, err
	}
	server := &http.Server{Handler: llm.New(modelPace), ReadHeaderTimeout: 10 * time.Second}
	go func() { _ = server.Serve(l) }() // ends with Close
	return ready{URL: "http://" + l.Addr().String() + "/v1"}, func() { _ = server.Close() }, nil
}
