package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/exospherehost/orbit"
	"github.com/exospherehost/orbit/internal/standin/s3"
	"github.com/exospherehost/orbit/streams"
)

const (
	// listedPrefix and warmPrefix begin the keys that are listed while it is measured, and before.
	listedPrefix, warmPrefix = "sec/", "warm/"
	// warmKeys is how many keys are listed first: a few pages.
	warmKeys = 5000
	// listingKey is the account of the stand-in.
	listingKey = "bench"
)

// listing measures how long a run takes from its acceptance until the first of its children begins, where its root lists a
// bucket in S3: of 10,000 objects, and of 100,000. A root's record names all its children and comes before them, so the
// first child waits for the end of the listing. The server is a stand-in that has its keys in memory; what it takes of the time
// is told by a plain client that reads the same pages one after the other, and nothing in them but where the next begins.
func listing(ctx context.Context, b *bench) ([]row, error) {
	var rows []row
	for _, full := range []int{10_000, 100_000} {
		more, err := listingOf(ctx, b, b.size(full))
		rows = append(rows, more...)
		if err != nil {
			return rows, fmt.Errorf("of %d objects: %w", full, err)
		}
	}
	return rows, nil
}

func listingOf(ctx context.Context, b *bench, n int) ([]row, error) {
	server, err := startChild(ctx, b, "s3", "-keys", fmt.Sprint(n))
	if err != nil {
		return nil, err
	}
	defer server.Stop()
	ctx, m, err := startMesh(ctx, b, fmt.Sprintf("listing-%d", n), 0)
	if err != nil {
		return nil, err
	}
	defer m.Stop()
	name := "bench/listing"
	file := clusterHead(name) + "\n" +
		"    - uses: exospherehost/get-files-from-s3\n      identifier: root\n      config:\n        bucket: " + s3.Bucket + "\n        prefix: ${{ trigger.payload.prefix }}\n        recursive: true\n" +
		"        extension: pdf\n        secrets: {AWS_ENDPOINT: \"" + server.ready.URL + "\", AWS_ACCESS_KEY: " + listingKey + ", AWS_SECRET_KEY: " + listingKey + "}\n" +
		"    - {uses: bench/noop, identifier: child}\n"
	if err := m.apply(ctx, name, []byte(file)); err != nil {
		return nil, err
	}
	if _, _, err := m.succeed(ctx, name, map[string]any{"prefix": warmPrefix}); err != nil { // connections are open after that
		return nil, err
	}
	before := resident(m.node.PID())
	m.profile(b)
	var firsts, roots, plains, shares, peaks, rests []float64
	for range b.rounds {
		plain, err := listPlainly(ctx, server.ready.URL)
		if err != nil {
			return nil, fmt.Errorf("plain client: %w", err)
		}
		memory := m.sampleNode(ctx)
		run, _, err := m.succeed(ctx, name, map[string]any{"prefix": listedPrefix})
		samples := memory()
		if err != nil {
			return nil, err
		}
		if err := m.checkFan(ctx, run, n, 0); err != nil {
			return nil, err
		}
		root, first, err := m.firstChild(ctx, run)
		if err != nil {
			return nil, err
		}
		listed, after := samples.until(run.CreatedAt.Add(first))
		firsts, roots, plains = append(firsts, first.Seconds()), append(roots, root.Seconds()), append(plains, plain.Seconds())
		peaks, rests = append(peaks, listed), append(rests, after)
		shares = append(shares, plain.Seconds()/first.Seconds())
		b.say("  %d objects: first child after %.2f s, root listed for %.2f s, the server's pages alone take %.2f s", n, first.Seconds(), root.Seconds(), plain.Seconds())
	}
	m.profile(b)
	what := count(float64(n)) + " objects in S3"
	return []row{
		{what, "first child begins", fmt.Sprintf("%.2f s (%s) after the run is accepted", median(firsts), each(firsts))},
		{what, "– of it the root", fmt.Sprintf("%.2f s (%s), from its beginning to its record", median(roots), each(roots))},
		{what, "– of it the server", fmt.Sprintf("%.2f s: a plain client reads the pages in that time; %.2f (%s) of the whole", median(plains), median(shares), each(shares))},
		{what, "node's memory", fmt.Sprintf("%d MiB before, %.0f MiB (%s) at most while it lists, %.0f MiB (%s) at most after that", before, median(peaks), whole(peaks), median(rests), whole(rests))},
	}, nil
}

