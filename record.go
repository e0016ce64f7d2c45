package orbit

import (
	"fmt"
	"slices"
	"time"

	"github.com/vmihailenco/msgpack/v5/msgpcode"
)

// Record is the committed result of a bundle: written once, under the bundle's own subject, and never changed. It names
// every bundle that follows from it; that list is the only source, nobody groups again.
type Record struct {
	Bundle  string
	Run     string
	Step    string
	Parent  string
	Ordinal int

	Node     string
	Started  int64 // Unix milliseconds
	Finished int64

	Counts       Counts // of Results, by state
	Born         []Born // children per child step: with Counts, all that the fold needs
	FailureItems int    // items of failure steps that it gives birth to
	Usage        Usage  // by all Results together; nil: nothing was counted

	Kids    Payload // bundles that follow, each a Kid
	Results []Result
	Outputs Payload // the objects of all succeeded items, in the order of Results
}

// Counts says how many items of a record are in which state.
type Counts struct {
	Succeeded, Failed, Skipped, Retry int
	Again                             int // items that came as a retry, whatever became of them
}

// Settled is the number of items that have ended for good.
func (c Counts) Settled() int { return c.Succeeded + c.Failed + c.Skipped }

// Born says how many items of a step a record gives birth to.
type Born struct {
	Step  string
	Items int
}

// Result is what became of one item of the bundle.
type Result struct {
	Lineage Lineage
	State   ItemState // succeeded, failed, skipped or retrying
	Attempt int       // attempts made so far, this one included
	Outputs int       // objects returned
	Error   *Error    // of failed and retrying items
	Input   *Item     // of a retrying item: as it came in, for the parent's message is gone by then
	Usage   Usage     // by this attempt
}

// KidKind says why a bundle follows.
type KidKind int

// The kinds of bundles that a record names.
const (
	KidChild   KidKind = iota // outputs become items of a child step
	KidRetry                  // items marked retrying are tried again
	KidFailure                // the first failure step for items that failed for good
)

// Kid is one bundle that follows from a record.
type Kid struct {
	Kind    KidKind
	Step    string
	Ordinal int   // among the bundles of its kind and step
	First   int   // index of its first output (of KidRetry: of its first retrying result; of KidFailure: of the failed result)
	Count   int   // items
	Due     int64 // not before, Unix milliseconds; 0: at once
}

// Payload is a sequence of byte strings that lies in the record, or in blobs where it is long.
type Payload struct {
	Inline []byte
	Chunks []Chunk
}

// Chunk is one blob of a payload; it holds whole entries.
type Chunk struct {
	Blob  string
	Size  int // bytes
	Count int // entries
}

// The versions of a record. What nothing was counted of is written as the first one.
const (
	recordVersion      = 1
	recordVersionUsage = 2 // with Usage, in the head and in results
)

// Encode gives the bytes that are stored.
func (rec *Record) Encode() []byte {
	data, _ := rec.EncodeWithHead()
	return data
}

// EncodeWithHead is Encode; it also gives how many of the bytes are the head, all that DecodeRecordHead reads.
func (rec *Record) EncodeWithHead() (data []byte, head int) {
	w := newFrameWriter(512 + len(rec.Kids.Inline) + len(rec.Outputs.Inline) + 64*len(rec.Kids.Chunks) + 64*len(rec.Outputs.Chunks) + 32*len(rec.Results))
	if rec.Usage == nil {
		w.array(14)
		w.int(recordVersion)
	} else {
		w.array(15)
		w.int(recordVersionUsage)
	}
	w.str(rec.Bundle)
	w.str(rec.Run)
	w.str(rec.Step)
	w.str(rec.Parent)
	w.int(int64(rec.Ordinal))
	w.str(rec.Node)
	w.int(rec.Started)
	w.int(rec.Finished)
	w.array(6 + 2*len(rec.Born))
	for _, n := range []int{rec.Counts.Succeeded, rec.Counts.Failed, rec.Counts.Skipped, rec.Counts.Retry, rec.Counts.Again, rec.FailureItems} {
		w.int(int64(n))
	}
	for _, b := range rec.Born {
		w.str(b.Step)
		w.int(int64(b.Items))
	}
	if rec.Usage != nil {
		rec.Usage.write(w)
	}
	head = len(w.buf)
	rec.Kids.write(w)
	rec.Outputs.write(w)
	w.array(len(rec.Results))
	for i := range rec.Results {
		rec.Results[i].write(w)
	}
	w.flag(false) // room for what a later version adds without changing the head
	return w.done(), head
}

