package email

import (
	"bytes"
	"encoding/base64"
	"io"
	"mime"
	"mime/multipart"
	"mime/quotedprintable"
	"net/mail"
	"net/textproto"
	"strings"
	"time"
)

// encode writes the mail as RFC 5322 and MIME have it, with CRLF.
func (l *letter) encode(now time.Time) ([]byte, error) {
	var b bytes.Buffer
	header := func(name, value string) { b.WriteString(fold(name+": "+value) + "\r\n") }
	header("Message-ID", l.id)
	header("Date", now.Format(time.RFC1123Z))
	header("From", l.from.String())
	for _, h := range []struct {
		name string
		list []*mail.Address
	}{{"To", l.to}, {"Cc", l.cc}, {"Reply-To", l.replyTo}} { // nobody sees bcc
		if len(h.list) > 0 {
			header(h.name, list(h.list))
		}
	}
	header("Subject", mime.QEncoding.Encode("utf-8", l.subject))
	header("Auto-Submitted", "auto-generated") // so that nobody's machine answers that they are on leave (RFC 3834)
	header("MIME-Version", "1.0")
	if len(l.attachments) == 0 {
		header("Content-Type", textType)
		header("Content-Transfer-Encoding", "quoted-printable")
		b.WriteString("\r\n")
		err := writeText(&b, l.body)
		return b.Bytes(), err
	}
	w := multipart.NewWriter(&b)
	header("Content-Type", "multipart/mixed; boundary="+w.Boundary())
	b.WriteString("\r\n")
	part, err := w.CreatePart(textproto.MIMEHeader{"Content-Type": {textType}, "Content-Transfer-Encoding": {"quoted-printable"}})
	if err != nil {
		return nil, err
	}
	if err := writeText(part, l.body); err != nil {
		return nil, err
	}
	for _, a := range l.attachments {
		part, err := w.CreatePart(textproto.MIMEHeader{"Content-Type": {a.kind}, "Content-Transfer-Encoding": {"base64"}, "Content-Disposition": {a.disposition()}})
		if err != nil {
			return nil, err
		}
		if err := writeBase64(part, a.data); err != nil {
			return nil, err
		}
	}
	err = w.Close()
	return b.Bytes(), err
}

const textType = "text/plain; charset=utf-8"

func writeText(w io.Writer, text string) error {
	q := quotedprintable.NewWriter(w)
	if _, err := io.WriteString(q, text); err != nil {
		return err
	}
	return q.Close()
}

// writeBase64 writes data in lines of 76, the most that MIME allows.
func writeBase64(w io.Writer, data []byte) error {
	const line = 57 // bytes, which become 76
	var out [78]byte
	for len(data) > 0 {
		n := min(line, len(data))
		base64.StdEncoding.Encode(out[:], data[:n])
		end := base64.StdEncoding.EncodedLen(n)
		copy(out[end:], "\r\n")
		if _, err := w.Write(out[:end+2]); err != nil {
			return err
		}
		data = data[n:]
	}
	return nil
}

func list(addresses []*mail.Address) string {
	words := make([]string, len(addresses))
	for i, a := range addresses {
		words[i] = a.String()
	}
	return strings.Join(words, ", ")
}

// fold breaks a header before the space at which its line would be longer than 76 characters.
func fold(header string) string {
	const most = 76
	var b strings.Builder
	width := 0
	for i, word := range strings.Split(header, " ") {
		if i > 0 {
			if width+1+len(word) > most && i > 1 { // never right behind the name: some readers take that for an empty header
				b.WriteString("\r\n")
				width = 0
			}
			b.WriteByte(' ')
			width++
		}
		b.WriteString(word)
		width += len(word)
	}
	return b.String()
}
