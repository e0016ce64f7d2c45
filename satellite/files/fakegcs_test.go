package files

import (
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// fakeGCS is Google's store, with one bucket, "bucket", and its token service.
type fakeGCS struct {
	*httptest.Server
	*shelf
	key      *rsa.PrivateKey
	pageSize int
	public   bool                             // no token is needed
	answer   atomic.Pointer[http.HandlerFunc] // instead of what is asked for
	tokens   atomic.Int32                     // given so far
	pages    atomic.Int32
	copies   atomic.Int32
	wrong    []string // what was asked for in a way that is not documented
}

// gcsTestKey is made once: that takes a while.
var gcsTestKey = sync.OnceValues(func() (*rsa.PrivateKey, error) { return rsa.GenerateKey(rand.Reader, 2048) })

func newFakeGCS(t *testing.T, keys ...string) *fakeGCS {
	t.Helper()
	key, err := gcsTestKey()
	if err != nil {
		t.Fatal(err)
	}
	f := &fakeGCS{shelf: newShelf(keys...), key: key, pageSize: 1000}
	mux := http.NewServeMux()
	mux.HandleFunc("POST /token", f.token)
	mux.HandleFunc("GET /storage/v1/b/{bucket}/o", f.list)
	mux.HandleFunc("GET /storage/v1/b/{bucket}/o/{key}", f.object)
	mux.HandleFunc("DELETE /storage/v1/b/{bucket}/o/{key}", f.delete)
	mux.HandleFunc("POST /upload/storage/v1/b/{bucket}/o", f.insert)
	mux.HandleFunc("POST /storage/v1/b/{bucket}/o/{key}/rewriteTo/b/{to}/o/{new}", f.rewrite)
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		f.refuse(w, 400, "badRequest")
		f.blame(r, "no such method")
	})
	f.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case f.answer.Load() != nil && r.URL.Path != "/token":
			(*f.answer.Load())(w, r)
		case r.URL.Path == "/token", f.public, r.Header.Get("Authorization") == fmt.Sprint("Bearer CANARY-token-", f.tokens.Load()):
			mux.ServeHTTP(w, r)
		default:
			f.refuse(w, 401, "required")
		}
	}))
	t.Cleanup(func() {
		f.Server.Close()
		for _, wrong := range f.wrong {
			t.Error(wrong)
		}
	})
	return f
}

func (f *fakeGCS) host() string { return strings.TrimPrefix(f.URL, "http://") }

func (f *fakeGCS) blame(r *http.Request, what string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.wrong = append(f.wrong, r.Method+" "+r.URL.String()+": "+what)
}

// secrets are the key of a service account, as Google gives it out.
func (f *fakeGCS) secrets(t *testing.T) map[string]any {
	t.Helper()
	der, err := x509.MarshalPKCS8PrivateKey(f.key)
	if err != nil {
		t.Fatal(err)
	}
	text, err := json.Marshal(map[string]string{
		"type": "service_account", "project_id": "p", "private_key_id": "kid-1", "client_email": "orbit@p.iam.gserviceaccount.com",
		"private_key": string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})), "token_uri": f.URL + "/token",
	})
	if err != nil {
		t.Fatal(err)
	}
	return map[string]any{gcsKeys: string(text)}
}

// refuse answers with an error that repeats the token, as no service should.
func (f *fakeGCS) refuse(w http.ResponseWriter, status int, reason string) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	fmt.Fprintf(w, `{"error": {"code": %d, "message": "no: CANARY-token-1", "errors": [{"reason": %q}]}}`, status, reason)
}