// DecodeRecord reads what Encode wrote. Texts and byte strings of the record are parts of data, which must not change any more. Its
// errors are ErrFrame.
func DecodeRecord(data []byte) (*Record, error) {
	r := newFrameReader(data)
	r.many = true
	rec, err := readRecordHead(r)
	if err != nil {
		return nil, err
	}
	rec.Kids.read(r)
	rec.Outputs.read(r)
	n := r.array()
	if n > MaxBundleItems {
		r.fail("%d results", n)
		n = 0
	}
	rec.Results = make([]Result, n)
	for i := range rec.Results {
		rec.Results[i].read(r)
	}
	r.flag()
	if err := r.end(); err != nil {
		return nil, err
	}
	return rec, nil
}

// DecodeRecordHead reads only the ids and counts: all that folding needs of a record without retries.
func DecodeRecordHead(data []byte) (*Record, error) {
	r := newFrameReader(data)
	return readRecordHead(r)
}

func readRecordHead(r *frameReader) (*Record, error) {
	fields := r.array()
	v := r.int()
	if r.err == nil && v != recordVersion && v != recordVersionUsage {
		return nil, fmt.Errorf("%w: a record of version %d; this program knows versions %d and %d", ErrFrame, v, recordVersion, recordVersionUsage)
	}
	if want := 13 + int(v); r.err == nil && fields != want { // the second version has one more
		r.fail("%d fields where %d belong", fields, want)
	}
	rec := &Record{Bundle: r.str(), Run: r.str(), Step: r.str(), Parent: r.str(), Ordinal: r.count(), Node: r.str(), Started: r.int(), Finished: r.int()}
	n := r.array()
	if n < 6 || n%2 != 0 {
		r.fail("%d counts", n)
		return nil, r.err
	}
	rec.Counts = Counts{Succeeded: r.count(), Failed: r.count(), Skipped: r.count(), Retry: r.count(), Again: r.count()}
	rec.FailureItems = r.count()
	for range (n - 6) / 2 {
		rec.Born = append(rec.Born, Born{Step: r.str(), Items: r.count()})
	}
	if v == recordVersionUsage {
		rec.Usage = readUsage(r)
	}
	return rec, r.err
}

// StartedAt is when the bundle's run began.
func (rec *Record) StartedAt() time.Time { return time.UnixMilli(rec.Started).UTC() }

// FinishedAt is when the bundle's run was done.
func (rec *Record) FinishedAt() time.Time { return time.UnixMilli(rec.Finished).UTC() }

// stateCodes are the states that a result can have, by their number in a frame.
var stateCodes = [...]ItemState{ItemSucceeded, ItemFailed, ItemSkipped, ItemRetrying}

// writePlain is write for what most items have come to; not ok: this one has come to more. See Item.writePlain.
func (res *Result) writePlain(w *frameWriter) bool {
	if res.State != ItemSucceeded || len(res.Lineage) >= 32 || uint(res.Attempt) >= 128 || uint(res.Outputs) >= 128 || res.Error != nil || res.Input != nil || res.Usage != nil {
		return false
	}
	buf := append(w.buf, msgpcode.FixedArrayLow|6, msgpcode.FixedStrLow|byte(len(res.Lineage)))
	buf = append(buf, res.Lineage...)
	w.buf = append(buf, 0, byte(res.Attempt), byte(res.Outputs), msgpcode.Nil, msgpcode.Nil)
	return true
}

