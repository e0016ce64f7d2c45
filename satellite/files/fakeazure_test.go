package files

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/xml"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
)

const (
	azureTestAccount = "orbitaccount"
	azureTestSAS     = "sv=2021-12-02&sr=c&sp=rwdl&sig=CANARY%2Bsig%3D"
)

var azureTestKey = []byte("CANARY-azure-key")

// fakeAzure is the blobs of one storage account with one container, "bucket".
type fakeAzure struct {
	*httptest.Server
	*shelf
	pageSize int
	public   bool
	answer   atomic.Pointer[http.HandlerFunc] // instead of what is asked for
	blocks   map[string]string                // sent and not yet listed
	pending  atomic.Int32                     // how often a copy says that it is not done yet
	pages    atomic.Int32
	copies   atomic.Int32
	wrong    []string
}

func newFakeAzure(t *testing.T, keys ...string) *fakeAzure {
	t.Helper()
	f := &fakeAzure{shelf: newShelf(keys...), pageSize: 1000, blocks: map[string]string{}}
	f.Server = httptest.NewServer(f)
	t.Cleanup(func() {
		f.Server.Close()
		for _, wrong := range f.wrong {
			t.Error(wrong)
		}
	})
	return f
}

func (f *fakeAzure) host() string { return strings.TrimPrefix(f.URL, "http://") }

func (f *fakeAzure) blame(r *http.Request, what string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.wrong = append(f.wrong, r.Method+" "+r.URL.String()+": "+what)
}

func (f *fakeAzure) secrets() map[string]any {
	return map[string]any{"AZURE_STORAGE_ACCOUNT": azureTestAccount, "AZURE_STORAGE_KEY": base64.StdEncoding.EncodeToString(azureTestKey)}
}

// refuse answers with an error that repeats the signature, as the service's own do.
func (f *fakeAzure) refuse(w http.ResponseWriter, status int, code string) {
	w.Header().Set("X-Ms-Error-Code", code)
	w.WriteHeader(status)
	fmt.Fprintf(w, "<Error><Code>%s</Code><Message>CANARY signature</Message></Error>", code)
}

// ServeHTTP implements http.Handler.
func (f *fakeAzure) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	container, blob, _ := strings.Cut(strings.TrimPrefix(r.URL.Path, "/"), "/")
	if answer := f.answer.Load(); answer != nil {
		(*answer)(w, r)
		return
	}
	if r.Header.Get("X-Ms-Version") == "" || r.Header.Get("X-Ms-Date") == "" {
		f.blame(r, "no version or no date")
	}
	switch {
	case !f.public && r.Header.Get("Authorization") == "" && q.Get("sig") == "":
		f.refuse(w, 404, "ResourceNotFound") // what the service says of a container that is not public
	case !f.public && q.Get("sig") == "" && r.Header.Get("Authorization") != f.signature(r):
		f.refuse(w, 403, "AuthenticationFailed")
	case !f.public && q.Get("sig") != "" && !strings.HasSuffix(r.URL.RawQuery, azureTestSAS):
		f.refuse(w, 403, "AuthenticationFailed")
	case container != "bucket":
		f.refuse(w, 404, "ContainerNotFound")
	case q.Get("comp") == "list":
		f.list(w, r)
	case r.Method == http.MethodPut:
		f.write(w, r, blob)
	case r.Method == http.MethodDelete:
		if r.Header.Get("X-Ms-Delete-Snapshots") != "include" {
			f.blame(r, "a blob with snapshots would stay")
		}
		if !f.remove(blob) {
			f.refuse(w, 404, "BlobNotFound")
			return
		}
		w.WriteHeader(http.StatusAccepted)
	default:
		f.read(w, r, blob)
	}
}

// signature follows learn.microsoft.com/rest/api/storageservices/authorize-with-shared-key, line by line.
func (f *fakeAzure) signature(r *http.Request) string {
	length := r.Header.Get("Content-Length")
	if r.ContentLength > 0 {
		length = strconv.FormatInt(r.ContentLength, 10)
	}
	if length == "0" {
		length = ""
	}
	text := r.Method + "\n\n\n" + length + "\n\n" + r.Header.Get("Content-Type") + "\n\n\n\n\n\n\n"
	var own []string
	for name := range r.Header {
		if strings.HasPrefix(name, "X-Ms-") {
			own = append(own, strings.ToLower(name)+":"+r.Header.Get(name)+"\n")
		}
	}
	slices.Sort(own)
	text += strings.Join(own, "") + "/" + azureTestAccount + r.URL.EscapedPath()
	var query []string
	for name, values := range r.URL.Query() {
		query = append(query, "\n"+name+":"+values[0])
	}
	slices.Sort(query)
	text += strings.Join(query, "")
	mac := hmac.New(sha256.New, azureTestKey)
	mac.Write([]byte(text))
	return "SharedKey " + azureTestAccount + ":" + base64.StdEncoding.EncodeToString(mac.Sum(nil))
}

