package exec

import (
	"bytes"
	"os"
	"strings"
	"sync"
	"syscall"

	"github.com/rs/zerolog"

	"github.com/exospherehost/orbit/satellite"
)

// What is kept of stderr to tell of a crash, and the longest line that is logged whole.
const (
	tailLines = 10
	maxLine   = 4 << 10
)

// voice is what a process writes to stderr: lines of the log of the item it works on.
//
// What was written before an item ended belongs to that item and to none after it, whose log does not know the secrets of
// the one before. So finish takes all that is in the pipe, which is all that was written before the process said "done".
type voice struct {
	pipe *os.File
	raw  syscall.RawConn

	mu   sync.Mutex // held while bytes are taken from the pipe and handled
	log  *zerolog.Logger
	line []byte   // the last one, not yet at its end
	tail []string // the last lines of this item
	buf  [4096]byte
}

func newVoice(pipe *os.File) (*voice, error) {
	raw, err := pipe.SyscallConn()
	if err != nil {
		return nil, err
	}
	return &voice{pipe: pipe, raw: raw}, nil
}

// listen takes what is written until the pipe ends.
func (v *voice) listen() {
	for {
		end := false
		err := v.raw.Read(func(fd uintptr) bool {
			v.mu.Lock()
			defer v.mu.Unlock()
			var more bool
			more, end = v.take(int(fd))
			return more || end
		})
		if err != nil || end {
			return
		}
	}
}

// take reads once without waiting. more: something was there; end: nothing will come any more.
func (v *voice) take(fd int) (more, end bool) {
	for {
		n, err := syscall.Read(fd, v.buf[:])
		switch {
		case err == syscall.EINTR:
			continue
		case err == syscall.EAGAIN:
			return false, false
		case err != nil || n == 0:
			return false, true
		}
		v.write(v.buf[:n])
		return true, false
	}
}

// begin makes an item's log the one to write to.
func (v *voice) begin(log *zerolog.Logger) {
	v.drain(func() { v.log, v.tail = log, nil })
}

// finish takes what the item wrote, and gives its last lines.
func (v *voice) finish() (tail string) {
	v.drain(func() { tail, v.log, v.tail = strings.Join(v.tail, " | "), nil, nil })
	return tail
}

// aside logs what the process said in a message, and not at the same time as a line.
func (v *voice) aside(said *satellite.Said, log *zerolog.Logger) {
	v.mu.Lock()
	defer v.mu.Unlock()
	said.To(log)
}

// drain takes all there is, then does f, with nothing in between.
func (v *voice) drain(f func()) {
	v.mu.Lock()
	defer v.mu.Unlock()
	_ = v.raw.Control(func(fd uintptr) { // an error: it is closed
		for {
			if more, _ := v.take(int(fd)); !more {
				return
			}
		}
	})
	if len(v.line) > 0 {
		v.say()
	}
	f()
}

// write splits what came into lines.
func (v *voice) write(p []byte) {
	for len(p) > 0 {
		at := bytes.IndexByte(p, '\n')
		part := p
		if at >= 0 {
			part = p[:at]
		}
		if room := maxLine + 1 - len(v.line); room > 0 { // one more tells that it was cut
			v.line = append(v.line, part[:min(room, len(part))]...)
		}
		if at < 0 {
			return
		}
		v.say()
		p = p[at+1:]
	}
}

// say logs the line.
func (v *voice) say() {
	text := strings.TrimRight(satellite.Shorten(string(v.line), maxLine), " \r\t")
	v.line = v.line[:0]
	if text == "" {
		return
	}
	if v.tail = append(v.tail, text); len(v.tail) > tailLines {
		v.tail = v.tail[1:]
	}
	if v.log != nil {
		v.log.Info().Str("from", "stderr").Msg(text)
	}
}
