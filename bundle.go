package orbit

import (
	"fmt"

	"github.com/vmihailenco/msgpack/v5/msgpcode"
)

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

// DecodeBundle reads what Encode wrote. Texts and byte strings of the bundle are parts of data, which must not change any more. Its
// errors are ErrFrame.
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
	if it.writePlain(w) {
		return
	}
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

// writePlain is write for the form that most items have; not ok: this one has another. There are many, and a call for each field
// takes a multiple of this.
func (it *Item) writePlain(w *frameWriter) bool {
	n := len(it.Value.Object)
	if len(it.Lineage) >= 32 || uint(it.Attempt) >= 128 || n >= 256 || len(it.Live) > 0 || it.Bare || it.Value.Ref != nil || it.Value.List != nil {
		return false
	}
	buf := append(w.buf, msgpcode.FixedArrayLow|4, msgpcode.FixedStrLow|byte(len(it.Lineage)))
	buf = append(buf, it.Lineage...)
	buf = append(buf, byte(it.Attempt), msgpcode.Bin8, byte(n))
	buf = append(buf, it.Value.Object...)
	w.buf = append(buf, msgpcode.FixedArrayLow)
	return true
}

func (it *Item) read(r *frameReader) {
	if it.readPlain(r) {
		return
	}
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

// readPlain is read for what writePlain wrote; not ok: something else comes, and nothing was taken.
func (it *Item) readPlain(r *frameReader) bool {
	d := r.data[r.at:]
	if !r.many || len(d) < 3 || d[0] != msgpcode.FixedArrayLow|4 || !msgpcode.IsFixedString(d[1]) {
		return false
	}
	n := int(d[1] & msgpcode.FixedStrMask)
	value := 2 + n + 3 // where the object begins
	if n == 0 || len(d) < value || d[2+n] >= 0x80 || d[value-2] != msgpcode.Bin8 {
		return false
	}
	end := value + int(d[value-1])
	if end == value || len(d) <= end || d[end] != msgpcode.FixedArrayLow {
		return false
	}
	it.Lineage, it.Attempt = Lineage(r.part(r.at+2, r.at+2+n)), int(d[2+n])
	it.Value.Object = Object(d[value:end:end])
	r.at += end + 1
	return true
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
