package s3

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
)

// put writes or copies an object.
func (s *Store) put(w http.ResponseWriter, r *http.Request, key string) {
	body := ""
	from := r.Header.Get("X-Amz-Copy-Source")
	if from != "" {
		s.Copies.Add(1)
		plain, err := url.PathUnescape(from)
		_, source, _ := strings.Cut(strings.TrimPrefix(plain, "/"), "/")
		if _, ok := slices.BinarySearch(s.keys, source); !ok || err != nil {
			s.fail(w, http.StatusNotFound, "NoSuchKey")
			return
		}
		body = s.holds(source)
	} else {
		data, err := readBody(r)
		if err != nil {
			s.fail(w, http.StatusBadRequest, "IncompleteBody")
			return
		}
		body = string(data)
	}
	if i, ok := slices.BinarySearch(s.keys, key); !ok {
		s.keys = slices.Insert(s.keys, i, key)
	}
	s.content[key] = body
	w.Header().Set("ETag", `"`+etag(body)+`"`)
	if from != "" {
		fmt.Fprintf(w, `<CopyObjectResult><ETag>"%s"</ETag><LastModified>%s</LastModified></CopyObjectResult>`, etag(body), Modified.Format(time.RFC3339))
	}
}

// readBody reads a body whole, without the signatures of one that is sent in chunks, each signed (docs.aws.amazon.com, Signature
// Calculations: Transferring Payload in Multiple Chunks).
func readBody(r *http.Request) ([]byte, error) {
	if r.Header.Get("X-Amz-Decoded-Content-Length") == "" {
		return io.ReadAll(r.Body)
	}
	in, out := bufio.NewReader(r.Body), &bytes.Buffer{}
	for {
		line, err := in.ReadString('\n')
		if err != nil {
			return nil, io.ErrUnexpectedEOF
		}
		size, _, _ := strings.Cut(strings.TrimSpace(line), ";")
		n, err := strconv.ParseInt(size, 16, 32)
		if err != nil {
			return nil, err
		}
		if n == 0 {
			return out.Bytes(), nil
		}
		if _, err := io.CopyN(out, in, n); err != nil {
			return nil, err
		}
		if _, err := in.ReadString('\n'); err != nil {
			return nil, err
		}
	}
}
