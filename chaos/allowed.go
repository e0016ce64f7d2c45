package main

import (
	"slices"
	"strings"
)

// allowed is what this machine lets us do beyond starting processes, and why not where it does not.
type allowed struct {
	net  bool // namespaces with our own wire between them
	disk bool // mount a small file system of our own
	slow bool // hold up system calls of a child
	why  []string
}

// encode gives it as a word for the command line.
func (a allowed) encode() string {
	words := []string{"here"}
	for word, ok := range map[string]bool{"net": a.net, "disk": a.disk, "slow": a.slow} {
		if ok {
			words = append(words, word)
		}
	}
	slices.Sort(words[1:])
	return strings.Join(append(words, a.why...), ";")
}

func parseAllowed(text string) (a allowed) {
	for word := range strings.SplitSeq(text, ";") {
		switch word {
		case "here":
		case "net":
			a.net = true
		case "disk":
			a.disk = true
		case "slow":
			a.slow = true
		default:
			a.why = append(a.why, word)
		}
	}
	return a
}

// missing tells why a kind of fault cannot be done here; "" where it can.
func (a allowed) missing(k kind) string {
	switch {
	case !a.net && (k == partition || k == oneWay || k == loss):
		return "it needs network namespaces and /dev/net/tun: run as root on Linux"
	case !a.disk && k == diskFull:
		return "it needs to mount a small file system: run as root, or where user namespaces are allowed"
	case !a.slow && k == slowSync:
		return "it needs seccomp notifications: Linux 5.5 or newer"
	}
	return ""
}
