// Package probe finds out what this machine has: cores, memory, GPUs. It owns the reading of /proc, of cgroups and of
// NVML, NVIDIA's library. It is a package of its own so that only programs that probe link NVML.
//
//	/proc, cgroups ──► cores, memory  ┐
//	NVML ────────────► GPUs, if any   ┴──► orbit.Hardware
//
// The limits of a container count: what is given is what a program here may use. Without a driver there are no GPUs, and
// that is no error; neither is a driver that fails, but that is logged. The package chooses no class.
package probe

import (
	"context"
	"io/fs"
	"os"
	"runtime"
	"sync"

	"github.com/exospherehost/orbit"
	"github.com/rs/zerolog"
)

// Hardware probes once.
func Hardware(ctx context.Context) (orbit.Hardware, error) {
	p := New(zerolog.Nop())
	defer p.Close()
	return p.Hardware(ctx)
}

// Prober keeps the GPU library open, for those who ask again and again for free memory. Its methods may be called from
// any goroutine.
type Prober struct {
	log  zerolog.Logger
	root fs.FS // of the file system

	mu   sync.Mutex // NVML is asked by one at a time, and not after Close
	gpus gpus
}

// gpus is a GPU library in use.
type gpus interface {
	list() ([]orbit.GPU, error) // what can be read, and what could not as an error
	close()
}

// noGPUs is what there is without a library or driver.
type noGPUs struct{}

func (noGPUs) list() ([]orbit.GPU, error) { return nil, nil }
func (noGPUs) close()                     {}

// New opens the GPU library where there is one. Close it in the end.
func New(log zerolog.Logger) *Prober {
	return &Prober{log: log, root: os.DirFS("/"), gpus: openGPUs(log)}
}

// Hardware gives all that the machine has. It fails only where ctx has ended or a file of the system that exists cannot
// be read. On a system without /proc the memory is 0.
func (p *Prober) Hardware(ctx context.Context) (orbit.Hardware, error) {
	if err := ctx.Err(); err != nil {
		return orbit.Hardware{}, err
	}
	h, err := host(p.root, runtime.NumCPU()) // NumCPU has the affinity of this process taken off already
	if err != nil {
		return orbit.Hardware{}, err
	}
	h.GPUs = p.GPUs()
	return h, nil
}

// GPUs gives the devices with the memory that is free on each right now. A device that cannot be read is left out. Where
// a card is divided (MIG), its parts are the devices.
func (p *Prober) GPUs() []orbit.GPU {
	p.mu.Lock()
	defer p.mu.Unlock()
	found, err := p.gpus.list()
	if err != nil {
		p.log.Warn().Err(err).Msg("a GPU cannot be read")
	}
	return found
}

// Load gives how many threads were runnable over the last minute, in percent of cores; 0 where the system does not say.
func (p *Prober) Load(cores int) int { return load(p.root, cores) }

// Close lets go of the GPU library; GPUs then gives none. It may be called again.
func (p *Prober) Close() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.gpus.close()
	p.gpus = noGPUs{}
}
