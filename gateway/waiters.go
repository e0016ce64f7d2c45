package gateway

import "sync"

// waiters wakes requests that wait for a run to end. It is a convenience: who waits looks at the document as well.
type waiters struct {
	mu  sync.Mutex
	all map[string][]chan struct{}
}

func newWaiters() *waiters { return &waiters{all: map[string][]chan struct{}{}} }

// wait gives a channel that is closed when the run has ended, and a function that gives up.
func (w *waiters) wait(run string) (<-chan struct{}, func()) {
	ch := make(chan struct{})
	w.mu.Lock()
	w.all[run] = append(w.all[run], ch)
	w.mu.Unlock()
	return ch, func() {
		w.mu.Lock()
		defer w.mu.Unlock()
		list := w.all[run]
		for i := range list {
			if list[i] == ch {
				list = append(list[:i], list[i+1:]...)
				break
			}
		}
		if len(list) == 0 {
			delete(w.all, run)
		} else {
			w.all[run] = list
		}
	}
}

func (w *waiters) wake(run string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, ch := range w.all[run] {
		close(ch)
	}
	delete(w.all, run)
}
