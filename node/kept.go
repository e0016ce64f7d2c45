package node

import "sync"

// keptBytes is how much of each kind of thing a node keeps at hand, in bytes.
const keptBytes = 32 << 20

// kept holds what was read lately and never changes, by name. What was not read since half of what may be kept was filled is
// forgotten. The zero value is empty.
type kept[V any] struct {
	mu         sync.Mutex
	young, old map[string]V
	size       int // of young, in bytes
}

// get gives what is kept under a name.
func (k *kept[V]) get(name string) (v V, ok bool) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if v, ok = k.young[name]; !ok {
		v, ok = k.old[name]
	}
	return v, ok
}

// put keeps something, of so many bytes.
func (k *kept[V]) put(name string, v V, size int) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.young == nil || k.size+size > keptBytes/2 {
		k.old, k.young, k.size = k.young, map[string]V{}, 0
	}
	k.young[name] = v
	k.size += size
}
