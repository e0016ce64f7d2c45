package orbittest

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"time"

	"github.com/exospherehost/orbit"
)

// waitLimit is how long, in the mesh's time, a run may take: many times what any scenario needs.
const waitLimit = 2 * time.Hour

// Answer is what the API said.
type Answer struct {
	Status int
	Body   []byte
}

// Call sends one request to a gateway that is alive; the last started one first. Status 0: there is none, or it crashed.
func (o *Orbit) Call(method, path, key string, body any) Answer {
	return o.CallOn(o.gatewayInUse(), method, path, key, body)
}

// CallWith sends one request with headers to the gateway that Call would send it to.
func (o *Orbit) CallWith(method, path string, h http.Header, body any) Answer {
	return o.callOn(o.gatewayInUse(), method, path, h, body)
}

// gatewayInUse is the youngest gateway that is alive; nil: none is.
func (o *Orbit) gatewayInUse() (g *Gateway) {
	o.mu.Lock()
	defer o.mu.Unlock()
	for _, c := range o.gateways {
		if !c.dead.Load() {
			g = c
		}
	}
	return g
}

// CallOn sends one request to one gateway.
func (o *Orbit) CallOn(g *Gateway, method, path, key string, body any) Answer {
	h := http.Header{}
	if key != "" {
		h.Set("Idempotency-Key", key)
	}
	return o.callOn(g, method, path, h, body)
}

func (o *Orbit) callOn(g *Gateway, method, path string, h http.Header, body any) (a Answer) {
	if g == nil {
		return Answer{}
	}
	var text []byte
	switch b := body.(type) {
	case nil:
	case string:
		text = []byte(b)
	default:
		var err error
		if text, err = json.Marshal(b); err != nil {
			o.T.Fatal(err)
		}
	}
	r := httptest.NewRequestWithContext(o.T.Context(), method, path, bytes.NewReader(text))
	r.Header = h
	w := httptest.NewRecorder()
	defer func() {
		if recover() == http.ErrAbortHandler || g.dead.Load() { // a crashed process answers nothing
			a = Answer{}
			return
		}
		o.mu.Lock()
		o.answers = append(o.answers, method+" "+path+"\n"+w.Body.String())
		o.mu.Unlock()
		a = Answer{w.Code, w.Body.Bytes()}
	}()
	g.gateway.Handler().ServeHTTP(w, r)
	return a
}

// Apply registers a cluster and gives its identifier. It tries again while no gateway answers.
func (o *Orbit) Apply(yaml string) string {
	o.T.Helper()
	name := ""
	for line := range strings.Lines(yaml) {
		if rest, ok := strings.CutPrefix(strings.TrimSpace(line), "identifier: "); ok && name == "" {
			name = rest
		}
	}
	for range 100 {
		a := o.Call("PUT", "/v1/clusters/"+name, "", yaml)
		switch a.Status {
		case http.StatusOK, http.StatusCreated:
			return name
		case 0, http.StatusServiceUnavailable, http.StatusInternalServerError:
			time.Sleep(time.Second)
		default:
			o.T.Fatalf("apply %s: %d %s", name, a.Status, a.Body)
		}
	}
	o.T.Fatalf("apply %s: no gateway answers", name)
	return ""
}

// Run starts a run and gives its id. It asks again with the same idempotency key while it gets no answer.
func (o *Orbit) Run(cluster string, payload any) string {
	o.T.Helper()
	o.mu.Lock()
	key := fmt.Sprintf("run-%d", len(o.runs))
	o.mu.Unlock()
	for range 100 {
		a := o.Start(cluster, key, payload)
		if a.Status == http.StatusAccepted {
			var run orbit.Run
			if err := json.Unmarshal(a.Body, &run); err != nil {
				o.T.Fatal(err)
			}
			return run.ID
		}
		if a.Status != 0 && a.Status < 500 {
			o.T.Fatalf("run %s: %d %s", cluster, a.Status, a.Body)
		}
		time.Sleep(time.Second)
	}
	o.T.Fatalf("run %s: no gateway accepts it", cluster)
	return ""
}

// Start asks once for a run.
func (o *Orbit) Start(cluster, key string, payload any) Answer {
	a := o.Call("POST", "/v1/clusters/"+cluster+"/runs", key, map[string]any{"payload": payload})
	if a.Status == http.StatusAccepted {
		var run orbit.Run
		if json.Unmarshal(a.Body, &run) == nil {
			o.mu.Lock()
			o.runs = append(o.runs, run.ID)
			o.mu.Unlock()
		}
	}
	return a
}

