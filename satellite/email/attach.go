package email

import (
	"bytes"
	"context"
	"errors"
	"io"
	"mime"
	"net/url"
	"path"
	"strings"

	"github.com/exospherehost/orbit"
	"github.com/exospherehost/orbit/satellite"
)

const (
	// defaultSize is what most servers take of one mail, and 25 MiB become 34 as it is written.
	defaultSize = 25 * orbit.MiB
	// maxSize bounds what a config may ask for: a mail is in memory, and nobody takes more.
	maxSize = 100 * orbit.MiB
)

// attachment is a file of a mail.
type attachment struct {
	name, kind string
	data       []byte
}

func (a *attachment) disposition() string {
	if d := mime.FormatMediaType("attachment", map[string]string{"filename": a.name}); d != "" {
		return d
	}
	return "attachment"
}

// attachments reads the files that the input names. All of the mail has a limit, that of the config.
func (m *Mailer) attachments(ctx context.Context, inv *satellite.Invocation, l *letter) ([]attachment, error) {
	most, err := sizeLimit(inv.Config["max-size"])
	if err != nil {
		return nil, err
	}
	left := most - orbit.Bytes(len(l.body))
	if left < 0 {
		return nil, orbit.Permanent(orbit.CodeTooLarge, "the body of the mail is larger than %s; attach it as a file, or raise max-size", most)
	}
	input, _ := inv.Input.(map[string]any)
	uris, _ := input["attachments"].([]any)
	// Who found a file lends the secrets to open it. Those of this step are the mail service's, which may open it too at Amazon.
	secrets := append(append([]map[string]string{}, inv.Grants...), inv.Secrets())
	var out []attachment
	for _, entry := range uris {
		uri, _ := entry.(string)
		if uri == "" || !oneLine(uri) {
			return nil, orbit.Permanent(orbit.CodeInvalidInput, "attachments must be file-uris, such as get-files returns")
		}
		data, err := m.read(ctx, uri, left, secrets)
		if errors.Is(err, errTooMuch) {
			return nil, orbit.Permanent(orbit.CodeTooLarge, "with %s the mail is larger than %s; attach less, send a link, or raise max-size if your server takes more", uri, most)
		}
		if err != nil {
			return nil, err
		}
		left -= orbit.Bytes(len(data))
		name := fileName(uri)
		kind := mime.TypeByExtension(path.Ext(name))
		if kind == "" {
			kind = "application/octet-stream"
		}
		out = append(out, attachment{name, kind, data})
	}
	return out, nil
}

var errTooMuch = errors.New("more than is left")

func (m *Mailer) read(ctx context.Context, uri string, left orbit.Bytes, secrets []map[string]string) ([]byte, error) {
	body, size, err := m.open(ctx, uri, secrets...)
	if err != nil {
		return nil, err
	}
	defer body.Close()
	if size > int64(left) {
		return nil, errTooMuch
	}
	var b bytes.Buffer
	if size > 0 {
		b.Grow(int(size) + bytes.MinRead)
	}
	if _, err := b.ReadFrom(io.LimitReader(body, int64(left)+1)); err != nil {
		return nil, err
	}
	if b.Len() > int(left) {
		return nil, errTooMuch
	}
	return b.Bytes(), nil
}

func sizeLimit(v any) (orbit.Bytes, error) {
	size := defaultSize
	switch v := v.(type) {
	case nil:
	case int:
		size = orbit.Bytes(v)
	case string:
		var err error
		if size, err = orbit.ParseBytes(v); err != nil {
			return 0, orbit.Permanent(orbit.CodeInvalidConfig, "max-size: %v", err)
		}
	}
	if size <= 0 || size > maxSize {
		return 0, orbit.Permanent(orbit.CodeInvalidConfig, "max-size must be more than 0 and at most %s", maxSize)
	}
	return size, nil
}

// fileName is the last part of a URI; only that of a file is escaped.
func fileName(uri string) string {
	name := path.Base(uri)
	if strings.HasPrefix(uri, "file:") {
		if plain, err := url.PathUnescape(name); err == nil {
			name = path.Base(plain)
		}
	}
	return name
}
