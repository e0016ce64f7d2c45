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
	Round   int    // of the run, from 1
	Ordinal int    // among the bundles of its step that the parent gives birth to
	Plan    string // hash of the plan

	// What expressions may ask of the run, so that a node needs no look at the run's document.
	Accepted    int64 // when the run was accepted, Unix milliseconds
	Deadline    int64 // Unix milliseconds
	TriggerAt   int64 // Unix milliseconds
	TriggerType string

	// Failed is the sentence with which the join whose item this is fails because of its members; empty: it runs.
	Failed string
	// Payload is the trigger's payload, for bare items of a step that sees it.
	Payload Value

	Items []Item
}

// Item is one execution of one step to be done.
type Item struct {
	Lineage Lineage
	Attempt int     // attempts that were made before this one and counted
	Value   Value   // the incoming object
	Live    []Value // one for each entry of the step's Live in the plan, in that order
	// Bare items bring neither value nor live values: whoever runs them reads these from the ledger. So come items that a
	// gateway publishes, which no longer has the bundle that their parents were in.
	Bare bool
}

// Value is an object, a reference to where it lies, or a list of objects that is too long for a message.
type Value struct {
	Object Object
	Ref    *Ref
	List   []Chunk // blobs of the list's objects, each as AppendOutput writes them, one after the other
}

// Ref points to a value in the blob store.
type Ref struct {
	Blob   string
	Offset int // bytes
	Length int // bytes
}

// Size is about what the value takes in a frame, in bytes.
func (v Value) Size() int {
	switch {
	case v.Ref != nil:
		return len(v.Ref.Blob) + 12
	case v.List != nil:
		return 48 * len(v.List)
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
	w.array(15)
	w.int(bundleVersion)
	w.str(b.ID)
	w.str(b.Run)
	w.str(b.Step)
	w.str(b.Parent)
	w.int(int64(b.Ordinal))
	w.int(int64(b.Round))
	w.str(b.Plan)
	w.int(b.Accepted)
	w.int(b.Deadline)
	w.int(b.TriggerAt)
	w.str(b.TriggerType)
	w.str(b.Failed)
	b.Payload.write(w)
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
	r.fields(15)
	if v := r.int(); r.err == nil && v != bundleVersion {
		return nil, fmt.Errorf("%w: a bundle of version %d; this program knows version %d", ErrFrame, v, bundleVersion)
	}
	b := &Bundle{ID: r.str(), Run: r.str(), Step: r.str(), Parent: r.str(), Ordinal: r.count(), Round: r.count(), Plan: r.str(),
		Accepted: r.int(), Deadline: r.int(), TriggerAt: r.int(), TriggerType: r.str(), Failed: r.str()}
	b.Payload.read(r)
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
	if it.Bare {
		w.array(0)
		w.array(0)
		return
	}
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
	if it.Bare = r.isEmptyArray(); !it.Bare {
		it.Value.read(r)
	}
	if n := r.array(); n > 0 {
		it.Live = make([]Value, n)
		for i := range it.Live {
			it.Live[i].read(r)
		}
	}
}

func (v Value) write(w *frameWriter) {
	switch {
	case v.Ref != nil:
		w.array(3)
		w.str(v.Ref.Blob)
		w.int(int64(v.Ref.Offset))
		w.int(int64(v.Ref.Length))
	case v.List != nil:
		w.array(1)
		writeChunks(w, v.List)
	default:
		w.bin(v.Object)
	}
}

func (v *Value) read(r *frameReader) {
	if !r.isArray() {
		v.Object = r.bin()
		return
	}
	switch n := r.array(); n {
	case 3:
		v.Ref = &Ref{Blob: r.str(), Offset: r.count(), Length: r.count()}
	case 1:
		v.List = readChunks(r)
	default:
		r.fail("a value of %d fields", n)
	}
}