func (f *fakeAzure) list(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	if q.Get("restype") != "container" {
		f.blame(r, "no restype")
	}
	f.pages.Add(1)
	n, _ := strconv.Atoi(q.Get("maxresults"))
	keys, next := f.page(q.Get("prefix"), q.Get("delimiter"), q.Get("marker"), min(n, f.pageSize))
	fmt.Fprint(w, "\uFEFF", `<?xml version="1.0" encoding="utf-8"?><EnumerationResults><Blobs>`)
	for _, key := range keys {
		body, _ := f.get(key)
		fmt.Fprintf(w, `<Blob><Name Encoded="true">%s</Name><Properties><Last-Modified>%s</Last-Modified><Etag>%s</Etag><Content-Length>%d</Content-Length></Properties></Blob>`,
			url.PathEscape(key), fakeTime.Format(http.TimeFormat), etagOf(body), len(body))
	}
	fmt.Fprint(w, `<Blob><Name>a-directory</Name><Properties><ResourceType>directory</ResourceType></Properties></Blob></Blobs><NextMarker>`)
	_ = xml.EscapeText(w, []byte(next))
	fmt.Fprint(w, "</NextMarker></EnumerationResults>")
}

func (f *fakeAzure) read(w http.ResponseWriter, r *http.Request, blob string) {
	body, ok := f.get(blob)
	if !ok {
		f.refuse(w, 404, "BlobNotFound")
		return
	}
	w.Header().Set("Content-Length", strconv.Itoa(len(body)))
	w.Header().Set("Last-Modified", fakeTime.Format(http.TimeFormat))
	w.Header().Set("Etag", `"`+etagOf(body)+`"`)
	if f.pending.Add(-1) >= 0 {
		w.Header().Set("X-Ms-Copy-Status", "pending")
	} else {
		w.Header().Set("X-Ms-Copy-Status", "success")
	}
	if r.Method == http.MethodGet {
		fmt.Fprint(w, body)
	}
}

func (f *fakeAzure) write(w http.ResponseWriter, r *http.Request, blob string) {
	data, err := io.ReadAll(r.Body)
	body := string(data)
	if err != nil {
		f.refuse(w, 400, "IncompleteBody")
		return
	}
	q := r.URL.Query()
	switch {
	case r.Header.Get("X-Ms-Copy-Source") != "":
		from, err := url.Parse(r.Header.Get("X-Ms-Copy-Source"))
		if err != nil || (q.Get("sig") != "") != (from.Query().Get("sig") != "") {
			f.blame(r, "the source of the copy cannot be read by this signature")
			return
		}
		source, ok := f.get(strings.TrimPrefix(from.Path, "/bucket/"))
		if !ok {
			f.refuse(w, 404, "CannotVerifyCopySource")
			return
		}
		f.copies.Add(1)
		f.put(blob, source)
		w.Header().Set("X-Ms-Copy-Status", "pending")
		w.WriteHeader(http.StatusAccepted)
		return
	case q.Get("comp") == "block":
		f.mu.Lock()
		f.blocks[q.Get("blockid")] = body
		f.mu.Unlock()
	case q.Get("comp") == "blocklist":
		var list struct{ Latest []string }
		if err := xml.Unmarshal(data, &list); err != nil {
			f.refuse(w, 400, "InvalidXmlDocument")
			return
		}
		whole := ""
		f.mu.Lock()
		for _, id := range list.Latest {
			whole += f.blocks[id]
		}
		f.mu.Unlock()
		f.put(blob, whole)
	case r.Header.Get("X-Ms-Blob-Type") != "BlockBlob":
		f.refuse(w, 400, "MissingRequiredHeader")
		return
	default:
		f.put(blob, body)
	}
	w.WriteHeader(http.StatusCreated)
}

func TestTheExampleOfTheDocumentationIsSignedAsItSays(t *testing.T) {
	req := httptest.NewRequest(http.MethodGet, "https://myaccount.blob.core.windows.net/mycontainer?restype=container&comp=metadata&timeout=20", nil)
	req.Header.Set("X-Ms-Date", "Fri, 26 Jun 2015 23:39:12 GMT")
	req.Header.Set("X-Ms-Version", "2015-02-21")
	want := "GET\n\n\n\n\n\n\n\n\n\n\n\nx-ms-date:Fri, 26 Jun 2015 23:39:12 GMT\nx-ms-version:2015-02-21\n/myaccount/mycontainer\ncomp:metadata\nrestype:container\ntimeout:20"
	if got := (sharedKey{account: "myaccount"}).text(req); got != want {
		t.Errorf("got  %q\nwant %q", got, want)
	}
}

func TestALargeBlobIsSentInBlocks(t *testing.T) {
	f := newFakeAzure(t)
	o := NewOpener(map[string]string{"azure-blob": f.URL})
	defer o.Close()
	at := place{provider: providerAzure, bucket: "bucket", path: "large"}
	s, err := o.store(at, map[string]string{"AZURE_STORAGE_ACCOUNT": azureTestAccount, "AZURE_STORAGE_KEY": base64.StdEncoding.EncodeToString(azureTestKey)})
	if err != nil {
		t.Fatal(err)
	}
	body := strings.Repeat("0123456789abcdef", azureBlock/16) + "the end"
	if err := s.create(t.Context(), at, strings.NewReader(body), -1); err != nil {
		t.Fatal(err)
	}
	if got, _ := f.get("large"); got != body || len(f.blocks) != 2 {
		t.Errorf("%d bytes in %d blocks, want %d in 2", len(got), len(f.blocks), len(body))
	}
}
