package kv_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/exospherehost/orbit"
	"github.com/exospherehost/orbit/kv"
	"github.com/exospherehost/orbit/vault"
)

type doc struct {
	N int `json:"n"`
}

func TestKeysAreCreatedOnceAndChangedOnlyFromWhatWasRead(t *testing.T) {
	nc, js := connect(t)
	ctx := t.Context()
	b := kv.Open[doc](nc, js, kv.CheckpointsBucket)

	first, err := b.Create(ctx, "a", &doc{1})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := b.Create(ctx, "a", &doc{2}); !errors.Is(err, kv.ErrConflict) {
		t.Errorf("created twice: %v", err)
	}
	second, err := b.Update(ctx, "a", &doc{3}, first)
	if err != nil || second <= first {
		t.Errorf("revision %d after %d, %v", second, first, err)
	}
	if _, err := b.Update(ctx, "a", &doc{4}, first); !errors.Is(err, kv.ErrConflict) {
		t.Errorf("changed from an old revision: %v", err)
	}
	if _, err := b.Update(ctx, "none", &doc{4}, 7); !errors.Is(err, kv.ErrConflict) {
		t.Errorf("changed where nothing is: %v", err)
	}
	if v, rev, err := b.Get(ctx, "a"); err != nil || v.N != 3 || rev != second {
		t.Errorf("%+v at %d, %v; want 3 at %d", v, rev, err, second)
	}
	if rev, err := b.Put(ctx, "a", &doc{5}); err != nil || rev <= second {
		t.Errorf("put: %d, %v", rev, err)
	}
	if v, _, err := b.Get(ctx, "a"); err != nil || v.N != 5 {
		t.Errorf("%+v, %v", v, err)
	}
}

func TestWhatIsNotThereIsNotFound(t *testing.T) {
	nc, js := connect(t)
	b := kv.Open[doc](nc, js, kv.RunsBucket)
	if v, rev, err := b.Get(t.Context(), "none"); !errors.Is(err, kv.ErrNotFound) || v != nil || rev != 0 {
		t.Errorf("%+v at %d, %v", v, rev, err)
	}
	if err := b.Delete(t.Context(), "none"); err != nil {
		t.Errorf("deleting what is not there: %v", err)
	}
	if _, _, err := b.Get(t.Context(), "none"); !errors.Is(err, kv.ErrNotFound) {
		t.Errorf("after that: %v", err)
	}
	if _, err := kv.NewBlobs(js).Get(t.Context(), "none"); !errors.Is(err, kv.ErrNotFound) {
		t.Errorf("a blob: %v", err)
	}
}

func TestADeletedKeyMayBeCreatedAgain(t *testing.T) {
	nc, js := connect(t)
	ctx := t.Context()
	b := kv.Open[doc](nc, js, kv.ClustersBucket)
	old, err := b.Create(ctx, "a.b", &doc{1})
	if err != nil {
		t.Fatal(err)
	}
	for n := range 3 {
		if err := b.Delete(ctx, "a.b"); err != nil {
			t.Fatal(err)
		}
		if _, _, err := b.Get(ctx, "a.b"); !errors.Is(err, kv.ErrNotFound) {
			t.Errorf("deleted: %v", err)
		}
		if _, err := b.Update(ctx, "a.b", &doc{9}, old); !errors.Is(err, kv.ErrConflict) {
			t.Errorf("changed from before its deletion: %v", err)
		}
		if old, err = b.Create(ctx, "a.b", &doc{n}); err != nil {
			t.Fatalf("created again: %v", err)
		}
		if _, err := b.Create(ctx, "a.b", &doc{9}); !errors.Is(err, kv.ErrConflict) {
			t.Errorf("and once more: %v", err)
		}
		if v, rev, err := b.Get(ctx, "a.b"); err != nil || v.N != n || rev != old {
			t.Errorf("%+v at %d, %v; want %d at %d", v, rev, err, n, old)
		}
	}
}

func TestDeletingOneKeyLeavesTheOthers(t *testing.T) {
	nc, js := connect(t)
	b := kv.Open[doc](nc, js, kv.ClustersBucket)
	for _, key := range []string{"a.b", "a.c", "a.b.c"} {
		if _, err := b.Create(t.Context(), key, &doc{1}); err != nil {
			t.Fatal(err)
		}
	}
	if err := b.Delete(t.Context(), "a.b"); err != nil {
		t.Fatal(err)
	}
	for _, key := range []string{"a.c", "a.b.c"} {
		if _, _, err := b.Get(t.Context(), key); err != nil {
			t.Errorf("%s: %v", key, err)
		}
	}
}

func TestAKeyStandsForOneDocument(t *testing.T) {
	nc, js := connect(t)
	b := kv.Open[doc](nc, js, kv.ClustersBucket)
	for _, key := range []string{"acme.a", "acme.b"} {
		if _, err := b.Create(t.Context(), key, &doc{1}); err != nil {
			t.Fatal(err)
		}
	}
	for _, key := range []string{"acme.*", "acme.>", ">", "*", "", ".a", "a.", "a..b", "a b", "a\nb"} {
		if _, _, err := b.Get(t.Context(), key); !errors.Is(err, kv.ErrNotFound) {
			t.Errorf("%q is read: %v", key, err)
		}
		if _, err := b.Put(t.Context(), key, &doc{2}); err == nil {
			t.Errorf("%q is written", key)
		}
		if err := errors.Join(b.Delete(t.Context(), key), b.Erase(t.Context(), key, 100)); err != nil {
			t.Errorf("%q: %v", key, err)
		}
	}
	for _, key := range []string{"acme.a", "acme.b"} {
		if v, _, err := b.Get(t.Context(), key); err != nil || v.N != 1 {
			t.Errorf("%s: %+v, %v", key, v, err)
		}
	}
}

