package orbittest_test

import (
	"bytes"
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/exospherehost/orbit"
	"github.com/exospherehost/orbit/internal/orbittest"
)

// backup takes a backup.
func backup(o *orbittest.Orbit) string {
	o.T.Helper()
	a := o.Call("GET", "/v1/backup", "", nil)
	if a.Status != http.StatusOK {
		o.T.Fatalf("backup: %d %.300s", a.Status, a.Body)
	}
	return string(a.Body)
}

// restored puts a backup back, and gives how many runs go on.
func restored(o *orbittest.Orbit, file string) (runs int) {
	o.T.Helper()
	a := o.Call("POST", "/v1/restore", "", file)
	var got struct{ Streams, Runs, Bundles int }
	if err := json.Unmarshal(a.Body, &got); err != nil || a.Status != http.StatusOK || got.Streams < 8 {
		o.T.Fatalf("restore: %d %s", a.Status, a.Body)
	}
	return got.Runs
}

func TestRestoredOrbitHoldsWhatWasBackedUpByteForByte(t *testing.T) {
	orbittest.Test(t, soon, func(o *orbittest.Orbit) {
		name := varied(o)
		old := o.Run(name, map[string]any{"text": strings.Repeat("long ", 20_000)})
		o.Wait(old)
		time.Sleep(20 * time.Minute) // archived
		id := o.Run(name, map[string]any{"n": 1})
		o.Wait(id)
		o.Settle()
		before := o.Stored()
		file := backup(o)
		twin := o.Twin(soon)
		defer twin.Close()
		restored(twin, file)
		if diff := cmp.Diff(before, twin.Stored()); diff != "" {
			t.Errorf("backed up and restored:\n%.3000s", diff)
		}
		for _, run := range []string{old, id} {
			twin.Accepted(run)
			if diff := cmp.Diff(shown(o, run), shown(twin, run)); diff != "" {
				t.Errorf("run %s there and here:\n%.3000s", run, diff)
			}
		}
		next := twin.Wait(twin.Run(name, nil)) // with what the script does there: nothing
		wantEnd(twin, next, orbit.RunSucceeded)
		twin.Settle()
		for _, v := range twin.Violations() {
			t.Error(v)
		}
	})
}

func TestRunThatWasInTheMiddleGoesOnAfterARestore(t *testing.T) {
	orbittest.Test(t, orbittest.Options{Unchecked: true}, func(o *orbittest.Orbit) {
		o.Script.On("a", orbittest.FanOut(20))
		o.Script.On("b", orbittest.OnItem(map[orbit.Lineage]orbittest.Behaviour{"0.3": orbittest.FailFirst(3)}))
		o.Script.On("c", orbittest.Sleep(20*time.Second, orbittest.Pass))
		name := o.Apply(plain)
		id := o.Run(name, nil)
		time.Sleep(25 * time.Second)
		file := backup(o)
		if run, _ := o.Look(id); run.State.Terminal() {
			t.Fatal("it has ended before it was backed up")
		}
		o.Close()

		twin := o.Twin(orbittest.Options{})
		defer twin.Close()
		twin.Script.On("b", orbittest.OnItem(map[orbit.Lineage]orbittest.Behaviour{"0.3": orbittest.FailFirst(3)}))
		twin.Accepted(id)
		if n := restored(twin, file); n != 1 {
			t.Errorf("%d runs go on", n)
		}
		wantRun(t, twin.Wait(id), orbit.RunSucceeded, "c", map[orbit.ItemState]int{orbit.ItemSucceeded: 20})
		if out := twin.Outputs(id); len(out) != 20 {
			t.Errorf("%d outputs, want 20", len(out))
		}
		if twin.Script.Count(id, "a/0") != 0 {
			t.Error("the root was run again; its record was in the backup")
		}
		twin.Settle()
		for _, v := range twin.Violations() {
			t.Error(v)
		}
	})
}

func TestBackupOfABusyMeshLosesNoRun(t *testing.T) {
	orbittest.Test(t, orbittest.Options{Nodes: 2}, func(o *orbittest.Orbit) {
		o.Script.On("a", orbittest.FanOut(8))
		o.Script.On("b", orbittest.Sleep(20*time.Millisecond, orbittest.Pass))
		o.Script.On("c", orbittest.Sleep(300*time.Millisecond, orbittest.FailFirst(1)))
		name := o.Apply(plain)
		var before []string
		stop, done := make(chan struct{}), make(chan struct{})
		for range 10 {
			before = append(before, o.Run(name, nil))
			time.Sleep(100 * time.Millisecond)
		}
		go func() { // more are accepted while the backup is taken
			defer close(done)
			for {
				select {
				case <-stop:
					return
				case <-time.After(50 * time.Millisecond):
					o.Run(name, nil)
				}
			}
		}()
		var files []string
		for range 3 {
			files = append(files, backup(o))
			time.Sleep(400 * time.Millisecond)
		}
		close(stop)
		<-done
		for i, file := range files {
			twin := o.Twin(orbittest.Options{Nodes: 2})
			twin.Script.On("a", orbittest.FanOut(8))
			restored(twin, file)
			for _, id := range before {
				if run := twin.Wait(id); run.State != orbit.RunSucceeded || len(twin.Outputs(id)) != 8 {
					t.Errorf("backup %d: run %s is %s with %d outputs", i, id, run.State, len(twin.Outputs(id)))
				}
			}
			for _, id := range twin.Listed() {
				twin.Accepted(id)
				twin.Wait(id)
			}
			twin.Settle()
			for _, v := range twin.Violations() {
				t.Errorf("backup %d: %s", i, v)
			}
			if n := twin.Waiting(); n > 0 {
				t.Errorf("backup %d: %d messages of work are left", i, n)
			}
			twin.Close()
		}
	})
}

