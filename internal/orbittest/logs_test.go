package orbittest_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/exospherehost/orbit"
	"github.com/exospherehost/orbit/internal/fault"
	"github.com/exospherehost/orbit/internal/orbittest"
)

// talk says the given number of words, a second apart, and then does what then does.
func talk(words int, then orbittest.Behaviour) orbittest.Behaviour {
	return func(c ctx, x *orbittest.Execution) error {
		for i := range words {
			x.Log.Info().Int("word", i).Msgf("attempt %d", x.Attempt)
			select {
			case <-time.After(time.Second):
			case <-c.Done():
				return c.Err()
			}
		}
		return then(c, x)
	}
}

// said gives, item by item, what satellites and nodes said, in the order of the log.
func said(log []orbit.LogRecord) map[string][]string {
	out := map[string][]string{}
	for _, r := range log {
		text := fmt.Sprintf("%s %s", r.Message, r.Fields)
		if i := strings.Index(text, ":"); r.Level != orbit.LogInfo && i > 0 {
			text = fmt.Sprintf("%d %s %s", r.Attempt, r.Level, text[:i])
		}
		out[r.Item] = append(out[r.Item], text)
	}
	return out
}

func TestLogOfARunWithRetriesIsInOrderAndWholeAfterANodeCrash(t *testing.T) {
	orbittest.Test(t, orbittest.Options{Nodes: 2, Slots: 3}, func(o *orbittest.Orbit) {
		o.Script.On("a", orbittest.FanOut(20))
		o.Script.On("b", talk(5, orbittest.FailFirst(2)))
		id := o.Run(o.Apply(chain), nil)
		time.Sleep(8 * time.Second) // bundles of four items: in the middle of the second, which are sent as they run
		o.KillNode(0)
		wantRun(t, o.Wait(id), orbit.RunSucceeded, "b", map[orbit.ItemState]int{orbit.ItemSucceeded: 20})
		var want []string
		for attempt := 1; attempt <= 3; attempt++ {
			for word := range 5 {
				want = append(want, fmt.Sprintf(`attempt %d {"word":%d}`, attempt, word))
			}
			if attempt < 3 {
				want = append(want, fmt.Sprintf("%d warn did not succeed and is tried again", attempt))
			}
		}
		log := o.Log(id, "satellite=b")
		got := said(log)
		for i := range 20 {
			if item := fmt.Sprintf("b/0.%d", i); !slices.Equal(got[item], want) {
				t.Errorf("%s:\n%q, want\n%q", item, got[item], want)
			}
		}
		nodes := map[string]bool{}
		for _, r := range log {
			nodes[r.Node] = true
			if r.Run != id || r.Satellite != "b" || r.Time.IsZero() || r.Key == "" {
				t.Errorf("%+v", r)
			}
		}
		if len(nodes) != 2 {
			t.Errorf("the log names the nodes %v", nodes)
		}
		if n := len(o.Log(id, "level=warn")); n != 40 {
			t.Errorf("%d records are warnings or worse, want 40", n)
		}
	})
}

func TestRepeatsAreDroppedWhereverANodeCrashesAfterItsLogIsStored(t *testing.T) {
	orbittest.Test(t, orbittest.Options{}, func(o *orbittest.Orbit) {
		o.Script.On("a", orbittest.FanOut(4))
		o.Script.On("b", talk(2, orbittest.OnItem(map[orbit.Lineage]orbittest.Behaviour{"0.1": orbittest.FailForGood})))
		stop := o.Replace(time.Second)
		defer stop()
		name := o.Apply(chain)
		for i, point := range []string{"logs.stored", "commit.recorded"} {
			passed := false
			o.SetFaults(func(p *orbittest.Process, _ int, at string) error {
				if at != point || passed {
					return nil
				}
				passed = true
				p.Crash()
				return fault.ErrCrash
			})
			run := o.Wait(o.Run(name, nil))
			wantRun(t, run, orbit.RunPartial, "b", map[orbit.ItemState]int{orbit.ItemSucceeded: 3, orbit.ItemFailed: 1})
			for item, words := range said(o.Log(run.ID, "satellite=b")) {
				want := []string{`attempt 1 {"word":0}`, `attempt 1 {"word":1}`}
				if item == "b/0.1" {
					want = append(want, "1 error failed")
				}
				if !slices.Equal(words, want) {
					t.Errorf("%d: %s: %q", i, item, words)
				}
			}
			if !passed {
				t.Errorf("nothing passes %s", point)
			}
		}
	})
}

func TestItemsDoNotSufferWhereTheLogCannotBeWritten(t *testing.T) {
	orbittest.Test(t, orbittest.Options{}, func(o *orbittest.Orbit) {
		o.Script.On("a", orbittest.FanOut(40))
		o.Script.On("b", func(c ctx, x *orbittest.Execution) error {
			x.Log.Info().Msg("hello")
			return orbittest.Pass(c, x)
		})
		o.DropStream("ORBIT_LOGS")
		begun := time.Now()
		wantRun(t, o.Wait(o.Run(o.Apply(chain), nil)), orbit.RunSucceeded, "c", map[orbit.ItemState]int{orbit.ItemSucceeded: 40})
		if took := time.Since(begun); took > 10*time.Second {
			t.Errorf("without a log the run took %s", took)
		}
	})
}

func TestSecretsAreMaskedInTheLog(t *testing.T) {
	orbittest.Test(t, orbittest.Options{Wiretap: true}, func(o *orbittest.Orbit) {
		o.Script.On("a", blab)
		o.Script.On("c", func(c context.Context, x *orbittest.Execution) error {
			if x.Attempt == 2 {
				panic(x.Config["token"])
			}
			return blab(c, x)
		})
		run := o.Wait(o.Run(o.Apply(secretive), nil))
		log := o.Log(run.ID, "")
		for _, r := range log {
			if strings.Contains(r.Message+string(r.Fields), orbittest.Canary) {
				t.Errorf("%+v", r)
			}
		}
		if got := fmt.Sprintf("%s %s %s", log[0].Level, log[0].Message, log[0].Fields); got != `warn logging in with *** {"token":"***"}` {
			t.Errorf("the first record is %s", got)
		}
		if len(log) < 6 {
			t.Errorf("%d records", len(log))
		}
	})
}
