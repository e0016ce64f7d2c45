package files

import (
	"crypto/sha256"
	"encoding/hex"
	"slices"
	"sort"
	"strings"
	"sync"
)

// shelf is what a fake of a cloud keeps: the objects of one bucket.
type shelf struct {
	mu   sync.Mutex
	keys []string // sorted
	body map[string]string
}

// newShelf holds objects, each of which holds its own key.
func newShelf(keys ...string) *shelf {
	s := &shelf{keys: slices.Sorted(slices.Values(keys)), body: map[string]string{}}
	for _, key := range keys {
		s.body[key] = key
	}
	return s
}

func (s *shelf) get(key string) (string, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	body, ok := s.body[key]
	return body, ok
}

func (s *shelf) put(key, body string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, ok := s.body[key]; !ok {
		i, _ := slices.BinarySearch(s.keys, key)
		s.keys = slices.Insert(s.keys, i, key)
	}
	s.body[key] = body
}

func (s *shelf) remove(key string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	i, ok := slices.BinarySearch(s.keys, key)
	if ok {
		s.keys = slices.Delete(s.keys, i, i+1)
		delete(s.body, key)
	}
	return ok
}

// page gives at most n keys with the prefix that come after a token, and the token of the next page. Keys with a
// delimiter after the prefix are folded into one, which counts as one, and are not given.
func (s *shelf) page(prefix, delimiter, after string, n int) (keys []string, next string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	count, last := 0, ""
	for _, key := range s.keys[sort.SearchStrings(s.keys, max(prefix, after)):] {
		if !strings.HasPrefix(key, prefix) {
			break
		}
		name := key
		if i := strings.Index(key[len(prefix):], "/"); delimiter == "/" && i >= 0 {
			name = key[:len(prefix)+i+1]
		}
		if name <= after || name == last {
			continue
		}
		if count == n {
			return keys, last
		}
		count, last = count+1, name
		if name == key {
			keys = append(keys, key)
		}
	}
	return keys, ""
}

// etagOf changes with what an object holds.
func etagOf(body string) string {
	sum := sha256.Sum256([]byte(body))
	return hex.EncodeToString(sum[:8])
}
