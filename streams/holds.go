package streams

import (
	"cmp"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"

	"github.com/exospherehost/orbit"
)

const (
	// MaxLeases bounds a list of leases: twice what a node takes ahead and commits at once. What is past it is left to
	// its lease.
	MaxLeases = 2048
	// maxKeepers bounds the names in a list.
	maxKeepers = 8
	// maxHolds is the size of the longest list that is read: MaxLeases with the largest numbers there are, and names.
	maxHolds = 64 << 10
	// maxNodeName is the longest name that gossip takes.
	maxNodeName = 128
)

var (
	errHolds = errors.New("a list of leases that cannot be read")
	errLease = errors.New("a lease that names no ack subject")
)

// Holds is what a node tells its keepers: the leases that it has now. It is a hint. A later one takes the place of all
// before it, and one without leases says that nothing is held.
type Holds struct {
	Node    string
	Life    uint64   // of the node's process: one that is started again under the name has a greater one
	Over    bool     // said by another keeper: this life is over, and its leases were handed back
	Keepers []string // who is told, in the order in which they act
	Leases  []Lease
}

// holdsVersion begins every list; overVersion one that says that a life is over.
const (
	holdsVersion = 1
	overVersion  = 2
)

// Encode gives the bytes that travel: about six for each lease. Leases past MaxLeases are left out.
func (h *Holds) Encode() []byte {
	leases := slices.Clone(h.Leases[:min(len(h.Leases), MaxLeases)])
	slices.SortFunc(leases, func(a, b Lease) int { // neighbours differ by little
		return cmp.Or(cmp.Compare(a.Consumer, b.Consumer), cmp.Compare(a.Seq, b.Seq), cmp.Compare(a.Order, b.Order))
	})
	b := make([]byte, 0, 128+8*len(leases))
	if h.Over {
		b = append(b, overVersion)
	} else {
		b = append(b, holdsVersion)
	}
	b = appendText(b, h.Node)
	b = binary.BigEndian.AppendUint64(b, h.Life)
	b = binary.AppendUvarint(b, uint64(len(h.Keepers)))
	for _, k := range h.Keepers {
		b = appendText(b, k)
	}
	for len(leases) > 0 {
		many := 1
		for many < len(leases) && leases[many].Consumer == leases[0].Consumer {
			many++
		}
		b = appendText(b, leases[0].Consumer)
		b = binary.AppendUvarint(b, uint64(many))
		var last Lease
		for _, l := range leases[:many] {
			b = binary.AppendUvarint(b, l.Delivered)
			b = binary.AppendVarint(b, int64(l.Seq-last.Seq)) // wraps around, and back
			b = binary.AppendVarint(b, int64(l.Order-last.Order))
			last = l
		}
		leases = leases[many:]
	}
	return b
}

// DecodeHolds reads what any process may have sent. It allocates no more than the frame holds, and every lease in it names
// an ack subject. Its error is orbit.ErrFrame.
func DecodeHolds(data []byte) (*Holds, error) {
	if len(data) > maxHolds {
		return nil, fmt.Errorf("%w: %w: %d bytes", orbit.ErrFrame, errHolds, len(data))
	}
	r := holdsReader{rest: data}
	h := &Holds{}
	switch v := r.bytes(1); {
	case r.err != nil:
		return nil, r.err
	case v[0] == overVersion:
		h.Over = true
	case v[0] != holdsVersion:
		return nil, fmt.Errorf("%w: %w: version %d", orbit.ErrFrame, errHolds, v[0])
	}
	h.Node = r.text(maxNodeName)
	if life := r.bytes(8); r.err == nil {
		h.Life = binary.BigEndian.Uint64(life)
	}
	for range r.number(maxKeepers) {
		h.Keepers = append(h.Keepers, r.text(maxNodeName))
	}
	for r.err == nil && len(r.rest) > 0 {
		last := Lease{Consumer: r.text(maxConsumerName)}
		if r.err == nil && last.check() != nil {
			return nil, fmt.Errorf("%w: %w", orbit.ErrFrame, errLease)
		}
		for range r.number(MaxLeases - len(h.Leases)) {
			last.Delivered = r.uvarint()
			last.Seq += uint64(r.varint())
			last.Order += uint64(r.varint())
			if r.err != nil {
				break
			}
			h.Leases = append(h.Leases, last)
		}
	}
	if r.err != nil {
		return nil, r.err
	}
	return h, nil
}

// holdsReader reads until the first mistake, and keeps it.
type holdsReader struct {
	rest []byte
	err  error
}

func (r *holdsReader) fail() { r.err = fmt.Errorf("%w: %w", orbit.ErrFrame, errHolds) }

func (r *holdsReader) bytes(n int) []byte {
	if r.err != nil || n > len(r.rest) {
		r.fail()
		return nil
	}
	b := r.rest[:n]
	r.rest = r.rest[n:]
	return b
}

func (r *holdsReader) uvarint() uint64 {
	n, size := binary.Uvarint(r.rest)
	if size <= 0 {
		r.fail()
		return 0
	}
	r.rest = r.rest[size:]
	return n
}

func (r *holdsReader) varint() int64 {
	n, size := binary.Varint(r.rest)
	if size <= 0 {
		r.fail()
		return 0
	}
	r.rest = r.rest[size:]
	return n
}

// number reads how many follow; each takes a byte at least.
func (r *holdsReader) number(most int) int {
	n := r.uvarint()
	if r.err != nil || n > uint64(min(most, len(r.rest))) {
		r.fail()
		return 0
	}
	return int(n)
}

func (r *holdsReader) text(most int) string { return string(r.bytes(r.number(most))) }

func appendText(b []byte, s string) []byte {
	return append(binary.AppendUvarint(b, uint64(len(s))), s...)
}
