package s3

import (
	"bytes"
	"cmp"
	"encoding/xml"
	"fmt"
	"net/http"
	"net/url"
	"sort"
	"strconv"
	"strings"
)

// list is ListObjectsV2; the continuation token is the last key or common prefix of the page before. As in Amazon's answer, the
// token of the next page comes before the keys of this one.
func (s *Store) list(w http.ResponseWriter, q url.Values) {
	s.Pages.Add(1)
	prefix, delimiter, after := q.Get("prefix"), q.Get("delimiter"), q.Get("continuation-token")
	page := make([]byte, 0, 256<<10) // about what a thousand keys take
	modified := Modified.Format("2006-01-02T15:04:05.000Z")
	count, last, truncated := 0, "", false
	for _, key := range s.keys[sort.SearchStrings(s.keys, max(prefix, after)):] {
		if !strings.HasPrefix(key, prefix) {
			break
		}
		name := key
		if i := strings.Index(key[len(prefix):], "/"); delimiter == "/" && i >= 0 {
			name = key[:len(prefix)+i+1]
		}
		if name <= after || name == last {
			continue
		}
		if count == cmp.Or(s.PageSize, 1000) {
			truncated = true
			break
		}
		count, last = count+1, name
		if name != key || (delimiter == "/" && strings.HasSuffix(name, "/")) {
			page = append(append(append(page, "<CommonPrefixes><Prefix>"...), url.QueryEscape(name)...), "</Prefix></CommonPrefixes>"...)
			continue
		}
		page = append(append(append(page, "<Contents><Key>"...), url.QueryEscape(key)...), "</Key><LastModified>"...)
		page = append(append(append(page, modified...), "</LastModified><ETag>&quot;"...), etag(s.holds(key))...)
		page = strconv.AppendInt(append(page, "&quot;</ETag><Size>"...), int64(len(s.holds(key))), 10)
		page = append(page, "</Size><StorageClass>STANDARD</StorageClass></Contents>"...)
	}
	token := ""
	if truncated {
		var escaped bytes.Buffer
		_ = xml.EscapeText(&escaped, []byte(last)) // into memory
		token = "<NextContinuationToken>" + escaped.String() + "</NextContinuationToken>"
	}
	w.Header().Set("Content-Type", "application/xml")
	fmt.Fprintf(w, `<?xml version="1.0" encoding="UTF-8"?>`+"\n"+`<ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><Name>%s</Name>%s<EncodingType>url</EncodingType><KeyCount>%d</KeyCount><IsTruncated>%v</IsTruncated>%s</ListBucketResult>`,
		Bucket, token, count, truncated, page)
}
