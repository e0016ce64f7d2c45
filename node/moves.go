package node

import "sync"

// moves are the jobs that have left their slot, and those that are committed or given up. They are taken all at once: while many
// end, a channel for each kind would cost more than what it leads to.
type moves struct {
	some chan struct{} // there are some

	mu           sync.Mutex
	freed, ended []*job
}

// add notes a job in one of the lists.
func (m *moves) add(list *[]*job, j *job) {
	m.mu.Lock()
	*list = append(*list, j)
	m.mu.Unlock()
	select {
	case m.some <- struct{}{}:
	default:
	}
}

// take gives what there is, and makes the lists that it gave before those to be filled next.
func (m *moves) take(freed, ended []*job) (nowFreed, nowEnded []*job) {
	clear(freed)
	clear(ended)
	m.mu.Lock()
	defer m.mu.Unlock()
	nowFreed, nowEnded = m.freed, m.ended
	m.freed, m.ended = freed[:0], ended[:0]
	return nowFreed, nowEnded
}
