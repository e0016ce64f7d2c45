package orbit

import "fmt"

// Limits of a bundle. The size keeps a message well below the server's limit and a node's memory per slot small; the
// count bounds what is redone when a node dies.
const (
	MaxBundleItems = 256
	MaxBundleBytes = 64 << 10
	// MaxInline is the size from which a value, or the outputs of a record together, go to the blob store and travel as a reference.
	MaxInline = 32 << 10
)

// Bundle is the unit of queueing, lease and commit: 1 to MaxBundleItems items of one step of one run, in one message.
type Bundle struct {
	ID      string // BundleID, RetryBundleID: the same on every replay
	Run     string
	Step    string // identifier of the step
	Parent  string // bundle whose record names this one; the run id for a root
	Ordinal int    // among the bundles of its step that the parent gives birth to
	Plan    string // hash of the plan

	// What expressions may ask of the run, so that a node needs no look at the run's document.
	Accepted    int64 // when the run was accepted, Unix milliseconds
	Deadline    int64 // Unix milliseconds
	TriggerAt   int64 // Unix milliseconds
	TriggerType string

	Items []Item
}

// Item is one execution of one step to be done.
type Item struct {
	Lineage Lineage
	Attempt int     // attempts that were made before this one and counted
	Value   Value   // the incoming object
	Live    []Value // one for each entry of the step's Live in the plan, in that order
}

// Value is an object, or a reference to where it lies.
type Value struct {
	Object Object
	Ref    *Ref
}

// Ref points to a value in the blob store.
type Ref struct {
	Blob   string
	Offset int // bytes
	Length int // bytes
}

// Size is about what the value takes in a frame, in bytes.
func (v Value) Size() int {
	if v.Ref != nil {
		return len(v.Ref.Blob) + 12
	}
	return len(v.Object) + 5
}

const bundleVersion = 1

// Encode gives the bytes that travel.
func (b *Bundle) Encode() []byte {
	size := 256
	for i := range b.Items {
		size += b.Items[i].size()
	}
	w := newFrameWriter(size)
	w.array(12)
	w.int(bundleVersion)
	w.str(b.ID)
	w.str(b.Run)
	w.str(b.Step)
	w.str(b.Parent)
	w.int(int64(b.Ordinal))
	w.str(b.Plan)
	w.int(b.Accepted)
	w.int(b.Deadline)
	w.int(b.TriggerAt)
	w.str(b.TriggerType)
	w.array(len(b.Items))
	for i := range b.Items {
		b.Items[i].write(w)
	}
	return w.done()
}

// DecodeBundle reads what Encode wrote. The bundle keeps slices of data. Its errors are ErrFrame.
func DecodeBundle(data []byte) (*Bundle, error) {
	r := newFrameReader(data)
	r.many = true
	r.fields(12)
	if v := r.int(); r.err == nil && v != bundleVersion {
		return nil, fmt.Errorf("%w: a bundle of version %d; this program knows version %d", ErrFrame, v, bundleVersion)
	}
	b := &Bundle{ID: r.str(), Run: r.str(), Step: r.str(), Parent: r.str(), Ordinal: r.count(), Plan: r.str(),
		Accepted: r.int(), Deadline: r.int(), TriggerAt: r.int(), TriggerType: r.str()}
	n := r.array()
	if n > MaxBundleItems {
		r.fail("%d items", n)
		n = 0
	}
	if n > 0 {
		b.Items = make([]Item, n)
	}
	for i := range b.Items {
		b.Items[i].read(r)
	}
	if err := r.end(); err != nil {
		return nil, err
	}
	if !ValidID(b.ID) || !ValidID(b.Run) || !ValidID(b.Parent) || len(b.Items) == 0 {
		return nil, fmt.Errorf("%w: a bundle without ids or items", ErrFrame)
	}
	return b, nil
}

// size is about what the item takes in a frame, in bytes.
func (it *Item) size() int {
	n := len(it.Lineage) + 8 + it.Value.Size()
	for _, v := range it.Live {
		n += v.Size()
	}
	return n
}

func (it *Item) write(w *frameWriter) {
	w.array(4)
	w.str(string(it.Lineage))
	w.int(int64(it.Attempt))
	it.Value.write(w)
	w.array(len(it.Live))
	for _, v := range it.Live {
		v.write(w)
	}
}

func (it *Item) read(r *frameReader) {
	r.fields(4)
	it.Lineage = Lineage(r.str())
	it.Attempt = r.count()
	it.Value.read(r)
	if n := r.array(); n > 0 {
		it.Live = make([]Value, n)
		for i := range it.Live {
			it.Live[i].read(r)
		}
	}
}

func (v Value) write(w *frameWriter) {
	if v.Ref == nil {
		w.bin(v.Object)
		return
	}
	w.array(3)
	w.str(v.Ref.Blob)
	w.int(int64(v.Ref.Offset))
	w.int(int64(v.Ref.Length))
}

func (v *Value) read(r *frameReader) {
	if !r.isArray() {
		v.Object = r.bin()
		return
	}
	r.fields(3)
	v.Ref = &Ref{Blob: r.str(), Offset: r.count(), Length: r.count()}
}
