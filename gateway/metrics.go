package gateway

import (
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/exospherehost/orbit"
)

// metrics counts what this gateway has done since its start. The zero metrics are ready.
type metrics struct {
	accepted atomic.Int64
	ended    [len(orbit.RunStates)]atomic.Int64 // by state
	mu       sync.Mutex
	requests map[requestKind]int64 // guarded by mu; as many as there are routes and statuses
}

type requestKind struct {
	route  string
	status int
}

// end counts a run that has ended.
func (m *metrics) end(state orbit.RunState) {
	if i := slices.Index(orbit.RunStates[:], state); i >= 0 {
		m.ended[i].Add(1)
	}
}

func (m *metrics) request(route string, status int) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.requests == nil {
		m.requests = map[requestKind]int64{}
	}
	m.requests[requestKind{route, status}]++
}

// requestCounts lists the counts of requests in the order of their routes.
func (m *metrics) requestCounts() (kinds []requestKind, counts []int64) {
	m.mu.Lock()
	defer m.mu.Unlock()
	kinds = slices.SortedFunc(maps.Keys(m.requests), func(a, b requestKind) int {
		if c := strings.Compare(a.route, b.route); c != 0 {
			return c
		}
		return a.status - b.status
	})
	for _, k := range kinds {
		counts = append(counts, m.requests[k])
	}
	return kinds, counts
}

// counted notes the status of an answer.
type counted struct {
	http.ResponseWriter
	status int
}

// WriteHeader implements http.ResponseWriter.
func (c *counted) WriteHeader(status int) {
	if c.status == 0 {
		c.status = status
	}
	c.ResponseWriter.WriteHeader(status)
}

// Unwrap gives http.ResponseController what it needs.
func (c *counted) Unwrap() http.ResponseWriter { return c.ResponseWriter }

// pulse is what a leader says of itself for others to read.
type pulse struct {
	folded atomic.Uint64 // sequence of the last folded record
	saved  atomic.Int64  // Unix milliseconds when all that was folded was in a checkpoint
}

// beat is called by the leader, a few times a second.
func (p *pulse) beat(folded, checkpointed uint64, now time.Time) {
	p.folded.Store(folded)
	if folded == checkpointed {
		p.saved.Store(now.UnixMilli())
	}
}

// promText writes metrics in the text format of Prometheus.
type promText struct {
	buf  []byte
	name string
}

// family begins a metric; kind is counter or gauge.
func (t *promText) family(name, kind, help string) {
	t.name = name
	t.buf = append(t.buf, "# HELP "+name+" "+help+"\n# TYPE "+name+" "+kind+"\n"...)
}

var labelText = strings.NewReplacer(`\`, `\\`, `"`, `\"`, "\n", `\n`)

// value adds a value to the family; labels are names and values in turn.
func (t *promText) value(v float64, labels ...string) {
	t.buf = append(t.buf, t.name...)
	for i := 0; i+1 < len(labels); i += 2 {
		sep := byte(',')
		if i == 0 {
			sep = '{'
		}
		t.buf = append(append(t.buf, sep), labels[i]+`="`+labelText.Replace(labels[i+1])+`"`...)
	}
	if len(labels) > 1 {
		t.buf = append(t.buf, '}')
	}
	t.buf = append(strconv.AppendFloat(append(t.buf, ' '), v, 'g', -1, 64), '\n')
}
