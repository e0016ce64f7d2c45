package files

import (
	"bytes"
	"encoding/xml"
	"net/url"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// s3Page is one page of a listing, ListObjectsV2 (docs.aws.amazon.com).
type s3Page struct {
	found []found
	more  bool
	token string // of the next page, escaped as it came
}

// maxKeys is how many keys a page usually has at most.
const maxKeys = 1000

// readPage reads a page. It is not ok where the page is written in another way than stores write them, though it may be good XML.
func readPage(at place, body []byte) (p s3Page, ok bool) {
	r := &tags{rest: body, bad: !utf8.Valid(body)}
	if r.next() != opening || r.name != "ListBucketResult" {
		return p, false
	}
	var folders []found // they come after the keys, as from the client
	encoded := false
	p.found = make([]found, 0, maxKeys)
	for {
		switch r.next() {
		case closing:
			if p.found = append(p.found, folders...); encoded {
				for i := range p.found {
					key, err := url.QueryUnescape(p.found[i].at.path)
					if err != nil {
						return p, false
					}
					p.found[i].at.path = key
				}
			}
			return p, r.name == "ListBucketResult" && !r.bad
		case empty:
			continue
		case opening:
		default:
			return p, false
		}
		switch r.name {
		case "IsTruncated":
			p.more = r.text() == "true"
		case "NextContinuationToken":
			p.token = string(r.raw())
		case "EncodingType":
			encoded = r.text() == "url"
		case "Contents":
			p.found = append(p.found, r.contents(at))
		case "CommonPrefixes":
			folders = append(folders, r.contents(at))
		default:
			r.skip()
		}
		if r.bad {
			return p, false
		}
	}
}

// isNoListing tells whether an answer is a document, but none of a listing: a page for people, say, of a proxy on the way.
func isNoListing(body []byte) bool {
	r := &tags{rest: body}
	return r.next() == opening && !strings.HasSuffix(r.name, "ListBucketResult")
}

// contents reads what a page says of one key or common prefix.
func (r *tags) contents(at place) found {
	f := found{at: at}
	outer := r.name
	for !r.bad {
		switch r.next() {
		case closing:
			r.bad = r.bad || r.name != outer
			return f
		case empty:
			continue
		case opening:
		default:
			r.bad = true
		}
		switch r.name {
		case "Key", "Prefix":
			f.at.path = r.text()
		case "LastModified":
			t, err := time.Parse(time.RFC3339Nano, r.text())
			f.modified = t.Truncate(time.Millisecond)
			r.bad = r.bad || err != nil
		case "ETag":
			f.etag = strings.Trim(strings.ReplaceAll(string(r.raw()), "&quot;", `"`), `"`)
			r.bad = r.bad || strings.IndexByte(f.etag, '&') >= 0
		case "Size":
			n, err := strconv.ParseInt(r.text(), 10, 64)
			f.size = n
			r.bad = r.bad || err != nil
		default:
			r.skip()
		}
	}
	return f
}

// tag is a kind of what tags finds next.
type tag int

const (
	other   tag = iota // the end, or what it does not read
	opening            // <name …>
	closing            // </name>
	empty              // <name …/>
)

// tags reads XML tag by tag, of what documents without comments and such consist of. The names that it gives are pieces of a
// constant where they are known, so that a page of a thousand keys does not make them anew.
type tags struct {
	rest []byte
	name string
	bad  bool // it has met what it does not read
}

// next goes to the next tag, past any text before it.
func (r *tags) next() tag {
	for {
		i := bytes.IndexByte(r.rest, '<')
		if i < 0 || i+1 == len(r.rest) {
			return other
		}
		inside := r.rest[i+1:]
		end := bytes.IndexByte(inside, '>')
		if end < 1 || inside[0] == '!' {
			return other
		}
		inside, r.rest = inside[:end], inside[end+1:]
		switch {
		case inside[0] == '?': // the declaration
			continue
		case inside[0] == '/':
			r.name = known(inside[1:])
			return closing
		}
		kind := opening
		if inside[end-1] == '/' {
			kind, inside = empty, inside[:end-1]
		}
		if space := bytes.IndexAny(inside, " \t\r\n"); space >= 0 {
			inside = inside[:space]
		}
		r.name = known(inside)
		return kind
	}
}

// known gives a name as text, without making a new one of those that each key has.
func known(name []byte) string {
	switch string(name) { // the compiler compares in place
	case "Contents":
		return "Contents"
	case "Key":
		return "Key"
	case "LastModified":
		return "LastModified"
	case "ETag":
		return "ETag"
	case "Size":
		return "Size"
	case "StorageClass":
		return "StorageClass"
	}
	return string(name)
}

// raw reads the text of the element whose tag was opened, up to the end of that.
func (r *tags) raw() []byte {
	name := r.name
	i := bytes.IndexByte(r.rest, '<')
	if i < 0 {
		r.bad = true
		return nil
	}
	text := r.rest[:i]
	if r.next() != closing || r.name != name {
		r.bad = true
	}
	return text
}

// text is raw without XML's escapes.
func (r *tags) text() string {
	raw := r.raw()
	if bytes.IndexByte(raw, '&') < 0 && bytes.IndexByte(raw, '\r') < 0 {
		return string(raw)
	}
	var text string
	if err := xml.Unmarshal(append(append([]byte("<t>"), raw...), "</t>"...), &text); err != nil {
		r.bad = true
	}
	return text
}

// skip goes past the element whose tag was opened, and all in it.
func (r *tags) skip() {
	for depth := 1; depth > 0; {
		switch r.next() {
		case opening:
			depth++
		case closing:
			depth--
		case empty:
		default:
			r.bad = true
			return
		}
	}
}
