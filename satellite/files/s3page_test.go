package files

import (
	"encoding/xml"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/minio/minio-go/v7"

	"github.com/exospherehost/orbit/satellite"
)

const aPage = `<?xml version="1.0" encoding="UTF-8"?>
<ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><Name>bucket</Name><Prefix>a</Prefix><NextContinuationToken>x&amp;y=</NextContinuationToken><KeyCount>3</KeyCount><MaxKeys>3</MaxKeys><IsTruncated>true</IsTruncated>
<Contents><Key>a b&amp;c/&#233;.pdf</Key><LastModified>2025-03-01T12:30:00.5009Z</LastModified><ETag>&quot;0f-2&quot;</ETag><ChecksumAlgorithm>CRC32</ChecksumAlgorithm><Size>17</Size><Owner><ID>1</ID><DisplayName/></Owner><StorageClass>STANDARD</StorageClass></Contents>
<Contents>
  <Size>0</Size>
  <ETag>"1f"</ETag>
  <LastModified>2025-03-01T12:30:00+01:00</LastModified>
  <Key>a%2Bb</Key>
</Contents>
<CommonPrefixes><Prefix>a/</Prefix></CommonPrefixes><Contents><Key/><RestoreStatus><IsRestoreInProgress>false</IsRestoreInProgress></RestoreStatus></Contents></ListBucketResult>`

func TestAPageIsReadAsTheClientReadsIt(t *testing.T) {
	encoded := strings.Replace(aPage, "</Name>", "</Name><EncodingType>url</EncodingType>", 1)
	late := strings.Replace(aPage, "</ListBucketResult>", "<EncodingType>url</EncodingType></ListBucketResult>", 1)
	empty := `<ListBucketResult><IsTruncated>false</IsTruncated></ListBucketResult>`
	for name, text := range map[string]string{"plain": aPage, "url": encoded, "told at the end": late, "nothing": empty} {
		p, ok := readPage(place{provider: providerS3, bucket: "bucket"}, []byte(text))
		if !ok {
			t.Errorf("%s: it is not read", name)
			continue
		}
		var want minio.ListBucketV2Result
		if err := xml.Unmarshal([]byte(text), &want); err != nil {
			t.Fatal(err)
		}
		decode := func(key string) string {
			if want.EncodingType == "url" {
				return strings.ReplaceAll(key, "%2B", "+")
			}
			return key
		}
		var wants []string
		for _, o := range want.Contents {
			wants = append(wants, fmt.Sprint(decode(o.Key), o.Size, o.LastModified.Truncate(time.Millisecond).UTC(), strings.Trim(o.ETag, `"`)))
		}
		for _, o := range want.CommonPrefixes {
			wants = append(wants, fmt.Sprint(decode(o.Prefix), 0, time.Time{}, ""))
		}
		var got []string
		for _, f := range p.found {
			got = append(got, fmt.Sprint(f.at.path, f.size, f.modified.UTC(), f.etag))
		}
		if d := cmp.Diff(wants, got); d != "" || p.more != want.IsTruncated {
			t.Errorf("%s: more %v: %s", name, p.more, d)
		}
	}
	if p, _ := readPage(place{}, []byte(aPage)); p.token != "x&amp;y=" {
		t.Errorf("the next page begins at %s", p.token)
	}
}

// What is not written as stores write it is left to the client, be it good XML or not.
func TestAPageOfAnotherFormIsLeftToTheClient(t *testing.T) {
	one := `<Contents><Key>a.pdf</Key><LastModified>2025-03-01T12:30:00Z</LastModified><ETag>"1"</ETag><Size>3</Size></Contents>`
	page := func(inside string) string { return "<ListBucketResult>" + inside + "</ListBucketResult>" }
	for name, c := range map[string]struct {
		text string
		keys []string // what the client makes of it; nil: it refuses it
	}{
		"a comment":            {page("<!-- hello -->" + one), []string{"a.pdf"}},
		"text as it is":        {page(strings.Replace(one, "a.pdf", "<![CDATA[a.pdf]]>", 1)), []string{"a.pdf"}},
		"a tag inside a key":   {page(strings.Replace(one, "a.pdf", "<b>a</b>", 1)), []string{""}},
		"space in a tag":       {page(strings.Replace(one, "</Key>", "</Key >", 1)), []string{"a.pdf"}},
		"another document":     {"<html><body>hello</body></html>", nil},
		"no document":          {"hello", nil},
		"half a document":      {strings.TrimSuffix(page(one), "</Key>")[:60], nil},
		"a size that is none":  {page(strings.Replace(one, "<Size>3", "<Size>many", 1)), nil},
		"a time that is none":  {page(strings.Replace(one, "2025-03-01T12:30:00Z", "yesterday", 1)), nil},
		"bytes that are none":  {page(strings.Replace(one, "a.pdf", "\xff", 1)), nil},
		"an escape of nothing": {page("<EncodingType>url</EncodingType>" + strings.Replace(one, "a.pdf", "%zz", 1)), nil},
	} {
		t.Run(name, func(t *testing.T) {
			if _, ok := readPage(place{}, []byte(c.text)); ok {
				t.Error("it is read")
			}
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte(c.text)) }))
			defer server.Close()
			got, err := run(t.Context(), find(t, newOpener(t, server.URL), "get-files-from-s3"), &satellite.Invocation{Config: config{"bucket": "bucket", "recursive": true, "secrets": keys()}})
			if c.keys == nil {
				if err == nil {
					t.Errorf("the client finds %v", got)
				}
				return
			}
			if d := cmp.Diff(c.keys, column(got, "file-path")); d != "" || err != nil {
				t.Error(err, d)
			}
		})
	}
}

func FuzzReadPage(f *testing.F) {
	f.Add([]byte(aPage))
	f.Add([]byte("<ListBucketResult/>"))
	f.Fuzz(func(t *testing.T, body []byte) {
		p, ok := readPage(place{}, body)
		var want minio.ListBucketV2Result
		if !ok || xml.Unmarshal(body, &want) != nil {
			return // the client's concern; or it reads less than we do, which no store sends
		}
		if len(p.found) != len(want.Contents)+len(want.CommonPrefixes) {
			t.Errorf("%d entries, want %d and %d", len(p.found), len(want.Contents), len(want.CommonPrefixes))
		}
	})
}