// Accepted notes a run that the test itself was given.
func (o *Orbit) Accepted(id string) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.runs = append(o.runs, id)
}

// Look gives a run as it is; not ok while no gateway answers.
func (o *Orbit) Look(id string) (run orbit.Run, ok bool) {
	a := o.Call("GET", "/v1/runs/"+id, "", nil)
	return run, a.Status == http.StatusOK && json.Unmarshal(a.Body, &run) == nil
}

// Wait waits for a run's end.
func (o *Orbit) Wait(id string) orbit.Run {
	o.T.Helper()
	run, ok := o.TryWait(id, waitLimit)
	if !ok {
		o.T.Fatalf("run %s has not ended after %s: %s", id, waitLimit, compact(run))
	}
	return run
}

// TryWait waits for a run's end for at most limit.
func (o *Orbit) TryWait(id string, limit time.Duration) (orbit.Run, bool) {
	var last orbit.Run
	step := 100 * time.Millisecond
	for until := time.Now().Add(limit); time.Now().Before(until); {
		if run, ok := o.Look(id); ok {
			if run.State.Terminal() {
				return run, true
			}
			last = run
		}
		time.Sleep(step)
		step = min(step*5/4, 5*time.Second)
	}
	return last, false
}

// Items gives every item of a run; query narrows it, as "state=failed".
func (o *Orbit) Items(id, query string) []orbit.ItemDoc {
	o.T.Helper()
	var all []orbit.ItemDoc
	cursor := ""
	for {
		a := o.Call("GET", "/v1/runs/"+id+"/items?limit=1000&cursor="+cursor+"&"+query, "", nil)
		var page struct {
			Data []orbit.ItemDoc
			Next *string
		}
		if err := json.Unmarshal(a.Body, &page); a.Status != http.StatusOK || err != nil {
			o.T.Fatalf("items of run %s: %d %s", id, a.Status, a.Body)
		}
		all = append(all, page.Data...)
		if page.Next == nil {
			return all
		}
		cursor = *page.Next
	}
}

// Runs gives all runs of a cluster, the oldest first.
func (o *Orbit) Runs(cluster string) []orbit.Run {
	o.T.Helper()
	all := inPages[orbit.Run](o, "/v1/runs?cluster="+cluster)
	slices.SortFunc(all, func(a, b orbit.Run) int { return a.CreatedAt.Compare(b.CreatedAt) })
	return all
}

// Triggers gives the triggers of a cluster.
func (o *Orbit) Triggers(cluster string) (of []orbit.TriggerDoc) {
	o.T.Helper()
	for _, t := range inPages[orbit.TriggerDoc](o, "/v1/triggers?") {
		if t.Cluster == cluster {
			of = append(of, t)
		}
	}
	return of
}

// Outputs gives the lines of a run's outputs.
func (o *Orbit) Outputs(id string) []string {
	o.T.Helper()
	a := o.Call("GET", "/v1/runs/"+id+"/outputs", "", nil)
	if a.Status != http.StatusOK {
		o.T.Fatalf("outputs of run %s: %d %s", id, a.Status, a.Body)
	}
	return strings.Fields(string(a.Body))
}

// Log gives what was said about a run's items; query narrows it, as "level=warn".
func (o *Orbit) Log(id, query string) []orbit.LogRecord {
	o.T.Helper()
	return inPages[orbit.LogRecord](o, "/v1/runs/"+id+"/logs?"+query)
}

// Events gives what happened to a run.
func (o *Orbit) Events(id string) []orbit.RunEvent {
	o.T.Helper()
	return inPages[orbit.RunEvent](o, "/v1/runs/"+id+"/events?")
}

// inPages reads a list in pages that are small, so that lists are followed.
func inPages[T any](o *Orbit, path string) (all []T) {
	o.T.Helper()
	cursor := ""
	for {
		a := o.Call("GET", path+"&limit=7&cursor="+cursor, "", nil)
		var page struct {
			Data []T
			Next *string
		}
		if err := json.Unmarshal(a.Body, &page); a.Status != http.StatusOK || err != nil {
			o.T.Fatalf("GET %s: %d %s", path, a.Status, a.Body)
		}
		all = append(all, page.Data...)
		if page.Next == nil {
			return all
		}
		cursor = *page.Next
	}
}

// Cancel cancels a run.
func (o *Orbit) Cancel(id string) Answer { return o.Call("POST", "/v1/runs/"+id+"/cancel", "", nil) }

func compact(v any) string {
	text, _ := json.Marshal(v)
	return string(text)
}
