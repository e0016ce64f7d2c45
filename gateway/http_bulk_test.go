package gateway

import (
	"encoding/json"
	"fmt"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/exospherehost/orbit"
)

// lines are the lines of an answer to a bulk request, each a run or a problem.
func (b *bench) lines(w *httptest.ResponseRecorder) (runs []orbit.Run, problems []orbit.Problem) {
	b.Helper()
	if w.Code != 200 || w.Header().Get("Content-Type") != jsonLines {
		b.Fatalf("%d %s: %s", w.Code, w.Header().Get("Content-Type"), w.Body)
	}
	for line := range strings.Lines(w.Body.String()) {
		var run orbit.Run
		var p orbit.Problem
		if err := json.Unmarshal([]byte(line), &run); err != nil {
			b.Fatalf("%v in %s", err, line)
		}
		if run.ID == "" {
			if err := json.Unmarshal([]byte(line), &p); err != nil {
				b.Fatal(err)
			}
		}
		runs, problems = append(runs, run), append(problems, p)
	}
	return runs, problems
}

func TestEachLineStartsARunAndIsAnsweredInOrder(t *testing.T) {
	inBubble(t, func(b *bench) {
		b.apply("acme/a")
		const n = 1000
		var body strings.Builder
		for i := range n {
			fmt.Fprintf(&body, "{\"payload\": {\"n\": %d}}\n\n", i)
		}
		for _, kind := range []string{"application/jsonl", "application/x-ndjson; charset=utf-8"} {
			runs, _ := b.lines(b.send("POST", "/v1/clusters/acme/a/runs", body.String(), "Content-Type: "+kind))
			if len(runs) != n {
				b.Fatalf("%d lines for %d", len(runs), n)
			}
			seen := map[string]bool{}
			for i, run := range runs {
				if text, _ := run.Trigger.Payload.MarshalJSON(); string(text) != fmt.Sprintf(`{"n":%d}`, i) || seen[run.ID] {
					b.Fatalf("line %d is answered with run %s of payload %s", i+1, run.ID, text)
				}
				seen[run.ID] = true
			}
		}
		if all := into[page[orbit.Run]](b, b.get("/v1/runs?limit=1000"), 200); len(all.Data) != 1000 || all.Next == nil {
			b.Errorf("%d runs are listed", len(all.Data))
		}
	})
}

func TestFaultyLinesAreAnsweredWithAProblemEach(t *testing.T) {
	inBubble(t, func(b *bench) {
		b.apply("acme/a")
		first := b.start("acme/a", `{"payload": 1}`, "Idempotency-Key: k") // lines of one request are accepted side by side
		runs, problems := b.lines(b.send("POST", "/v1/clusters/acme/a/runs", `{"payload": 1, "idempotency_key": "k"}
{"payload": 2, "idempotency_key": "k"}
{
[]
{"payload": 1, "idempotency_key": "k"}
`, "Content-Type: application/jsonl"))
		if len(runs) != 5 || runs[0].ID != first.ID || runs[4].ID != first.ID {
			b.Fatalf("%+v %+v", runs, problems)
		}
		for i, want := range map[int]int{1: 409, 2: 400, 3: 400} {
			if problems[i].Status != want {
				b.Errorf("line %d: %+v, want %d", i+1, problems[i], want)
			}
		}
		if !strings.Contains(problems[2].Detail, "line 3 is not JSON") {
			b.Errorf("%s", problems[2].Detail)
		}
		if runs, problems := b.lines(b.send("POST", "/v1/clusters/acme/none/runs", "{}\n", "Content-Type: application/jsonl")); len(runs) != 1 || problems[0].Status != 404 {
			b.Errorf("%+v %+v", runs, problems)
		}
		long := `{"payload": "` + strings.Repeat("a", maxBody) + `"}`
		if _, problems := b.lines(b.send("POST", "/v1/clusters/acme/a/runs", "{}\n"+long+"\n{}\n", "Content-Type: application/jsonl")); len(problems) != 2 || problems[1].Status != 413 {
			b.Errorf("%+v", problems)
		}
	})
}
