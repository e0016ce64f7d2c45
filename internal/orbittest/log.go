package orbittest

import (
	"bytes"
	"sync"
)

// logBook keeps everything that the mesh logs.
type logBook struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

// Write implements io.Writer.
func (l *logBook) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.Write(p)
}

func (l *logBook) bytes() []byte {
	l.mu.Lock()
	defer l.mu.Unlock()
	return bytes.Clone(l.buf.Bytes())
}

// tail gives the last n lines.
func (l *logBook) tail(n int) []byte {
	all := bytes.TrimRight(l.bytes(), "\n")
	at := len(all)
	for ; n > 0 && at >= 0; n-- {
		at = bytes.LastIndexByte(all[:max(at, 0)], '\n')
	}
	return all[max(at+1, 0):]
}