func TestOfManyWritersOneWinsEachRevision(t *testing.T) {
	nc, js := connect(t)
	ctx := t.Context()
	b := kv.Open[doc](nc, js, kv.CheckpointsBucket)
	const writers, each = 8, 10
	var wg sync.WaitGroup
	for range writers {
		wg.Go(func() {
			for done := 0; done < each; {
				v, rev, err := b.Get(ctx, "n")
				if errors.Is(err, kv.ErrNotFound) {
					v, rev, err = &doc{}, 0, nil
				}
				if err != nil {
					t.Error(err)
					return
				}
				v.N++
				if rev == 0 {
					_, err = b.Create(ctx, "n", v)
				} else {
					_, err = b.Update(ctx, "n", v, rev)
				}
				switch {
				case err == nil:
					done++
				case !errors.Is(err, kv.ErrConflict):
					t.Error(err)
					return
				}
			}
		})
	}
	wg.Wait()
	if v, _, err := b.Get(ctx, "n"); err != nil || v.N != writers*each {
		t.Errorf("%+v, %v: an increment was lost or done twice; want %d", v, err, writers*each)
	}
}

func TestAWriteSentTwiceIsALostCAS(t *testing.T) {
	nc, js := connect(t)
	b := kv.Open[doc](nc, js, kv.RunsBucket)
	for i, want := range []bool{true, false} {
		m, err := b.Message("r", &doc{1}, 0)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := js.PublishMsg(t.Context(), m); (err == nil) != want {
			t.Errorf("time %d: %v", i+1, err)
		}
	}
	m, _ := b.Message("r", &doc{1}, 0)
	if got := b.Key(m.Subject); got != "r" {
		t.Errorf("the key of %s is %s", m.Subject, got)
	}
}

func TestEnsureLeavesWhatIsThere(t *testing.T) {
	nc, js := connect(t)
	b := kv.Open[doc](nc, js, kv.RunsBucket)
	if _, err := b.Create(t.Context(), "r", &doc{1}); err != nil {
		t.Fatal(err)
	}
	if err := kv.Ensure(t.Context(), js, 1); err != nil {
		t.Fatal(err)
	}
	if v, _, err := b.Get(t.Context(), "r"); err != nil || v.N != 1 {
		t.Errorf("%+v, %v", v, err)
	}
}

func TestErrorsNameKeyAndBucket(t *testing.T) {
	nc, js := connect(t)
	b := kv.Open[doc](nc, js, "orbit_none")
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
	defer cancel()
	_, err := b.Create(ctx, "k", &doc{})
	_, _, gerr := b.Get(ctx, "k")
	for _, err := range []error{err, gerr, b.Delete(ctx, "k")} {
		if err == nil || errors.Is(err, kv.ErrNotFound) || errors.Is(err, kv.ErrConflict) {
			t.Errorf("without the bucket: %v", err)
			continue
		}
		if got := fmt.Sprint(err); !contains(got, "k ") || !contains(got, "orbit_none") {
			t.Errorf("%s", got)
		}
	}
	raw := kv.Open[kv.RawJSON](nc, js, kv.PlansBucket)
	if _, err := raw.Put(t.Context(), "k", &kv.RawJSON{Text: []byte(`{"n": "not a number"}`)}); err != nil {
		t.Fatal(err)
	}
	if _, _, err := kv.Open[doc](nc, js, kv.PlansBucket).Get(t.Context(), "k"); err == nil || !contains(err.Error(), "decode k in orbit_plans") {
		t.Errorf("a document of another form: %v", err)
	}
}

func TestDocumentsComeBackAsTheyWereStored(t *testing.T) {
	nc, js := connect(t)
	ctx := t.Context()
	s := kv.NewStore(nc, js)
	run := &kv.Run{Run: orbit.Run{ID: orbit.RandomID(), State: orbit.RunRunning, Trigger: orbit.RunTrigger{Payload: orbit.MustObject(map[string]any{"a": 1 << 60})}}, Plan: "p"}
	if _, err := s.Runs.Create(ctx, run.ID, run); err != nil {
		t.Fatal(err)
	}
	got, _, err := s.Runs.Get(ctx, run.ID)
	if err != nil || got.ID != run.ID || got.Plan != "p" || string(got.Trigger.Payload) != string(run.Trigger.Payload) {
		t.Errorf("%+v, %v", got, err)
	}
	plan := &kv.Plan{Text: []byte(`{"b":2,"a":1}`)}
	if _, err := s.Plans.Create(ctx, "hash", plan); err != nil {
		t.Fatal(err)
	}
	if got, _, err := s.Plans.Get(ctx, "hash"); err != nil || string(got.Text) != string(plan.Text) {
		t.Errorf("a plan's bytes have changed, and so has its hash: %s, %v", got.Text, err)
	}
	v, _ := vault.New(make([]byte, 32))
	sealed := v.Seal("me", []byte("secret"))
	if _, err := s.Secrets.Put(ctx, "run.x", &kv.Secret{Sealed: sealed}); err != nil {
		t.Fatal(err)
	}
	back, _, err := s.Secrets.Get(ctx, "run.x")
	if err != nil {
		t.Fatal(err)
	}
	if plain, err := v.Open("me", back.Sealed); err != nil || string(plain) != "secret" {
		t.Errorf("%q, %v", plain, err)
	}
	if key := kv.ClusterKey("acme/reports"); key != "acme.reports" {
		t.Errorf("%s", key)
	}
}
