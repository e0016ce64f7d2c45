package mesh

import (
	"bytes"
	"errors"
	"fmt"
	"math"
	"slices"

	"github.com/vmihailenco/msgpack/v5"
)

// maxMeta is memberlist's limit for metadata. It panics above it.
const maxMeta = 512

// Limits of a digest. All of them together stay far below maxMeta, however large the numbers: 16 devices of 3 bytes,
// three texts, and ten numbers of at most 9 bytes.
const (
	MaxDevices = 16  // GPUs of one machine; of more, those with the most free memory are told
	maxText    = 48  // bytes of a class or version; the rest is cut off
	gpuStep    = 256 // MiB: free memory is rounded down to it, so that small changes are not gossiped
)

// Digest is what a machine says about itself to everybody. It is coarse on purpose; the full inventory is elsewhere, at
// the revision named here.
type Digest struct {
	Class     string // hardware class
	Pools     uint64 // hash of the names of the pools that it hosts
	FreeGPU   []int  // MiB free on each device, in steps of 256
	FreeCores int
	Load      int // runnable threads per core, in percent, over a minute
	Slots     int // items that it can work on at once
	Busy      int // items that it works on now
	Inventory uint64
	Version   string // of the program
}

// layout is the version of the metadata. Fields may be added at the end without a new one; readers skip what they do
// not know.
const layout = 1

// encodeMeta writes role and digest. It never fails: what is too large is cut to its limit.
func encodeMeta(role string, d *Digest) []byte {
	var buf bytes.Buffer
	e := msgpack.NewEncoder(&buf)
	e.UseCompactInts(true)
	if d == nil {
		must(e.EncodeArrayLen(2), e.EncodeInt(layout), e.EncodeString(cut(role)))
		return buf.Bytes()
	}
	must(e.EncodeArrayLen(11), e.EncodeInt(layout), e.EncodeString(cut(role)), e.EncodeString(cut(d.Class)), e.EncodeUint(d.Pools))
	free := steps(d.FreeGPU)
	must(e.EncodeArrayLen(len(free)))
	for _, n := range free {
		must(e.EncodeUint(n))
	}
	for _, n := range []int{d.FreeCores, d.Load, d.Slots, d.Busy} {
		must(e.EncodeUint(clamp(n)))
	}
	must(e.EncodeUint(d.Inventory), e.EncodeString(cut(d.Version)))
	return buf.Bytes()
}

// steps gives free memory in units of gpuStep, of at most MaxDevices devices.
func steps(free []int) []uint64 {
	if len(free) > MaxDevices {
		free = slices.Clone(free)
		slices.SortFunc(free, func(a, b int) int { return b - a })
		free = free[:MaxDevices]
	}
	out := make([]uint64, len(free))
	for i, mib := range free {
		out[i] = min(uint64(max(mib, 0))/gpuStep, math.MaxUint16)
	}
	return out
}

func cut(s string) string { return s[:min(len(s), maxText)] }

func clamp(n int) uint64 { return uint64(min(max(n, 0), math.MaxInt32)) }

// must is for a bytes.Buffer, which does not fail.
func must(errs ...error) {
	if err := errors.Join(errs...); err != nil {
		panic(err)
	}
}

var errMeta = errors.New("gossip metadata cannot be read")

// decodeMeta reads what any machine may have sent: it trusts no length, and allocates no more than the frame holds. A
// machine that has told only its role has no digest.
func decodeMeta(frame []byte) (role string, digest *Digest, err error) {
	if len(frame) > maxMeta {
		return "", nil, fmt.Errorf("%w: %d bytes, the limit is %d", errMeta, len(frame), maxMeta)
	}
	r := reader{d: msgpack.NewDecoder(bytes.NewReader(frame))}
	fields := r.array(len(frame))
	if v := r.uint(math.MaxUint16); r.err == nil && v != layout {
		return "", nil, fmt.Errorf("%w: layout %d, this program reads %d", errMeta, v, layout)
	}
	role = r.text()
	if r.err != nil {
		return "", nil, r.err
	}
	if fields == 2 {
		return role, nil, nil
	}
	if fields < 11 {
		return role, nil, fmt.Errorf("%w: %d fields", errMeta, fields)
	}
	d := &Digest{Class: r.text(), Pools: r.uint(math.MaxUint64)}
	if n := r.array(MaxDevices); n > 0 {
		d.FreeGPU = make([]int, n)
		for i := range d.FreeGPU {
			d.FreeGPU[i] = int(r.uint(math.MaxUint16)) * gpuStep
		}
	}
	for _, n := range []*int{&d.FreeCores, &d.Load, &d.Slots, &d.Busy} {
		*n = int(r.uint(math.MaxInt32))
	}
	d.Inventory, d.Version = r.uint(math.MaxUint64), r.text()
	if r.err != nil {
		return role, nil, r.err
	}
	return role, d, nil
}

// reader reads until the first mistake, and keeps it.
type reader struct {
	d   *msgpack.Decoder
	err error
}

func (r *reader) array(limit int) int {
	if r.err != nil {
		return 0
	}
	n, err := r.d.DecodeArrayLen()
	return r.bounded(n, limit, err)
}

func (r *reader) bounded(n, limit int, err error) int {
	if err == nil && (n < 0 || n > limit) {
		err = fmt.Errorf("%d is past the limit of %d", n, limit)
	}
	if err != nil {
		r.err = fmt.Errorf("%w: %w", errMeta, err)
		return 0
	}
	return n
}

func (r *reader) uint(limit uint64) uint64 {
	if r.err != nil {
		return 0
	}
	n, err := r.d.DecodeUint64()
	if err == nil && n > limit {
		err = fmt.Errorf("%d is past the limit of %d", n, limit)
	}
	if err != nil {
		r.err = fmt.Errorf("%w: %w", errMeta, err)
		return 0
	}
	return n
}

func (r *reader) text() string {
	if r.err != nil {
		return ""
	}
	n, err := r.d.DecodeBytesLen()
	text := make([]byte, r.bounded(n, maxText, err))
	if r.err == nil {
		if err := r.d.ReadFull(text); err != nil {
			r.err = fmt.Errorf("%w: %w", errMeta, err)
		}
	}
	return string(text)
}
