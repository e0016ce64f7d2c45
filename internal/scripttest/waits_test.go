package scripttest

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/exospherehost/orbit"
)

// patience bounds every wait: the longest are for the lease of a killed node, 30 s, on a machine that is busy.
const patience = 2 * time.Minute

// until polls until done. It fails the script when patience ends, or at once when a process has died that nobody killed.
func until(ts *testscript.TestScript, what string, done func() (ok bool, state string)) {
	limit := time.NewTimer(patience)
	defer limit.Stop()
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for {
		dead := processesOf(ts).dead()
		ok, state := done()
		if ok {
			return
		}
		if dead != "" {
			ts.Fatalf("waited for %s (%s), and %s", what, state, dead)
		}
		select {
		case <-tick.C:
		case <-limit.C:
			ts.Fatalf("waited %s for %s: %s", patience, what, state)
		}
	}
}

// send METHOD PATH FILE STATUS sends a file to the API and checks the status; the answer is what stdout sees.
func send(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 4 {
		ts.Fatalf("usage: send METHOD PATH FILE STATUS")
	}
	req, err := http.NewRequest(args[0], ts.Getenv("ORBIT_GATEWAY")+args[1], strings.NewReader(ts.ReadFile(args[2])))
	ts.Check(err)
	resp, err := client.Do(req)
	ts.Check(err)
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	ts.Check(err)
	_, err = ts.Stdout().Write(body)
	ts.Check(err)
	if strconv.Itoa(resp.StatusCode) != args[3] {
		ts.Fatalf("status %d, want %s: %s", resp.StatusCode, args[3], body)
	}
}

// get asks the gateway that ORBIT_GATEWAY names.
func get(ts *testscript.TestScript, path string) ([]byte, error) {
	req, err := http.NewRequest(http.MethodGet, ts.Getenv("ORBIT_GATEWAY")+path, nil)
	if err != nil {
		return nil, err
	}
	if token := ts.Getenv("ORBIT_TOKEN"); token != "" {
		req.Header.Set("Authorization", "Bearer "+token)
	}
	resp, err := client.Do(req)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err == nil && resp.StatusCode != http.StatusOK {
		err = fmt.Errorf("%s: %s", resp.Status, body)
	}
	return body, err
}

var client = &http.Client{Timeout: 30 * time.Second, Transport: &http.Transport{DisableKeepAlives: true}} // gateways die under it

func getRun(ts *testscript.TestScript, id string) (*orbit.Run, error) {
	body, err := get(ts, "/v1/runs/"+id)
	if err != nil {
		return nil, err
	}
	run := &orbit.Run{}
	return run, json.Unmarshal(body, run)
}

// waitready waits until the gateway takes runs.
func waitReady(ts *testscript.TestScript, neg bool, args []string) {
	until(ts, "the gateway to be ready", func() (bool, string) {
		_, err := get(ts, "/readyz")
		return err == nil, fmt.Sprint(err)
	})
}

// waitrun RUN STATE waits for the end of a run, which must be in the state.
func waitRun(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: waitrun RUN STATE")
	}
	var run *orbit.Run
	until(ts, "the end of run "+args[0], func() (bool, string) {
		var err error
		if run, err = getRun(ts, args[0]); err != nil {
			return false, err.Error()
		}
		return run.State.Terminal(), standing(run)
	})
	if string(run.State) != args[1] {
		ts.Fatalf("the run ended %s, want %s: %s", run.State, args[1], standing(run))
	}
}

// standing says in a line how a run stands.
func standing(run *orbit.Run) string {
	parts := []string{string(run.State)}
	for _, s := range run.Satellites {
		parts = append(parts, fmt.Sprint(s.Identifier, " ", s.Items))
	}
	return strings.Join(append(parts, run.Error), "; ")
}

// waititems RUN SATELLITE STATE LEAST waits until that many items of a satellite are in a state.
func waitItems(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 4 {
		ts.Fatalf("usage: waititems RUN SATELLITE STATE LEAST")
	}
	least := number(ts, args[3])
	until(ts, strings.Join(args, " "), func() (bool, string) {
		run, err := getRun(ts, args[0])
		if err != nil {
			return false, err.Error()
		}
		for _, s := range run.Satellites {
			if s.Identifier == args[1] && s.Items.Of(orbit.ItemState(args[2])) >= least {
				return true, ""
			}
		}
		return false, standing(run)
	})
}

// going RUN checks that a run has not ended: what was done to it was done in its middle.
func going(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: going RUN")
	}
	run, err := getRun(ts, args[0])
	ts.Check(err)
	if run.State.Terminal() {
		ts.Fatalf("the run has ended too early for this script to show anything; give it more work: %s", standing(run))
	}
}

// waitnode NAME STATE [busy|idle] waits until the gateway says so of a node.
func waitNode(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 || len(args) > 3 {
		ts.Fatalf("usage: waitnode NAME STATE [busy|idle]")
	}
	until(ts, "node "+strings.Join(args, " "), func() (bool, string) {
		body, err := get(ts, "/v1/nodes")
		if err != nil {
			return false, err.Error()
		}
		var list struct{ Data []orbit.NodeDoc }
		if err := json.Unmarshal(body, &list); err != nil {
			return false, err.Error()
		}
		for _, n := range list.Data {
			if n.Name == args[0] && n.State == args[1] && (len(args) == 2 || (args[2] == "busy") == (n.Slots.Busy > 0)) {
				return true, ""
			}
		}
		return false, string(body)
	})
}

