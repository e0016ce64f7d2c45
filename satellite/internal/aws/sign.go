package aws

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"
)

const (
	algorithm  = "AWS4-HMAC-SHA256"
	timeFormat = "20060102T150405Z"
)

// Sign adds the headers of Signature Version 4 to a request's. Every header that is there already is signed, and so is
// the host. The rules are those of "Create a signed AWS API request" in the IAM user guide.
func Sign(method string, target *url.URL, header http.Header, body []byte, a Account, api string, now time.Time) {
	now = now.UTC()
	header.Set("X-Amz-Date", now.Format(timeFormat))
	if a.SessionToken != "" {
		header.Set("X-Amz-Security-Token", a.SessionToken)
	}
	names, lines := canonicalHeaders(target.Host, header)
	request := strings.Join([]string{method, canonicalPath(target), canonicalQuery(target), lines, names, hash(body)}, "\n")
	day := now.Format("20060102")
	scope := day + "/" + a.Region + "/" + api + "/aws4_request"
	text := strings.Join([]string{algorithm, now.Format(timeFormat), scope, hash([]byte(request))}, "\n")

	key := []byte("AWS4" + a.SecretKey)
	for _, part := range []string{day, a.Region, api, "aws4_request"} {
		key = mac(key, part)
	}
	header.Set("Authorization", algorithm+" Credential="+a.AccessKey+"/"+scope+", SignedHeaders="+names+", Signature="+hex.EncodeToString(mac(key, text)))
}

// canonicalHeaders gives the names of the headers, and their lines.
func canonicalHeaders(host string, header http.Header) (names, lines string) {
	values := map[string]string{"host": host}
	for key, all := range header {
		joined := make([]string, len(all))
		for i, v := range all {
			joined[i] = strings.Join(strings.Fields(v), " ")
		}
		values[strings.ToLower(key)] = strings.Join(joined, ",")
	}
	var keys []string
	for key := range values {
		keys = append(keys, key)
	}
	slices.Sort(keys)
	var b strings.Builder
	for _, key := range keys {
		b.WriteString(key + ":" + values[key] + "\n")
	}
	return strings.Join(keys, ";"), b.String()
}

// canonicalPath is the path as it is sent, escaped once more: every API but that of S3 wants it so.
func canonicalPath(target *url.URL) string {
	path := target.EscapedPath()
	if path == "" {
		return "/"
	}
	return escape(path, "/")
}

func canonicalQuery(target *url.URL) string {
	var pairs []string
	for key, values := range target.Query() {
		for _, v := range values {
			pairs = append(pairs, escape(key, "")+"="+escape(v, ""))
		}
	}
	slices.Sort(pairs)
	return strings.Join(pairs, "&")
}

// escape writes everything but unreserved characters (RFC 3986) and those of keep as %XX.
func escape(text, keep string) string {
	const digits = "0123456789ABCDEF"
	var b bytes.Buffer
	for i := range len(text) {
		c := text[i]
		plain := c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || strings.IndexByte("-_.~"+keep, c) >= 0
		if plain {
			b.WriteByte(c)
			continue
		}
		b.Write([]byte{'%', digits[c>>4], digits[c&15]})
	}
	return b.String()
}

func hash(data []byte) string {
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:])
}

func mac(key []byte, text string) []byte {
	m := hmac.New(sha256.New, key)
	m.Write([]byte(text)) // a hash takes everything
	return m.Sum(nil)
}