func (res *Result) write(w *frameWriter) {
	if res.writePlain(w) {
		return
	}
	if res.Usage == nil {
		w.array(6)
	} else {
		w.array(7)
	}
	w.str(string(res.Lineage))
	w.int(int64(slices.Index(stateCodes[:], res.State)))
	w.int(int64(res.Attempt))
	w.int(int64(res.Outputs))
	if e := res.Error; e == nil {
		w.null()
	} else {
		w.array(3)
		w.str(string(e.Code))
		w.str(e.Message)
		w.flag(e.Retryable)
	}
	if res.Input == nil {
		w.null()
	} else {
		res.Input.write(w)
	}
	if res.Usage != nil {
		res.Usage.write(w)
	}
}

func (res *Result) read(r *frameReader) {
	fields := r.array()
	if fields != 6 && fields != 7 {
		r.fail("%d fields where 6 or 7 belong", fields)
	}
	res.Lineage = Lineage(r.str())
	s := r.int()
	if s < 0 || s >= int64(len(stateCodes)) {
		r.fail("a state %d", s)
		return
	}
	res.State = stateCodes[s]
	res.Attempt, res.Outputs = r.count(), r.count()
	if !r.isNull() {
		r.fields(3)
		res.Error = &Error{Code: Code(r.str()), Message: r.str(), Retryable: r.flag()}
	}
	if !r.isNull() {
		res.Input = &Item{}
		res.Input.read(r)
	}
	if fields == 7 {
		res.Usage = readUsage(r)
	}
}

func (p Payload) write(w *frameWriter) {
	if p.Chunks == nil {
		w.bin(p.Inline)
		return
	}
	writeChunks(w, p.Chunks)
}

func writeChunks(w *frameWriter, chunks []Chunk) {
	w.array(len(chunks))
	for _, c := range chunks {
		w.array(3)
		w.str(c.Blob)
		w.int(int64(c.Size))
		w.int(int64(c.Count))
	}
}

func (p *Payload) read(r *frameReader) {
	if !r.isArray() {
		p.Inline = r.bin()
		return
	}
	p.Chunks = readChunks(r)
}

func readChunks(r *frameReader) []Chunk {
	chunks := make([]Chunk, r.array())
	for i := range chunks {
		r.fields(3)
		chunks[i] = Chunk{Blob: r.str(), Size: r.count(), Count: r.count()}
	}
	return chunks
}

// AppendKid appends an entry to the payload of Record.Kids.
func AppendKid(buf []byte, k Kid) []byte {
	w := frameWriter{buf: buf}
	w.array(6)
	w.int(int64(k.Kind))
	w.str(k.Step)
	w.int(int64(k.Ordinal))
	w.int(int64(k.First))
	w.int(int64(k.Count))
	w.int(k.Due)
	return w.done()
}

// DecodeKids reads the entries of a piece of Record.Kids.
func DecodeKids(data []byte) ([]Kid, error) {
	r := newFrameReader(data)
	var kids []Kid
	for r.err == nil && r.left() > 0 {
		r.fields(6)
		k := Kid{Kind: KidKind(r.count()), Step: r.str(), Ordinal: r.count(), First: r.count(), Count: r.count(), Due: r.int()}
		if r.err == nil && (k.Count < 1 || k.Count > MaxBundleItems) {
			r.fail("a bundle of %d items", k.Count)
		}
		kids = append(kids, k)
	}
	return kids, r.err
}

// AppendOutput appends an object to the payload of Record.Outputs.
func AppendOutput(buf []byte, o Object) []byte {
	return appendBin(buf, o)
}

// NextOutput takes the first object off a piece of Record.Outputs; head is the number of bytes before it. Not ok: the
// piece is damaged. The object is a slice of data.
func NextOutput(data []byte) (o Object, head int, rest []byte, ok bool) {
	if len(data) < 2 {
		return nil, 0, nil, false
	}
	n := 0
	switch data[0] {
	case 0xc4:
		head, n = 2, int(data[1])
	case 0xc5:
		if head = 3; len(data) >= head {
			n = int(data[1])<<8 | int(data[2])
		}
	case 0xc6:
		if head = 5; len(data) >= head {
			n = int(data[1])<<24 | int(data[2])<<16 | int(data[3])<<8 | int(data[4])
		}
	default:
		return nil, 0, nil, false
	}
	if len(data) < head+n {
		return nil, 0, nil, false
	}
	return Object(data[head : head+n : head+n]), head, data[head+n:], true
}
