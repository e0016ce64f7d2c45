package exec

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"errors"
	"io"
)

// The ways in which messages are told apart in a pipe.
const (
	Lines  = "lines"  // each is a line
	Length = "length" // each has its length before it: 4 bytes, the highest first
)

// maxFrame bounds one message of a process: an object travels on in messages, and who returns more than this wants a file.
const maxFrame = 8 << 20

var errTooLong = errors.New("a message that is too long")

// readFrame reads the next message. Empty lines are passed over.
func readFrame(r *bufio.Reader, framing string) ([]byte, error) {
	if framing == Length {
		var head [4]byte
		if _, err := io.ReadFull(r, head[:]); err != nil {
			return nil, err
		}
		n := binary.BigEndian.Uint32(head[:])
		if n > maxFrame {
			return nil, errTooLong
		}
		var body bytes.Buffer // grows with what comes: the length is only a claim
		if _, err := io.CopyN(&body, r, int64(n)); err != nil {
			return nil, err
		}
		return body.Bytes(), nil
	}
	for {
		var line []byte
		for {
			part, err := r.ReadSlice('\n')
			line = append(line, part...)
			if len(line) > maxFrame {
				return nil, errTooLong
			}
			if err == nil {
				break
			}
			if !errors.Is(err, bufio.ErrBufferFull) {
				return nil, err // a last line without its end was never finished
			}
		}
		if line = bytes.TrimSpace(line); len(line) > 0 {
			return line, nil
		}
	}
}

// writeFrame writes a message.
func writeFrame(w io.Writer, framing string, body []byte) error {
	var whole []byte
	if framing == Length {
		whole = append(binary.BigEndian.AppendUint32(make([]byte, 0, len(body)+4), uint32(len(body))), body...)
	} else {
		whole = append(append(make([]byte, 0, len(body)+1), body...), '\n')
	}
	_, err := w.Write(whole)
	return err
}
