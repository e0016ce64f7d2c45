package node

import "github.com/exospherehost/orbit"

// scratch is room that bundles use one after the other: it makes no garbage, and stays in the caches of the processor. What lies in
// it is good until its bundle is committed.
type scratch struct {
	results []orbit.Result
	outputs []byte
	sizes   []int32 // of outputs
	asItems []int   // the same, as items of a child
}

// maxScratch bounds what is kept of one, in bytes of outputs and in outputs.
const maxScratch = 128 << 10

func (n *Node) newScratch() *scratch {
	if s, ok := n.scratches.Get().(*scratch); ok {
		return s
	}
	return &scratch{}
}

// release gives back the room that the execution has used. Nothing of its results and outputs is looked at after that; the record was
// encoded.
func (e *execution) release() {
	s := e.scratch
	if s == nil {
		return
	}
	e.scratch = nil
	clear(e.results) // what they point to is not kept
	s.results = e.results[:0]
	if len(e.spool.chunks) == 0 && cap(e.spool.buf) <= maxScratch && cap(e.spool.sizes) <= maxScratch {
		s.outputs, s.sizes = e.spool.buf[:0], e.spool.sizes[:0]
	} else {
		s.outputs, s.sizes, s.asItems = nil, nil, nil
	}
	e.node.scratches.Put(s)
}
