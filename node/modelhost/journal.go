package modelhost

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"
)

const (
	// journalBytes is the size at which a log becomes the one before, which is dropped.
	journalBytes = 16 << 20
	// tailLines of tailBytes each are kept to tell of a failure.
	tailLines, tailBytes = 5, 300
)

// journal is what a server writes: a file, and its last lines.
type journal struct {
	path string
	most int64

	mu   sync.Mutex
	file *os.File
	size int64
	line []byte
	tail []string
}

// openJournal opens the log of a satellite's server, to write on at its end.
func openJournal(dir, name string) (*journal, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("the folder of its log cannot be made: %s", cause(err))
	}
	j := &journal{path: filepath.Join(dir, strings.ReplaceAll(name, "/", "~")+".log"), most: journalBytes}
	return j, j.open()
}

func (j *journal) open() error {
	f, err := os.OpenFile(j.path, os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o600)
	if err != nil {
		return fmt.Errorf("its log %s cannot be written: %s", j.path, cause(err))
	}
	j.file, j.size = f, 0
	if at, err := f.Seek(0, io.SeekEnd); err == nil {
		j.size = at
	}
	return nil
}

// begin marks where a process begins.
func (j *journal) begin(args []string) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.put(fmt.Appendf(nil, "\n--- %s %s\n", time.Now().UTC().Format(time.RFC3339), strings.Join(args, " ")))
}

// copy takes all that a process writes. A log that cannot be written is no reason to stop it.
func (j *journal) copy(r io.Reader) {
	buf := make([]byte, 32<<10)
	for {
		n, err := r.Read(buf)
		j.mu.Lock()
		j.put(buf[:n])
		j.remember(buf[:n])
		j.mu.Unlock()
		if err != nil {
			return
		}
	}
}

// put writes to the file, and begins another one where that is full.
func (j *journal) put(p []byte) {
	if j.size+int64(len(p)) > j.most && j.size > 0 && j.file != nil {
		_ = j.file.Close()
		_ = os.Rename(j.path, j.path+".1")
		if j.file = nil; j.open() != nil {
			return
		}
	}
	if j.file != nil {
		n, _ := j.file.Write(p)
		j.size += int64(n)
	}
}

// remember keeps the last lines.
func (j *journal) remember(p []byte) {
	for len(p) > 0 {
		at := bytes.IndexByte(p, '\n')
		part := p
		if at >= 0 {
			part = p[:at]
		}
		if room := tailBytes - len(j.line); room > 0 {
			j.line = append(j.line, part[:min(room, len(part))]...)
		}
		if at < 0 {
			return
		}
		j.keep()
		p = p[at+1:]
	}
}

func (j *journal) keep() {
	text := strings.TrimSpace(strings.ToValidUTF8(string(j.line), "\uFFFD"))
	j.line = j.line[:0]
	if text == "" {
		return
	}
	if j.tail = append(j.tail, text); len(j.tail) > tailLines {
		j.tail = j.tail[1:]
	}
}

// last gives the last lines.
func (j *journal) last() string {
	j.mu.Lock()
	defer j.mu.Unlock()
	if len(j.line) > 0 {
		j.keep()
	}
	return strings.Join(j.tail, " | ")
}

// Close closes the file.
func (j *journal) Close() error {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.file == nil {
		return nil
	}
	f := j.file
	j.file = nil
	return f.Close()
}
