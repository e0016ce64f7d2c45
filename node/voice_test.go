package node

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/rs/zerolog"

	"github.com/exospherehost/orbit"
	"github.com/exospherehost/orbit/satellite"
	"github.com/exospherehost/orbit/streams"
	"github.com/exospherehost/orbit/vault"
)

// newBook is a book of a node that logs to out from a level on.
func newBook(out *bytes.Buffer, level zerolog.Level) *book {
	n := &Node{log: zerolog.New(out).Level(level)}
	return (&logs{node: n, open: map[*book]struct{}{}}).book(&streams.Delivery{Run: "r", Bundle: &orbit.Bundle{ID: "b", Run: "r", Step: "s"}})
}

// text gives a book's records, one a line.
func text(b *book) string {
	var lines []string
	for _, e := range b.lines {
		lines = append(lines, fmt.Sprintf("%s %d.%d %s %s %s", e.Lineage, e.Attempt, e.Index, e.Level, e.Message, e.Fields))
	}
	return strings.Join(lines, "\n")
}

func TestWhatASatelliteWritesBecomesRecordsOfItsItem(t *testing.T) {
	var out bytes.Buffer
	b := newBook(&out, zerolog.WarnLevel)
	inv := &satellite.Invocation{Run: "r", Step: "s", Lineage: "0.1", Attempt: 2}
	log := b.logger(inv, true)
	log.Info().Int("pages", 3).Str("big", "9007199254740993").Int64("n", 9007199254740993).Msg("reading")
	log.Trace().Msg("never kept")
	inv.Lineage, inv.Attempt = "0.2", 1 // the next item of a satellite that is done when it returns
	log.Warn().Err(errors.New("a \"b\"")).Send()
	log.Log().Msg("no level")
	other := b.logger(&satellite.Invocation{Run: "r", Step: "s", Lineage: "0.3", Attempt: 1}, false)
	other.Debug().Msg("d")
	log.Error().Msg("e")
	other.Debug().Msg("d")
	want := `0.1 2.1 info reading {"big":"9007199254740993","n":9007199254740993,"pages":3}
0.2 1.1 warn  {"error":"a \"b\""}
0.2 1.2 info no level 
0.3 1.1 debug d 
0.2 1.3 error e 
0.3 1.2 debug d `
	if got := text(b); got != want {
		t.Errorf("records:\n%s\nwant:\n%s", got, want)
	}
	wantOut := `{"level":"warn","run":"r","item":"s/0.2","satellite":"s","attempt":1,"error":"a \"b\""}
{"run":"r","item":"s/0.2","satellite":"s","attempt":1,"message":"no level"}
{"level":"error","run":"r","item":"s/0.2","satellite":"s","attempt":1,"message":"e"}
`
	if out.String() != wantOut {
		t.Errorf("the node's own log:\n%s\nwant:\n%s", out.String(), wantOut)
	}
}

func TestRecordsAreMaskedBeforeTheyAreKept(t *testing.T) {
	var out bytes.Buffer
	b := newBook(&out, zerolog.DebugLevel)
	mask := vault.NewMasker(map[string]string{"TOKEN": "CANARY-1"})
	for _, quick := range []bool{true, false} {
		log := satellite.MaskedLog(b.logger(&satellite.Invocation{Run: "r", Step: "s", Lineage: "0", Attempt: 1}, quick), mask)
		log.Warn().Str("token", "xCANARY-1").Interface("deep", map[string]any{"CANARY-1": []string{"CANARY-1"}}).Msg("with CANARY-1")
	}
	want := `0 1.1 warn with *** {"deep":{"***":["***"]},"token":"x***"}`
	if got := text(b); got != want+"\n"+want || strings.Contains(out.String(), "CANARY") || !strings.Contains(out.String(), "with ***") {
		t.Errorf("records:\n%s\nthe node's own log:\n%s", got, out.String())
	}
}

func TestRecordsAreBounded(t *testing.T) {
	b := newBook(&bytes.Buffer{}, zerolog.Disabled)
	log := b.logger(&satellite.Invocation{Run: "r", Step: "s", Lineage: "0", Attempt: 1}, false)
	log.Info().Str("stack", strings.Repeat("ä", maxText)).Msg(strings.Repeat("ö", maxText))
	if e := b.lines[0]; len(e.Message) > maxText+4 || !strings.HasSuffix(e.Message, "ö…") || !json.Valid(e.Fields) || len(e.Fields) > maxText+100 {
		t.Errorf("%d bytes of message, %d of fields", len(e.Message), len(e.Fields))
	}
	log.Info().Ints("list", make([]int, maxFields)).Msg("too much")
	if got := string(b.lines[1].Fields); got != `{"left-out":"1 fields of 32773 bytes"}` {
		t.Errorf("fields %s", got)
	}
	for range 2 * maxLines {
		log.Info().Msg("again")
	}
	if n := len(b.lines); n != maxLines || !strings.Contains(b.lines[n-1].Message, "the rest is left out") {
		t.Errorf("%d records, the last %q", n, b.lines[n-1].Message)
	}
	for i := range 5000 {
		b.write(orbit.LogEntry{Message: strings.Repeat("x", 1000), Lineage: "1", Index: i})
	}
	if b.size > heldBytes || b.lost < 3000 {
		t.Errorf("%d bytes are held back, %d records are left out", b.size, b.lost)
	}
	b.shut = true
	held := len(b.lines)
	log.Info().Msg("late")
	if len(b.lines) != held {
		t.Error("a closed book takes records")
	}
}
