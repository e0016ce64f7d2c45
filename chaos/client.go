package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/exospherehost/orbit"
	"github.com/exospherehost/orbit/internal/apiclient"
	"github.com/exospherehost/orbit/internal/orbittest"
)

// patience is how long a client waits for an answer. It is longer than most faults hold one up, and shorter than some.
const patience = 8 * time.Second

// client makes requests to one gateway and writes down what came of them.
type client struct {
	gateway string
	api     *apiclient.Client
	history *history
}

func newClient(gateway, url, token string, h *history, heard *heard) (*client, error) {
	transport := &http.Transport{DialContext: (&net.Dialer{Timeout: 3 * time.Second}).DialContext, MaxIdleConnsPerHost: 64, ResponseHeaderTimeout: patience}
	api, err := apiclient.New(apiclient.Options{URL: url, Token: token, Transport: &earwig{transport, heard}})
	return &client{gateway, api, h}, err
}

// start starts a run. o says for whom.
func (c *client) start(ctx context.Context, o op, payload []byte, secrets map[string]string) op {
	o.Kind = opStart
	return c.call(ctx, o, func(ctx context.Context) (json.RawMessage, error) {
		return c.api.Start(ctx, o.Cluster, apiclient.Start{Payload: payload, Secrets: secrets, Key: o.Key})
	})
}

// read reads a run, waiting for its end for a while.
func (c *client) read(ctx context.Context, o op, wait time.Duration) op {
	o.Kind = opRead
	return c.call(ctx, o, func(ctx context.Context) (json.RawMessage, error) { return c.api.Run(ctx, o.Run, wait) })
}

// cancel cancels a run.
func (c *client) cancel(ctx context.Context, o op) op {
	o.Kind = opCancel
	return c.call(ctx, o, func(ctx context.Context) (json.RawMessage, error) { return c.api.Cancel(ctx, o.Run) })
}

// call makes a request that is answered with a run, and notes it.
func (c *client) call(ctx context.Context, o op, request func(context.Context) (json.RawMessage, error)) op {
	o.Gateway, o.Call = c.gateway, c.history.now()
	ctx, stop := context.WithTimeout(ctx, patience)
	raw, err := request(ctx)
	stop()
	o.Return = c.history.now()
	var run orbit.Run
	if err == nil {
		err = json.Unmarshal(raw, &run)
	}
	if err == nil && o.Run != "" && run.ID != o.Run {
		o.Note = fmt.Sprintf("asked for run %s and got %s", o.Run, run.ID)
	}
	if err == nil {
		o.Run, o.State, o.Result = run.ID, run.State, resultOK
	} else {
		o.Result, o.Status = outcome(err)
		o.Note = err.Error()
	}
	c.history.add(o)
	return o
}

// outcome tells what a failed request may have done.
func outcome(err error) (result string, status int) {
	var p *orbit.Problem
	if errors.As(err, &p) {
		if p.Status >= 400 && p.Status < 500 && p.Status != http.StatusRequestTimeout {
			return resultRefused, p.Status
		}
		return resultUnknown, p.Status
	}
	if errors.Is(err, syscall.ECONNREFUSED) { // nobody has heard it
		return resultFailed, 0
	}
	return resultUnknown, 0
}

// outputs counts the leaf outputs of a run; not ok if they did not come whole.
func (c *client) outputs(ctx context.Context, run string) (n int, ok bool) {
	ctx, stop := context.WithTimeout(ctx, patience)
	defer stop()
	body, err := c.api.Outputs(ctx, run, "")
	if err != nil {
		return 0, false
	}
	defer body.Close()
	in := bufio.NewReader(body)
	for {
		line, err := in.ReadBytes('\n')
		if len(bytes.TrimSpace(line)) > 0 {
			n++
		}
		if err != nil {
			return n, errors.Is(err, io.EOF)
		}
	}
}

// items counts the items of a run; not ok if the list did not come whole.
func (c *client) items(ctx context.Context, run string) (n int, ok bool) {
	ctx, stop := context.WithTimeout(ctx, patience)
	defer stop()
	for page, err := range c.api.Items(ctx, run, apiclient.Query{}) {
		if err != nil {
			return 0, false
		}
		n += len(page)
	}
	return n, true
}

// earwig reads every answer of an API and looks for secrets.
type earwig struct {
	next http.RoundTripper

	heard *heard
}

// heard is what all earwigs have heard.
type heard struct {
	mu      sync.Mutex
	answers int
	bytes   int64
	wrong   []string
}

// RoundTrip implements http.RoundTripper.
func (e *earwig) RoundTrip(r *http.Request) (*http.Response, error) {
	resp, err := e.next.RoundTrip(r)
	if err != nil {
		return nil, err
	}
	text, err := io.ReadAll(resp.Body)
	_ = resp.Body.Close()
	h := e.heard
	h.mu.Lock()
	defer h.mu.Unlock()
	h.answers++
	h.bytes += int64(len(text))
	if orbittest.ShowsSecret(text) {
		h.wrong = append(h.wrong, fmt.Sprintf("a secret can be read in the answer to %s %s", r.Method, strings.SplitN(r.URL.String(), "?", 2)[0]))
	}
	resp.Body = &cutBody{Reader: bytes.NewReader(text), err: err}
	return resp, nil
}

// cutBody gives what came, and then the error that came after it.
type cutBody struct {
	*bytes.Reader
	err error
}

func (b *cutBody) Read(p []byte) (int, error) {
	n, err := b.Reader.Read(p)
	if errors.Is(err, io.EOF) && b.err != nil {
		return n, b.err
	}
	return n, err
}

func (b *cutBody) Close() error { return nil }
