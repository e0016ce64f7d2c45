package placement

import (
	"fmt"
	"strings"

	"github.com/exospherehost/orbit"
)

// Lack names an amount that falls short.
type Lack string

// The amounts that can.
const (
	NoGPU     Lack = "no-gpu"
	GPUMemory Lack = "gpu-memory"
	Cores     Lack = "cores"
	Memory    Lack = "memory"
)

// Reason is why something does not fit. Text continues a sentence that begins with what is too small: "has 24GiB on its
// largest device where 40GiB are needed".
type Reason struct {
	Lack Lack
	Text string
}

// Unmet gives why a machine is not of a class or larger; nothing where it is. Devices are looked at one by one and never
// added up, and memory is met at 92 % of the nominal amount.
func Unmet(h orbit.Hardware, c orbit.Class) (why []Reason) {
	var largest orbit.Bytes
	for _, g := range h.GPUs {
		largest = max(largest, g.Memory)
	}
	switch {
	case c.GPUMemory > 0 && len(h.GPUs) == 0:
		why = append(why, Reason{NoGPU, fmt.Sprintf("has no GPU where one of %s is needed", c.GPUMemory)})
	case largest < enough(c.GPUMemory):
		why = append(why, Reason{GPUMemory, fmt.Sprintf("has %s on its largest device where %s are needed", largest, c.GPUMemory)})
	}
	if h.Cores < c.Cores {
		why = append(why, Reason{Cores, fmt.Sprintf("has %d cores where %d are needed", h.Cores, c.Cores)})
	}
	if h.Memory < enough(c.Memory) {
		why = append(why, Reason{Memory, fmt.Sprintf("has %s of memory where %s are needed", h.Memory, c.Memory)})
	}
	return why
}

// Short gives why a class does not suffice for what a step asks; nothing where it does. An amount that the class leaves
// open is not promised, and so suffices for no step that asks for some.
func Short(c orbit.Class, r orbit.Resources) (why []Reason) {
	switch {
	case r.GPUMemory > 0 && c.GPUMemory == 0:
		why = append(why, Reason{NoGPU, fmt.Sprintf("promises no GPU where one of %s is asked for", r.GPUMemory)})
	case c.GPUMemory < r.GPUMemory:
		why = append(why, Reason{GPUMemory, fmt.Sprintf("promises %s on one device where %s are asked for", c.GPUMemory, r.GPUMemory)})
	}
	if c.Cores < r.CPU {
		why = append(why, Reason{Cores, fmt.Sprintf("promises %d cores where %d are asked for", c.Cores, r.CPU)})
	}
	if c.Memory < r.Memory {
		why = append(why, Reason{Memory, fmt.Sprintf("promises %s of memory where %s are asked for", c.Memory, r.Memory)})
	}
	return why
}

func enough(nominal orbit.Bytes) orbit.Bytes { return orbit.Bytes(float64(nominal) * slack) }

func sentence(why []Reason) string {
	texts := make([]string, len(why))
	for i, r := range why {
		texts[i] = r.Text
	}
	return strings.Join(texts, " and ")
}

// hint offers the known name that a person probably meant, or else all of them.
func hint(name string, known []string) string {
	best, least := "", len(name)/3+2 // more mistakes than that make another word
	for _, k := range known {
		if d := distance(strings.ToLower(name), k); d < least {
			best, least = k, d
		}
	}
	if best == "" {
		return "; there are " + strings.Join(known, ", ")
	}
	return fmt.Sprintf("; did you mean %q?", best)
}

// distance is Levenshtein's, in bytes.
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := diagonal
			if a[i] != b[j] {
				cost++
			}
			diagonal = row[j+1]
			row[j+1] = min(cost, row[j]+1, diagonal+1)
		}
	}
	return row[len(b)]
}
