// Package backup is the form of a backup file: what a gateway sends, the command line checks, and a gateway takes back.
//
//	"ORBIT-BACKUP 1\n"
//	header  JSON                                 once, first
//	stream  JSON: configuration and state        a stream or bucket begins
//	piece   bytes                                of its snapshot, as the NATS server gives it
//	message JSON                                 what was stored while the snapshots were taken
//	end     SHA-256 of everything before         once, last
//
// Each part is a kind (1 byte), a length (4 bytes, the highest first), and so many bytes. It refuses to know what a
// snapshot holds.
package backup

import (
	"bufio"
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"hash"
	"io"
	"time"
)

const (
	magic = "ORBIT-BACKUP 1\n"
	// maxPart bounds a part: a message of 1 MiB, in base64, with all that stands around it.
	maxPart = 4 << 20
)

// Kind says what a part is.
type Kind byte

// The kinds of parts.
const (
	KindHeader  Kind = 'H'
	KindStream  Kind = 'S'
	KindPiece   Kind = 'P'
	KindMessage Kind = 'M'
	KindEnd     Kind = 'E'
)

// Errors about a file.
var (
	ErrNoBackup = errors.New("it is no backup of Orbit")
	ErrDamaged  = errors.New("the backup is damaged")
	ErrCut      = errors.New("the backup is cut off: its end is missing")
)

// Header says what the backup is of.
type Header struct {
	Created    time.Time       `json:"created"`
	Version    string          `json:"version"` // of the gateway that made it
	Partitions int             `json:"partitions"`
	Queues     json.RawMessage `json:"queues"`
}

// Stream begins a stream or bucket.
type Stream struct {
	Name   string          `json:"name"`
	Config json.RawMessage `json:"config"`
	State  json.RawMessage `json:"state"`
}

// Message is one message that no snapshot holds.
type Message struct {
	Subject string              `json:"subject"`
	Header  map[string][]string `json:"header,omitempty"`
	Data    []byte              `json:"data"`
}

// Writer writes a backup. It is for one goroutine.
type Writer struct {
	w   io.Writer
	sum hash.Hash
}

// NewWriter begins a backup.
func NewWriter(w io.Writer, h Header) (*Writer, error) {
	b := &Writer{w: w, sum: sha256.New()}
	if err := b.write([]byte(magic)); err != nil {
		return nil, err
	}
	return b, b.json(KindHeader, h)
}

// Stream begins a stream or bucket; pieces follow.
func (b *Writer) Stream(s Stream) error { return b.json(KindStream, s) }

// Piece writes a piece of the snapshot of the stream that was begun last.
func (b *Writer) Piece(data []byte) error { return b.part(KindPiece, data) }

// Message writes a message.
func (b *Writer) Message(m Message) error { return b.json(KindMessage, m) }

// Close writes the end. Without it the backup is none.
func (b *Writer) Close() error { return b.part(KindEnd, b.sum.Sum(nil)) }

func (b *Writer) json(k Kind, v any) error {
	body, err := json.Marshal(v)
	if err != nil {
		return err
	}
	return b.part(k, body)
}

func (b *Writer) part(k Kind, body []byte) error {
	if len(body) > maxPart {
		return fmt.Errorf("a part of %d bytes does not fit a backup", len(body))
	}
	if err := b.write(binary.BigEndian.AppendUint32([]byte{byte(k)}, uint32(len(body)))); err != nil {
		return err
	}
	return b.write(body)
}

func (b *Writer) write(data []byte) error {
	b.sum.Write(data)
	_, err := b.w.Write(data)
	return err
}

// Reader reads a backup. It is for one goroutine.
type Reader struct {
	Header Header

	r   *bufio.Reader
	sum hash.Hash
}

// NewReader reads the beginning of a backup.
func NewReader(r io.Reader) (*Reader, error) {
	b := &Reader{r: bufio.NewReaderSize(r, 256<<10), sum: sha256.New()}
	first := make([]byte, len(magic))
	if _, err := io.ReadFull(b.r, first); err != nil && !short(err) {
		return nil, err
	}
	if string(first) != magic {
		return nil, ErrNoBackup
	}
	b.sum.Write(first)
	k, body, err := b.Next()
	if err != nil {
		return nil, err
	}
	if k != KindHeader || json.Unmarshal(body, &b.Header) != nil {
		return nil, ErrDamaged
	}
	return b, nil
}

// Next gives the next part. After the end, which has been checked by then, comes io.EOF. What came before the end must not be
// relied on before it has come.
func (b *Reader) Next() (Kind, []byte, error) {
	sum := b.sum.Sum(nil)
	head := make([]byte, 5)
	if _, err := io.ReadFull(b.r, head); err != nil {
		return 0, nil, cut(err)
	}
	n := binary.BigEndian.Uint32(head[1:])
	if n > maxPart {
		return 0, nil, ErrDamaged
	}
	body := make([]byte, n)
	if _, err := io.ReadFull(b.r, body); err != nil {
		return 0, nil, cut(err)
	}
	b.sum.Write(head)
	b.sum.Write(body)
	switch k := Kind(head[0]); k {
	case KindEnd:
		if string(body) != string(sum) {
			return 0, nil, ErrDamaged
		}
		if _, err := b.r.ReadByte(); !errors.Is(err, io.EOF) {
			return 0, nil, ErrDamaged
		}
		return k, nil, io.EOF
	case KindHeader, KindStream, KindPiece, KindMessage:
		return k, body, nil
	}
	return 0, nil, ErrDamaged
}

// Check reads a backup to its end and tells whether it is whole.
func Check(r io.Reader) (Header, error) {
	b, err := NewReader(r)
	if err != nil {
		return Header{}, err
	}
	for {
		if _, _, err = b.Next(); errors.Is(err, io.EOF) {
			return b.Header, nil
		} else if err != nil {
			return b.Header, err
		}
	}
}

func short(err error) bool { return errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) }

func cut(err error) error {
	if short(err) {
		return ErrCut
	}
	return err
}
