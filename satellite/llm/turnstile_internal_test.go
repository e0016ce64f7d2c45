package llm

import (
	"context"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
)

// queue lets all prefixes wait behind one that holds the only place, and gives the order in which they go.
func queue(t *testing.T, first string, waiting ...string) (order []string) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		turns := newTurnstile(1)
		leave, err := turns.enter(t.Context(), first)
		if err != nil {
			t.Fatal(err)
		}
		for _, prefix := range waiting {
			go func() {
				leave, err := turns.enter(t.Context(), prefix)
				if err != nil {
					t.Error(err)
					return
				}
				order = append(order, prefix)
				leave()
			}()
			synctest.Wait() // it waits
		}
		leave()
		synctest.Wait()
	})
	return order
}

func TestPromptsThatBeginAlikeGoOneAfterTheOther(t *testing.T) {
	got := queue(t, "summarize: a", "translate: a", "summarize: b", "translate: b", "list", "summarize: c")
	want := []string{"summarize: b", "summarize: c", "translate: a", "translate: b", "list"}
	if !slices.Equal(got, want) {
		t.Errorf("they went %v, want %v", got, want)
	}
}

func TestNobodyIsOvertakenForEver(t *testing.T) {
	waiting := append([]string{"other"}, slices.Repeat([]string{"same"}, 3*maxOvertaken)...)
	got := queue(t, "same", waiting...)
	if at := slices.Index(got, "other"); at != maxOvertaken {
		t.Errorf("it went after %d others", at)
	}
}

func TestNoMoreEnterThanThereArePlaces(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		turns := newTurnstile(3)
		ctx, cancel := context.WithCancel(t.Context())
		in, inside, most := make(chan func()), 0, 0
		var gaveUp atomic.Int64
		for range 10 {
			go func() {
				leave, err := turns.enter(ctx, "p")
				if err != nil {
					gaveUp.Add(1)
					return
				}
				inside++
				most = max(most, inside)
				in <- leave
			}()
			synctest.Wait()
		}
		for range 5 {
			leave := <-in
			inside--
			leave()
			synctest.Wait()
		}
		cancel()
		synctest.Wait()
		for range 3 {
			(<-in)()
		}
		synctest.Wait()
		if most != 3 || gaveUp.Load() != 2 || turns.free != 3 || len(turns.waiting) != 0 {
			t.Errorf("%d at once, %d gave up, %d places free, %d wait", most, gaveUp.Load(), turns.free, len(turns.waiting))
		}
	})
}

func TestPrefixIsTheBeginningOfAllMessages(t *testing.T) {
	q := &question{messages: []message{{"system", "be brief"}, {"user", strings.Repeat("x", 5000)}}}
	if p := q.prefix(); len(p) != prefixBytes || !strings.HasPrefix(p, "system\nbe brief\nuser\nxxx") {
		t.Errorf("%q", p)
	}
	if p := (&question{messages: []message{{"user", "é"}}}).prefix(); p != "user\né\n" {
		t.Errorf("%q", p)
	}
}
