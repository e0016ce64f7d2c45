// Package placement decides where work may run: the class of a machine, the class that a step needs, and why something
// does not fit.
//
//	Hardware ──ClassOf, ClassesOf──► what a machine may pull
//	Resources ────LeastClass───────► where a step's work is queued
//
// It is pure: values in, values out. It reads no clock, no file and no network, and keeps nothing.
package placement

import (
	"fmt"
	"slices"
	"sync"

	"github.com/exospherehost/orbit"
	"github.com/exospherehost/orbit/configs"
)

// slack is the share of a nominal amount of memory that a machine must report to meet it. A decimal GB is 0.931 GiB, and
// cards and kernels keep a little; configs/classes.yml has the examples.
const slack = 0.92

// DefaultClasses gives the classes in force where no others are given, from small to large. The slice is the caller's.
func DefaultClasses() []orbit.Class { return slices.Clone(defaults()) }

var defaults = sync.OnceValue(func() []orbit.Class {
	classes, err := ParseClasses(configs.Classes)
	if err != nil {
		panic("configs/classes.yml: " + err.Error()) // it is part of the program; a test reads it
	}
	return classes
})

// ClassOf gives the name of the largest class whose least hardware h has: the last such of the list. A machine that is
// too small for all belongs to the first class, provided that one needs no GPU; else the answer is empty.
func ClassOf(h orbit.Hardware, classes []orbit.Class) string {
	if all := ClassesOf(h, classes); len(all) > 0 {
		return all[0]
	}
	return ""
}

// ClassesOf gives the names of all classes whose work a machine with h may pull: its own first, then downwards. It looks
// at the machine itself, and so may give more than Serves.
func ClassesOf(h orbit.Hardware, classes []orbit.Class) (names []string) {
	for _, c := range slices.Backward(classes) {
		if len(Unmet(h, c)) == 0 {
			names = append(names, c.Name)
		}
	}
	if len(names) == 0 && len(classes) > 0 && classes[0].GPUMemory == 0 {
		names = []string{classes[0].Name}
	}
	return names
}

// Serves gives the names of the classes whose work a machine of nodeClass may pull, its own first, then downwards: those
// before it in the list that need no more than it in any amount. A machine with a GPU so serves small work without one,
// but not work for many cores that its class does not promise. It is empty for an unknown class.
func Serves(nodeClass string, classes []orbit.Class) (names []string) {
	at := slices.IndexFunc(classes, func(c orbit.Class) bool { return c.Name == nodeClass })
	if at < 0 {
		return nil
	}
	own := classes[at]
	for _, c := range slices.Backward(classes[:at+1]) {
		if c.GPUMemory <= own.GPUMemory && c.Cores <= own.Cores && c.Memory <= own.Memory {
			names = append(names, c.Name)
		}
	}
	return names
}

// LeastClass gives the name of the smallest class that suffices for r: the first of the list. Where r names a class, it
// is that one, if it suffices. The error is a sentence for the person who wrote r.
func LeastClass(r orbit.Resources, classes []orbit.Class) (string, error) {
	if r.Class != "" {
		return named(r, classes)
	}
	for _, c := range classes {
		if len(Short(c, r)) == 0 {
			return c.Name, nil
		}
	}
	if len(classes) == 0 {
		return "", fmt.Errorf("no hardware class is defined")
	}
	closest := slices.MinFunc(classes, func(a, b orbit.Class) int { return len(Short(a, r)) - len(Short(b, r)) })
	for _, c := range classes { // of those that fall short in as few amounts, the largest says most
		if len(Short(c, r)) == len(Short(closest, r)) {
			closest = c
		}
	}
	return "", fmt.Errorf("no hardware class suffices: the closest, %s, %s; ask for less, or define a larger class", closest.Name, sentence(Short(closest, r)))
}

func named(r orbit.Resources, classes []orbit.Class) (string, error) {
	names := make([]string, len(classes))
	for i, c := range classes {
		if c.Name != r.Class {
			names[i] = c.Name
			continue
		}
		if short := Short(c, r); len(short) > 0 {
			return "", fmt.Errorf("hardware class %s %s; leave out the class or the amounts", c.Name, sentence(short))
		}
		return c.Name, nil
	}
	return "", fmt.Errorf("there is no hardware class %q%s", r.Class, hint(r.Class, names))
}