func TestDamagedBackupLeavesNothingBehind(t *testing.T) {
	orbittest.Test(t, orbittest.Options{}, func(o *orbittest.Orbit) {
		name := varied(o)
		id := o.Run(name, nil)
		o.Wait(id)
		o.Settle()
		file := backup(o)
		flipped := []byte(file)
		flipped[len(file)/2] ^= 4
		twin := o.Twin(orbittest.Options{})
		defer twin.Close()
		empty := twin.Stored()
		for what, c := range map[string]struct{ file, want string }{
			"cut off":        {file[:len(file)-40], "cut off"},
			"cut in half":    {file[:len(file)/2], "cut off"},
			"flipped":        {string(flipped), "damaged"},
			"longer":         {file + "x", "damaged"},
			"something else": {"hello", "no backup"},
			"nothing":        {"", "no backup"},
		} {
			a := twin.Call("POST", "/v1/restore", "", c.file)
			if a.Status == http.StatusOK || what != "flipped" && !bytes.Contains(a.Body, []byte(c.want)) {
				t.Errorf("%s: %d %s", what, a.Status, a.Body)
			}
			if diff := cmp.Diff(empty, twin.Stored()); diff != "" {
				t.Errorf("%s: it left\n%.2000s", what, diff)
			}
		}
		restored(twin, file)
		twin.Accepted(id)
		if diff := cmp.Diff(shown(o, id), shown(twin, id)); diff != "" {
			t.Errorf("at last restored:\n%.2000s", diff)
		}
		// Now it holds something.
		stored := twin.Stored()
		if a := twin.Call("POST", "/v1/restore", "", file); a.Status != http.StatusConflict || !bytes.Contains(a.Body, []byte("holds something already")) {
			t.Errorf("into one that is not empty: %d %s", a.Status, a.Body)
		}
		if diff := cmp.Diff(stored, twin.Stored()); diff != "" {
			t.Errorf("the refused restore changed\n%.2000s", diff)
		}
		wantEnd(twin, twin.Wait(twin.Run(name, nil)), orbit.RunSucceeded)
	})
}

func TestRestoreIsRunAgainWhereverTheGatewayCrashesInIt(t *testing.T) {
	orbittest.Test(t, orbittest.Options{Unchecked: true}, func(o *orbittest.Orbit) {
		name := varied(o)
		o.Script.On("c", orbittest.Sleep(30*time.Second, orbittest.Pass))
		id := o.Run(name, nil)
		time.Sleep(10 * time.Second)
		file := backup(o)
		for _, point := range []string{"restore.stream", "restore.whole"} {
			twin := o.Twin(orbittest.Options{})
			passed := crashAt(twin, point)
			if a := twin.Call("POST", "/v1/restore", "", file); a.Status != 0 || !passed() {
				t.Errorf("%s: %d %s", point, a.Status, a.Body)
			}
			twin.StartGateway()
			time.Sleep(30 * time.Second)
			if a := twin.Call("GET", "/readyz", "", nil); a.Status != http.StatusServiceUnavailable {
				t.Errorf("%s: with half a restore the gateway is ready: %d", point, a.Status)
			}
			restored(twin, file)
			twin.Accepted(id)
			twin.Script.On("b", orbittest.OnItem(map[orbit.Lineage]orbittest.Behaviour{"0.1": orbittest.FailForGood}))
			wantEnd(twin, twin.Wait(id), orbit.RunPartial)
			twin.Settle()
			for _, v := range twin.Violations() {
				t.Errorf("%s: %s", point, v)
			}
			twin.Close()
		}
	})
}

func TestBackupOfOtherPartitionsIsRefused(t *testing.T) {
	orbittest.Test(t, orbittest.Options{}, func(o *orbittest.Orbit) {
		file := strings.Replace(backup(o), `"partitions":1`, `"partitions":8`, 1)
		if a := o.Call("POST", "/v1/restore", "", file); a.Status != http.StatusConflict || !bytes.Contains(a.Body, []byte("--partitions 8")) {
			t.Errorf("%d %s", a.Status, a.Body)
		}
	})
}
