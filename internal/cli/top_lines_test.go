package cli

import (
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/exospherehost/orbit"
	"github.com/exospherehost/orbit/internal/apiclient"
)

func TestTopTellsThePaceOfARun(t *testing.T) {
	var window []overview
	for i := range 3 {
		s := stood(time.Duration(i)*5*time.Second, 10+20*i, 0, 88-20*i)
		window = append(window, overview{at: s.At, runs: []orbit.Run{*s.Run}})
	}
	lines := (&app{globals: globals{NoColor: true}, stdout: &strings.Builder{}}).topLines(window)
	if last := lines[len(lines)-1]; !strings.HasSuffix(last, "  51/101       0  10.0s    missed  4.0/s  about 13s left") {
		t.Errorf("%q", lines)
	}
}

func TestClipLeavesColoursWhole(t *testing.T) {
	got := clip([]string{"abcdef", "abcde", "\x1b[31mabcdef\x1b[0m", "ab\x1b[31mcdef\x1b[0m", "\x1b[31mabcde\x1b[0m", "äöüßäö"}, 5)
	want := []string{"abcd…", "abcde", "\x1b[31mabcd…\x1b[0m", "ab\x1b[31mcd…\x1b[0m", "\x1b[31mabcde\x1b[0m", "äöüß…"}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}
}

// answers is a gateway whose lists are empty; the first two looks find it gone.
type answers struct{ asked int }

// RoundTrip implements http.RoundTripper.
func (s *answers) RoundTrip(*http.Request) (*http.Response, error) {
	if s.asked++; s.asked > 3 && s.asked < 6 {
		return nil, http.ErrServerClosed
	}
	w := httptest.NewRecorder()
	_, _ = w.WriteString(`{"data": [], "next": null}`)
	return w.Result(), nil
}

func TestTopIsDrawnAgainEachSecondUntilItIsLeft(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client, err := apiclient.New(apiclient.Options{URL: "http://127.0.0.1:1", Transport: &answers{asked: 3}})
		if err != nil {
			t.Fatal(err)
		}
		var out strings.Builder
		a := &app{globals: globals{NoColor: true}, stdout: &out, env: func(string) (string, bool) { return "", false }}
		ctx, cancel := context.WithTimeout(t.Context(), 4500*time.Millisecond)
		defer cancel()
		a.watchMesh(ctx, client, &progress{w: &out, live: true}, overview{at: time.Now()})
		const empty = "  0 nodes, 0 of 0 slots busy, 0 bundles waiting, 0 runs open"
		if n := strings.Count(out.String(), empty); n != 5 {
			t.Errorf("drawn %d times:\n%s", n, out.String())
		}
		if n := strings.Count(out.String(), "no gateway answers at http://127.0.0.1:1"); n != 2 {
			t.Errorf("the gateway is missed %d times:\n%s", n, out.String())
		}
	})
}
