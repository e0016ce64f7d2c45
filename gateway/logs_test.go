package gateway

import (
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/exospherehost/orbit"
	"github.com/exospherehost/orbit/streams"
)

// say puts a batch of log records into a run's log, as a node does.
func (b *bench) say(run, bundle string, delivery int, since time.Time, words ...string) {
	b.Helper()
	batch := &orbit.LogBatch{Run: run, Satellite: "first", Bundle: bundle, Node: "n1", Delivery: delivery, Since: since}
	for i, w := range words {
		level, text, _ := strings.Cut(w, " ")
		batch.Records = append(batch.Records, orbit.LogEntry{Time: time.Now().UTC(), Level: orbit.LogLevel(level), Message: text, Lineage: "0", Attempt: 1, Index: i + 1})
	}
	b.parts++
	m, err := streams.LogMessage(0, b.parts, batch)
	if err == nil {
		_, err = b.g.pub.Do(b.Context(), m)
	}
	if err != nil {
		b.Fatal(err)
	}
}

// words gives the messages of a list of log records, read in pages of the given size.
func (b *bench) words(run, query string, size int) string {
	b.Helper()
	var out []string
	target := fmt.Sprintf("/v1/runs/%s/logs?limit=%d%s", run, size, query)
	for next := ""; ; {
		p := into[page[orbit.LogRecord]](b, b.get(target+next), 200)
		for _, r := range p.Data {
			out = append(out, r.Message)
		}
		if p.Next == nil {
			return strings.Join(out, " ")
		}
		next = "&cursor=" + *p.Next
	}
}

func TestLogsComeInOrderInPagesOfAnySize(t *testing.T) {
	inBubble(t, func(b *bench) {
		b.apply("acme/a")
		run, other := b.start("acme/a", "").ID, b.start("acme/a", "").ID
		now := time.Now()
		b.say(run, "b1", 1, now, "info a", "debug b", "warn c")
		b.say(other, "b9", 1, now, "info x")
		b.say(run, "b2", 1, now, "error d")
		time.Sleep(time.Minute)
		b.say(run, "b1", 2, time.Now(), "info a", "debug b", "warn other", "info e")
		b.say(run, "b2", 1, now, "error d", "info f") // of a node that was cut off
		for size := 1; size <= 8; size++ {
			for query, want := range map[string]string{"": "a b c d other e f", "&level=warn": "c d other", "&level=debug": "a b c d other e f", "&level=ERROR": "d",
				"&satellite=first": "a b c d other e f"} {
				if got := b.words(run, query, size); got != want {
					b.Errorf("in pages of %d, %q: %q, want %q", size, query, got, want)
				}
			}
		}
		if got := b.words(other, "", 100); got != "x" {
			b.Errorf("the other run: %q", got)
		}
	})
}

func TestQuestionsForLogsAreRefusedInWords(t *testing.T) {
	inBubble(t, func(b *bench) {
		b.apply("acme/a")
		logs := "/v1/runs/" + b.start("acme/a", "").ID + "/logs"
		b.refused(b.get("/v1/runs/"+strings.Repeat("0", 20)+"/logs"), 404, "there is no run")
		b.refused(b.get(logs+"?satellite=second"), 404, "has no satellite second")
		b.refused(b.get(logs+"?level=loud"), 400, "debug, info, warn and error")
		b.refused(b.get(logs+"?cursor=x"), 400, "cursor=x")
		b.refused(b.get(logs+"?limit=0"), 400, "limit=0")
		b.refused(b.send("GET", logs, "", "Accept: text/event-stream", "Last-Event-ID: 1.-1"), 400, "cursor=1.-1")
	})
}

func TestAFollowedLogGoesOnUntilTheRunHasEnded(t *testing.T) {
	inBubble(t, func(b *bench) {
		b.apply("acme/a")
		run := b.start("acme/a", "").ID
		b.say(run, "b1", 1, time.Now(), "info a", "info b")
		time.AfterFunc(time.Minute, func() { b.say(run, "b2", 1, time.Now(), "info c") })
		time.AfterFunc(2*time.Minute, func() {
			b.say(run, "b3", 1, time.Now(), "info d")
			b.send("POST", "/v1/runs/"+run+"/cancel", "")
		})
		begun := time.Now()
		body := b.send("GET", "/v1/runs/"+run+"/logs", "", "Accept: text/event-stream").Body.String()
		if took := time.Since(begun); took < 2*time.Minute || took > 2*time.Minute+time.Second {
			b.Errorf("it took %s", took)
		}
		synctest.Wait()
		var words, ids []string
		for event := range strings.SplitSeq(body, "\n\n") {
			if id, rest, ok := strings.Cut(strings.TrimPrefix(event, "event: log\nid: "), "\ndata: "); ok && strings.HasPrefix(event, "event: log") {
				_, text, _ := strings.Cut(rest, `"message":"`)
				words, ids = append(words, text[:1]), append(ids, id)
			}
		}
		if got := strings.Join(words, ""); got != "abcd" || !strings.HasSuffix(body, "\n\nevent: end\ndata: {\"state\":\"cancelled\"}\n\n") || !strings.Contains(body, ":\n\n") {
			b.Fatalf("%q in\n%s", got, body)
		}
		for i, id := range ids { // whoever was cut off goes on after what came last
			rest := b.send("GET", "/v1/runs/"+run+"/logs", "", "Accept: text/event-stream", "Last-Event-ID: "+id).Body.String()
			if n := strings.Count(rest, "event: log"); n != len(ids)-i-1 {
				b.Errorf("after %s come %d records, want %d", id, n, len(ids)-i-1)
			}
		}
	})
}

func TestAFollowerForgetsOldKeysAndKeepsTheLatest(t *testing.T) {
	r := &recent{}
	for i := range recentKeys {
		r.add(fmt.Sprint(i))
	}
	if len(r.young)+len(r.old) > recentKeys || !r.has(fmt.Sprint(recentKeys/2)) {
		t.Errorf("%d and %d keys", len(r.young), len(r.old))
	}
	r.add("x")
	if r.has("0") || !r.has("x") || !r.has(fmt.Sprint(recentKeys-1)) {
		t.Error("it remembers the wrong ones")
	}
}

func TestALogWithoutItsStreamIsRefusedInWords(t *testing.T) {
	inBubble(t, func(b *bench) {
		b.apply("acme/a")
		run := b.start("acme/a", "").ID
		if err := b.g.js.DeleteStream(b.Context(), streams.LogsStream); err != nil {
			b.Fatal(err)
		}
		b.refused(b.get("/v1/runs/"+run+"/logs"), 503, "ORBIT_LOGS is not there")
		b.refused(b.send("GET", "/v1/runs/"+run+"/logs", "", "Accept: text/event-stream"), 503, "ORBIT_LOGS is not there")
	})
}
