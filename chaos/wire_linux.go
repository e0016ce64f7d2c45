package main

import (
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"sync"
	"sync/atomic"
	"syscall"
	"unsafe"
)

// wire is the network between the processes: each has a namespace with one TUN device, and this program carries the packets
// from one to the other, or does not. So every fault of a network is a line of Go, and needs no tool and no module of the
// kernel but TUN itself.
type wire struct {
	passed, dropped atomic.Uint64

	mu    sync.Mutex
	ends  map[[4]byte]*os.File
	rules []*rule
	dice  *rand.Rand
}

// rule loses a part of the packets from some to others.
type rule struct {
	from, to [][4]byte
	part     float64 // 1: all
}

func newWire(seed uint64) *wire {
	return &wire{ends: map[[4]byte]*os.File{}, dice: rand.New(rand.NewPCG(seed, 7))}
}

// hub plugs this program itself in, with the network namespace that it runs in.
func (w *wire) hub(ip [4]byte) error { return w.open(ip) }

// plug makes a namespace with an address on the wire, and a place in it to start processes.
func (w *wire) plug(ip [4]byte) (*end, error) {
	return newEnd(func() error {
		if err := syscall.Unshare(syscall.CLONE_NEWNET); err != nil {
			return fmt.Errorf("make a network namespace: %w", err)
		}
		return w.open(ip)
	})
}

// mtu lets a segment of TCP travel whole: what passes through this program is then few large packets.
const mtu = 65000

// ifreq is struct ifreq of the kernel.
type ifreq struct {
	name [16]byte
	data [24]byte
}

func ioctl(fd int, request uintptr, r *ifreq) error {
	if _, _, errno := syscall.Syscall(syscall.SYS_IOCTL, uintptr(fd), request, uintptr(unsafe.Pointer(r))); errno != 0 {
		return errno
	}
	return nil
}

// open makes the device in the namespace of the calling thread.
func (w *wire) open(ip [4]byte) error {
	fd, err := syscall.Open("/dev/net/tun", syscall.O_RDWR|syscall.O_CLOEXEC|syscall.O_NONBLOCK, 0)
	if err != nil {
		return fmt.Errorf("open /dev/net/tun: %w", err)
	}
	dev := ifreq{}
	copy(dev.name[:], "wire")
	*(*uint16)(unsafe.Pointer(&dev.data)) = syscall.IFF_TUN | syscall.IFF_NO_PI
	if err := ioctl(fd, syscall.TUNSETIFF, &dev); err != nil {
		_ = syscall.Close(fd)
		return fmt.Errorf("make a TUN device: %w", err)
	}
	sock, err := syscall.Socket(syscall.AF_INET, syscall.SOCK_DGRAM|syscall.SOCK_CLOEXEC, 0)
	if err != nil {
		return err
	}
	defer syscall.Close(sock)
	inet := func(a [4]byte) (data [24]byte) {
		*(*uint16)(unsafe.Pointer(&data)) = syscall.AF_INET
		copy(data[4:], a[:])
		return data
	}
	number := func(n uint32) (data [24]byte) {
		*(*uint32)(unsafe.Pointer(&data)) = n
		return data
	}
	loop := ifreq{}
	copy(loop.name[:], "lo")
	for _, step := range []struct {
		what    string
		request uintptr
		dev     *ifreq
		data    [24]byte
	}{
		{"bring lo up", syscall.SIOCSIFFLAGS, &loop, number(syscall.IFF_UP | syscall.IFF_RUNNING)},
		{"give an address", syscall.SIOCSIFADDR, &dev, inet(ip)},
		{"give a net mask", syscall.SIOCSIFNETMASK, &dev, inet([4]byte{255, 255, 255, 0})},
		{"set the MTU", syscall.SIOCSIFMTU, &dev, number(mtu)},
		{"bring the device up", syscall.SIOCSIFFLAGS, &dev, number(syscall.IFF_UP | syscall.IFF_RUNNING)},
	} {
		r := ifreq{name: step.dev.name, data: step.data}
		if err := ioctl(sock, step.request, &r); err != nil {
			return fmt.Errorf("%s: %w", step.what, err)
		}
	}
	f := os.NewFile(uintptr(fd), "tun")
	w.mu.Lock()
	w.ends[ip] = f
	w.mu.Unlock()
	go w.carry(f) // until this program ends
	return nil
}

// carry takes what comes out of one end to where it is addressed.
func (w *wire) carry(from *os.File) {
	packet := make([]byte, mtu+100)
	for {
		n, err := from.Read(packet)
		if err != nil {
			return
		}
		if n < 20 || packet[0]>>4 != 4 { // IPv6 looks for neighbours; there are none
			continue
		}
		to := w.route([4]byte(packet[12:16]), [4]byte(packet[16:20]))
		if to == nil {
			w.dropped.Add(1)
			continue
		}
		w.passed.Add(1)
		_, _ = to.Write(packet[:n]) // what a full device refuses is lost, as on any wire
	}
}

// route gives the end that a packet goes to; nil: it is lost.
func (w *wire) route(from, to [4]byte) *os.File {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, r := range w.rules {
		if slices.Contains(r.from, from) && slices.Contains(r.to, to) && (r.part >= 1 || w.dice.Float64() < r.part) {
			return nil
		}
	}
	return w.ends[to]
}

// rule loses a part of the packets from some ends to others, until it is removed.
func (w *wire) rule(from, to [][4]byte, part float64) (remove func()) {
	r := &rule{from, to, part}
	w.mu.Lock()
	w.rules = append(w.rules, r)
	w.mu.Unlock()
	return func() {
		w.mu.Lock()
		w.rules = slices.DeleteFunc(w.rules, func(o *rule) bool { return o == r })
		w.mu.Unlock()
	}
}

// counts tells what was carried and what was lost.
func (w *wire) counts() (passed, dropped uint64) { return w.passed.Load(), w.dropped.Load() }
