package orbit

import (
	"encoding/json"
	"fmt"
	"math"
	"strconv"
	"strings"
)

// Bytes is an amount of memory or disk. In files and on the command line it is written "16GiB", "512MB" or a plain
// number of bytes.
type Bytes int64

// Units of Bytes.
const (
	KiB Bytes = 1 << 10
	MiB Bytes = 1 << 20
	GiB Bytes = 1 << 30
)

var byteUnits = []struct {
	suffix string
	size   float64
}{
	{"TiB", 1 << 40}, {"GiB", 1 << 30}, {"MiB", 1 << 20}, {"KiB", 1 << 10},
	{"TB", 1e12}, {"GB", 1e9}, {"MB", 1e6}, {"kB", 1e3}, {"KB", 1e3},
	{"T", 1 << 40}, {"G", 1 << 30}, {"M", 1 << 20}, {"K", 1 << 10}, {"B", 1},
}

// ParseBytes reads "40GiB", "512 MB", "1.5G" or a plain number of bytes.
func ParseBytes(s string) (Bytes, error) {
	text, size := strings.TrimSpace(s), 1.0
	for _, u := range byteUnits {
		if rest, ok := strings.CutSuffix(text, u.suffix); ok {
			text, size = strings.TrimSpace(rest), u.size
			break
		}
	}
	f, err := strconv.ParseFloat(text, 64)
	if err != nil || strings.Contains(text, "_") || math.IsNaN(f) || f < 0 || f*size >= math.MaxInt64 {
		return 0, fmt.Errorf("%q is no amount of bytes; write it like 16GiB or 512MiB", s)
	}
	return Bytes(f * size), nil
}

// ByteUnits lists the units that ParseBytes knows.
func ByteUnits() []string {
	units := make([]string, len(byteUnits))
	for i, u := range byteUnits {
		units[i] = u.suffix
	}
	return units
}

// String gives the amount with a binary unit, such as "79.6GiB".
func (b Bytes) String() string {
	f, units := float64(b), []string{"B", "KiB", "MiB", "GiB", "TiB"}
	i := 0
	for f >= 1024 && i < len(units)-1 {
		f, i = f/1024, i+1
	}
	return strings.TrimSuffix(strconv.FormatFloat(f, 'f', 1, 64), ".0") + units[i]
}

// UnmarshalText reads what ParseBytes reads.
func (b *Bytes) UnmarshalText(text []byte) (err error) {
	*b, err = ParseBytes(string(text))
	return err
}

// MarshalJSON writes a plain number.
func (b Bytes) MarshalJSON() ([]byte, error) { return json.Marshal(int64(b)) }

// UnmarshalJSON reads a number, or a string with a unit.
func (b *Bytes) UnmarshalJSON(text []byte) error {
	var n int64
	if json.Unmarshal(text, &n) == nil && n >= 0 {
		*b = Bytes(n)
		return nil
	}
	var s string
	if json.Unmarshal(text, &s) != nil {
		s = string(text)
	}
	return b.UnmarshalText([]byte(s))
}

// GPU is one device of a machine.
type GPU struct {
	Name   string `json:"name"`
	Memory Bytes  `json:"memory"`
	Free   Bytes  `json:"free"`
	// Handle is what CUDA_VISIBLE_DEVICES calls it on its own machine; empty: its place in the list. It does not travel.
	Handle string `json:"-"`
}

// Hardware is what a machine has, as its probe found it; limits of a cgroup count.
type Hardware struct {
	Cores  int   `json:"cores"`
	Memory Bytes `json:"memory"`
	GPUs   []GPU `json:"gpus,omitempty"`
}

// Resources is the least hardware that a satellite or a step asks for. Zero fields ask for nothing.
type Resources struct {
	GPUMemory Bytes  `json:"gpu_memory,omitempty"` // on one device, never summed over several
	CPU       int    `json:"cpu,omitempty"`        // cores
	Memory    Bytes  `json:"memory,omitempty"`
	Model     string `json:"model,omitempty"` // the model that must be served; names the pool
	Class     string `json:"class,omitempty"` // a hardware class by name, instead of the amounts
}

// Class is a hardware class: what work is partitioned by. A machine belongs to the largest class whose least hardware
// it has; work goes to the smallest class that suffices.
type Class struct {
	Name      string `json:"name" yaml:"name"`
	GPUMemory Bytes  `json:"gpu_memory,omitempty" yaml:"gpu-memory"` // least memory of one device
	Cores     int    `json:"cores,omitempty" yaml:"cores"`
	Memory    Bytes  `json:"memory,omitempty" yaml:"memory"`
}

// CorePool is the pool of the built-in satellites that need no model: every node hosts it.
const CorePool = "core"

// modelPools begins the names of the pools of models.
const modelPools = "model-"

// ModelPool is the pool of a model satellite: a node hosts it that has the model, or is bound to an endpoint that has it.
func ModelPool(satellite string) string {
	project, name, _ := strings.Cut(satellite, "/")
	if project == "exospherehost" {
		return modelPools + name
	}
	return modelPools + project + "~" + name // no name holds a tilde, so no two satellites share a pool
}

// IsModelPool tells whether a pool is that of a model.
func IsModelPool(pool string) bool { return strings.HasPrefix(pool, modelPools) }

// ProjectPool is the pool of the satellites that a project brings: the nodes that have their code host it. Projects hold
// letters, digits, hyphens and underscores, so it is one word of a subject.
func ProjectPool(project string) string { return "project-" + project }