// firstChild gives how long the root of a run ran, and the time from the run's acceptance to when a node began the first bundle of
// its child, both as the records have it, in milliseconds by the one clock of this machine.
func (m *mesh) firstChild(ctx context.Context, run *orbit.Run) (root, first time.Duration, err error) {
	var begun time.Time
	err = streams.ReadAll(ctx, m.conn, streams.StreamName(0), streams.RecordsOf(0, run.ID), 1, func(s streams.Stored) error {
		rec, err := orbit.DecodeRecordHead(s.Data)
		switch {
		case err != nil:
			return err
		case rec.Step == "root":
			root = rec.FinishedAt().Sub(rec.StartedAt())
		case begun.IsZero() || rec.StartedAt().Before(begun):
			begun = rec.StartedAt()
		}
		return nil
	})
	if err == nil && begun.IsZero() {
		err = errors.New("no child has begun")
	}
	return root, begun.Sub(run.CreatedAt), err
}

// listPlainly reads the pages of a listing one after the other, and gives how long that takes.
func listPlainly(ctx context.Context, server string) (time.Duration, error) {
	client := &http.Client{Transport: &http.Transport{}}
	defer client.CloseIdleConnections()
	begun, token := time.Now(), ""
	for {
		q := url.Values{"list-type": {"2"}, "encoding-type": {"url"}, "prefix": {listedPrefix}, "continuation-token": {token}}
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, server+"/"+s3.Bucket+"/?"+q.Encode(), nil)
		if err != nil {
			return 0, err
		}
		req.Header.Set("Authorization", "AWS4-HMAC-SHA256 Credential="+listingKey+"/")
		resp, err := client.Do(req)
		if err != nil {
			return 0, err
		}
		page, err := io.ReadAll(resp.Body)
		resp.Body.Close()
		if err != nil || resp.StatusCode != http.StatusOK {
			return 0, errors.Join(err, errors.New(resp.Status))
		}
		_, rest, more := bytes.Cut(page, []byte("<NextContinuationToken>"))
		if !more {
			return time.Since(begun), nil
		}
		next, _, _ := bytes.Cut(rest, []byte("<"))
		token = string(next)
	}
}

// sampled is a node's resident memory in MiB, at one moment after the other.
type sampled []struct {
	at  time.Time
	mib int
}

// sampleNode samples the node's memory, a hundred times a second. The function that it gives ends that.
func (m *mesh) sampleNode(ctx context.Context) func() sampled {
	ctx, stop := context.WithCancel(ctx)
	out := make(chan sampled)
	go func() { // ends with the function
		var all sampled
		for pause(ctx, 10*time.Millisecond) == nil {
			all = append(all, struct {
				at  time.Time
				mib int
			}{time.Now(), resident(m.node.PID())})
		}
		out <- all
	}()
	return func() sampled { stop(); return <-out }
}

// until gives the most before a moment, and after it.
func (s sampled) until(t time.Time) (before, after float64) {
	for _, one := range s {
		if one.at.Before(t) {
			before = max(before, float64(one.mib))
		} else {
			after = max(after, float64(one.mib))
		}
	}
	return before, after
}

func whole(values []float64) string {
	var out []string
	for _, v := range slices.Sorted(slices.Values(values)) {
		out = append(out, fmt.Sprintf("%.0f", v))
	}
	return strings.Join(out, " ")
}

// playS3 is the server, a process of its own.
func playS3(_ context.Context, f roleFlags) (ready, func(), error) {
	keys := make([]string, 0, f.keys+warmKeys)
	for i := range f.keys {
		keys = append(keys, fmt.Sprintf("%s2025/quarter-%d/report-of-company-%07d.pdf", listedPrefix, i*4/f.keys+1, i))
	}
	for i := range warmKeys {
		keys = append(keys, fmt.Sprintf("%sreport-%07d.pdf", warmPrefix, i))
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return ready{}, nil, err
	}
	server := &http.Server{Handler: s3.New(s3.Options{AccessKey: listingKey, SecretKey: listingKey}, keys...), ReadHeaderTimeout: 10 * time.Second}
	go func() { _ = server.Serve(l) }() // ends with Close
	return ready{URL: "http://" + l.Addr().String()}, func() { _ = server.Close() }, nil
}
