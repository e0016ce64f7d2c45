package files

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/base64"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
)

const (
	// azureOnePut is the largest body that is sent in one request; the API takes 5,000 MiB (Put Blob), and a request that
	// breaks off begins anew.
	azureOnePut = 256 << 20
	// azureBlock is the size of the blocks of a larger one, and so of the memory that takes: 50,000 of them make 1.6 TB.
	azureBlock = 32 << 20
)

// create implements store. A blob appears when its one request, or the list of its blocks, has come.
func (s *azureStore) create(ctx context.Context, at place, body io.Reader, size int64) error {
	from := &upload{body: body}
	var err error
	if size >= 0 && size <= azureOnePut {
		err = s.put(ctx, call{at: at, body: from, size: size, header: map[string]string{"X-Ms-Blob-Type": "BlockBlob", "Content-Type": contentType(at.path)}})
	} else {
		err = s.blocks(ctx, at, from)
	}
	if from.err != nil {
		return from.err // not the store's
	}
	return err
}

// put sends one body.
func (s *azureStore) put(ctx context.Context, c call) error {
	c.method, c.path, c.deed = http.MethodPut, azurePath(c.at), writing
	resp, err := s.do(ctx, c)
	if err != nil {
		return err
	}
	return resp.Body.Close()
}

// blocks sends a body in blocks and then their list, which commits them (Put Block, Put Block List). Blocks that are
// never listed are dropped by the service after a week.
func (s *azureStore) blocks(ctx context.Context, at place, body io.Reader) error {
	// The names differ from upload to upload: one that was given up must not mix with this.
	upload := rand.Text()
	var list struct {
		XMLName xml.Name `xml:"BlockList"`
		Latest  []string
	}
	buf := make([]byte, azureBlock)
	for {
		n, err := io.ReadFull(body, buf)
		if n > 0 {
			id := base64.StdEncoding.EncodeToString(fmt.Appendf(nil, "%s%05d", upload, len(list.Latest)))
			list.Latest = append(list.Latest, id)
			block := call{at: at, query: url.Values{"comp": {"block"}, "blockid": {id}}, body: bytes.NewReader(buf[:n]), size: int64(n)}
			if err := s.put(ctx, block); err != nil {
				return err
			}
		}
		if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
			break
		}
		if err != nil {
			return err
		}
	}
	text, err := xml.Marshal(list)
	if err != nil {
		return err
	}
	return s.put(ctx, call{at: at, query: url.Values{"comp": {"blocklist"}}, body: bytes.NewReader(text), size: int64(len(text)),
		header: map[string]string{"X-Ms-Blob-Content-Type": contentType(at.path)}})
}