// token checks the claim as developers.google.com/identity/protocols/oauth2/service-account has it.
func (f *fakeGCS) token(w http.ResponseWriter, r *http.Request) {
	if r.FormValue("grant_type") != "urn:ietf:params:oauth:grant-type:jwt-bearer" {
		f.blame(r, "grant_type "+r.FormValue("grant_type"))
	}
	parts := strings.Split(r.FormValue("assertion"), ".")
	if len(parts) != 3 {
		f.blame(r, "the assertion is no JWT")
		f.refuse(w, 400, "invalid_grant")
		return
	}
	digest := sha256.Sum256([]byte(parts[0] + "." + parts[1]))
	signature, err := base64.RawURLEncoding.DecodeString(parts[2])
	if err != nil || rsa.VerifyPKCS1v15(&f.key.PublicKey, crypto.SHA256, digest[:], signature) != nil {
		w.WriteHeader(http.StatusBadRequest)
		fmt.Fprint(w, `{"error": "invalid_grant", "error_description": "Invalid JWT Signature: CANARY"}`)
		return
	}
	var head struct{ Alg, Typ, Kid string }
	var claim struct {
		Iss, Scope, Aud string
		Iat, Exp        int64
	}
	for i, out := range []any{&head, &claim} {
		text, err := base64.RawURLEncoding.DecodeString(parts[i])
		if err != nil || json.Unmarshal(text, out) != nil {
			f.blame(r, "a part of the JWT cannot be read")
		}
	}
	if head.Alg != "RS256" || head.Typ != "JWT" || head.Kid != "kid-1" || claim.Iss != "orbit@p.iam.gserviceaccount.com" ||
		claim.Scope != "https://www.googleapis.com/auth/devstorage.read_write" || claim.Aud != f.URL+"/token" || claim.Exp-claim.Iat != 3600 {
		f.blame(r, fmt.Sprintf("claim %+v %+v", head, claim))
	}
	fmt.Fprintf(w, `{"access_token": "CANARY-token-%d", "expires_in": 3599, "token_type": "Bearer"}`, f.tokens.Add(1))
}

func (f *fakeGCS) meta(key, body string) map[string]string {
	return map[string]string{"name": key, "size": strconv.Itoa(len(body)), "updated": fakeTime.Format(time.RFC3339Nano), "etag": etagOf(body)}
}

func (f *fakeGCS) list(w http.ResponseWriter, r *http.Request) {
	if r.PathValue("bucket") != "bucket" {
		f.refuse(w, 404, "notFound")
		return
	}
	f.pages.Add(1)
	q := r.URL.Query()
	n, _ := strconv.Atoi(q.Get("maxResults"))
	keys, next := f.page(q.Get("prefix"), q.Get("delimiter"), q.Get("pageToken"), min(n, f.pageSize))
	items := []any{}
	for _, key := range keys {
		body, _ := f.get(key)
		items = append(items, f.meta(key, body))
	}
	f.tell(w, map[string]any{"kind": "storage#objects", "nextPageToken": next, "items": items})
}

func (f *fakeGCS) tell(w http.ResponseWriter, v any) {
	w.Header().Set("Content-Type", "application/json; charset=UTF-8")
	_ = json.NewEncoder(w).Encode(v)
}

func (f *fakeGCS) object(w http.ResponseWriter, r *http.Request) {
	body, ok := f.get(r.PathValue("key"))
	switch {
	case r.PathValue("bucket") != "bucket" || !ok:
		f.refuse(w, 404, "notFound")
	case r.URL.Query().Get("alt") == "media":
		if r.Header.Get("Accept-Encoding") != "gzip" {
			f.blame(r, "an object that is stored compressed would be unpacked")
		}
		w.Header().Set("Content-Length", strconv.Itoa(len(body)))
		fmt.Fprint(w, body)
	default:
		f.tell(w, f.meta(r.PathValue("key"), body))
	}
}

func (f *fakeGCS) delete(w http.ResponseWriter, r *http.Request) {
	if r.PathValue("bucket") != "bucket" || !f.remove(r.PathValue("key")) {
		f.refuse(w, 404, "notFound")
		return
	}
	w.WriteHeader(http.StatusNoContent)
}

func (f *fakeGCS) insert(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	name := r.URL.Query().Get("name")
	if err != nil || r.URL.Query().Get("uploadType") != "media" || name == "" || r.Header.Get("Content-Type") == "" {
		f.blame(r, fmt.Sprintf("%v, type %q", err, r.Header.Get("Content-Type")))
	}
	if r.PathValue("bucket") != "bucket" {
		f.refuse(w, 404, "notFound")
		return
	}
	f.put(name, string(body))
	f.tell(w, f.meta(name, string(body)))
}

// rewrite takes two calls, as for a large object.
func (f *fakeGCS) rewrite(w http.ResponseWriter, r *http.Request) {
	body, ok := f.get(r.PathValue("key"))
	switch token := r.URL.Query().Get("rewriteToken"); {
	case r.PathValue("bucket") != "bucket" || r.PathValue("to") != "bucket" || !ok:
		f.refuse(w, 404, "notFound")
	case token == "":
		f.tell(w, map[string]any{"done": false, "rewriteToken": "go on/" + url.PathEscape(r.PathValue("new"))})
	case token != "go on/"+url.PathEscape(r.PathValue("new")):
		f.refuse(w, 400, "invalid")
	default:
		f.copies.Add(1)
		f.put(r.PathValue("new"), body)
		f.tell(w, map[string]any{"done": true})
	}
}