// onceeach RUN SATELLITE N checks that a satellite of a run had n items, each with one result.
func onceEach(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 3 {
		ts.Fatalf("usage: onceeach RUN SATELLITE N")
	}
	ts.Check(countItems(ts, args[0], args[1], number(ts, args[2])))
}

// exactly RUN SATELLITE N is onceeach, and checks that the objects returned are {n: 0} … {n: N-1}, each once.
func exactly(ts *testscript.TestScript, neg bool, args []string) {
	onceEach(ts, neg, args)
	ts.Check(countOutputs(ts, args[0], args[1], number(ts, args[2])))
}

func countItems(ts *testscript.TestScript, run, satellite string, n int) error {
	doc, err := getRun(ts, run)
	if err != nil {
		return err
	}
	for _, s := range doc.Satellites {
		if s.Identifier != satellite {
			continue
		}
		for i, state := range orbit.ItemStates {
			count := s.Items[i]
			if want := map[bool]int{true: n}[state == orbit.ItemSucceeded]; count != want {
				return fmt.Errorf("the run counts %d items of %s %s, want %d", count, satellite, state, want)
			}
		}
	}
	all, err := allItems(ts, run, satellite)
	if err != nil {
		return err
	}
	seen := map[string]bool{}
	for _, item := range all {
		switch {
		case seen[item.ID]:
			return fmt.Errorf("item %s has two results", item.ID)
		case item.State != orbit.ItemSucceeded || len(item.Outputs) != 1:
			return fmt.Errorf("item %s is %s with %d outputs, want succeeded with 1", item.ID, item.State, len(item.Outputs))
		}
		seen[item.ID] = true
	}
	if len(seen) != n {
		return fmt.Errorf("%s has %d items, want %d", satellite, len(seen), n)
	}
	return nil
}

func countOutputs(ts *testscript.TestScript, run, satellite string, n int) error {
	body, err := get(ts, "/v1/runs/"+run+"/outputs?satellite="+satellite)
	if err != nil {
		return err
	}
	seen := make([]int, n)
	lines := 0
	for line := range strings.Lines(string(body)) {
		var o struct{ N *int }
		if err := json.Unmarshal([]byte(line), &o); err != nil || o.N == nil || *o.N < 0 || *o.N >= n {
			return fmt.Errorf("output %q of %s is none of those expected (%v)", line, satellite, err)
		}
		seen[*o.N]++
		lines++
	}
	for i, times := range seen {
		if times != 1 {
			return fmt.Errorf("output %d of %s is there %d times, want once", i, satellite, times)
		}
	}
	if lines != n {
		return fmt.Errorf("%s has %d outputs, want %d", satellite, lines, n)
	}
	return nil
}

// runid NAME puts the id of the run that began last into a variable.
func runID(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: runid NAME")
	}
	body, err := get(ts, "/v1/runs?limit=1")
	ts.Check(err)
	var list struct{ Data []orbit.Run }
	ts.Check(json.Unmarshal(body, &list))
	if len(list.Data) == 0 {
		ts.Fatalf("there is no run")
	}
	ts.Setenv(args[0], list.Data[0].ID)
}

// nogap RUN SATELLITE LONGEST looks at when the items of a satellite began and ended, as recorded. At no time before the
// last one's end may all of them have stood still for longer: that is how waiting for a lost lease looks.
func noGap(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 3 {
		ts.Fatalf("usage: nogap RUN SATELLITE LONGEST")
	}
	longest, err := time.ParseDuration(args[2])
	ts.Check(err)
	all, err := allItems(ts, args[0], args[1])
	ts.Check(err)
	slices.SortFunc(all, func(a, b orbit.ItemDoc) int { return a.StartedAt.Compare(*b.StartedAt) })
	last := *all[0].StartedAt
	for _, item := range all {
		if still := item.StartedAt.Sub(last); still > longest {
			ts.Fatalf("nothing of %s was under way for %s before %s began", args[1], still, item.ID)
		}
		if item.FinishedAt.After(last) {
			last = *item.FinishedAt
		}
	}
}

func allItems(ts *testscript.TestScript, run, satellite string) ([]orbit.ItemDoc, error) {
	var all []orbit.ItemDoc
	for cursor := ""; ; {
		body, err := get(ts, "/v1/runs/"+run+"/items?limit=1000&satellite="+satellite+"&cursor="+cursor)
		if err != nil {
			return nil, err
		}
		var page struct {
			Data []orbit.ItemDoc
			Next *string
		}
		if err := json.Unmarshal(body, &page); err != nil {
			return nil, err
		}
		all = append(all, page.Data...)
		if page.Next == nil {
			return all, nil
		}
		cursor = *page.Next
	}
}

// fetch PATH FILE writes an answer of the API to a file.
func fetch(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: fetch PATH FILE")
	}
	body, err := get(ts, args[0])
	ts.Check(err)
	ts.Check(os.WriteFile(ts.MkAbs(args[1]), body, 0o644))
}

func number(ts *testscript.TestScript, text string) int {
	n, err := strconv.Atoi(text)
	ts.Check(err)
	return n
}
