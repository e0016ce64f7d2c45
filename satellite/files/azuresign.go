package files

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
)

// azureVersion is the version of the API that is spoken, and signed for.
const azureVersion = "2021-12-02"

// sharedKey signs requests with the key of a storage account
// (learn.microsoft.com/rest/api/storageservices/authorize-with-shared-key).
type sharedKey struct {
	account string
	key     []byte
}

// stamp sets what every request has, signed or not.
func stamp(req *http.Request) {
	req.Header.Set("X-Ms-Version", azureVersion)
	req.Header.Set("X-Ms-Date", time.Now().UTC().Format(http.TimeFormat))
}

func (k sharedKey) sign(_ context.Context, req *http.Request) error {
	stamp(req)
	mac := hmac.New(sha256.New, k.key)
	mac.Write([]byte(k.text(req)))
	req.Header.Set("Authorization", "SharedKey "+k.account+":"+base64.StdEncoding.EncodeToString(mac.Sum(nil)))
	return nil
}

// text is what is signed: verb, standard headers, x-ms headers, resource.
func (k sharedKey) text(req *http.Request) string {
	length := ""
	if req.ContentLength > 0 {
		length = strconv.FormatInt(req.ContentLength, 10)
	}
	lines := []string{req.Method}
	for _, name := range []string{"Content-Encoding", "Content-Language", "", "Content-Md5", "Content-Type", "",
		"If-Modified-Since", "If-Match", "If-None-Match", "If-Unmodified-Since", "Range"} {
		lines = append(lines, req.Header.Get(name))
	}
	lines[3] = length // the other empty name is the date, which stands in x-ms-date
	var own []string
	for name, values := range req.Header {
		if name = strings.ToLower(name); strings.HasPrefix(name, "x-ms-") {
			own = append(own, name+":"+strings.Join(values, ","))
		}
	}
	slices.Sort(own)
	return strings.Join(append(lines, own...), "\n") + "\n" + k.resource(req)
}

// resource is the path, and the query in order of its names.
func (k sharedKey) resource(req *http.Request) string {
	out := "/" + k.account + req.URL.EscapedPath()
	query := map[string][]string{}
	for name, values := range req.URL.Query() {
		name = strings.ToLower(name)
		query[name] = append(query[name], values...)
	}
	names := make([]string, 0, len(query))
	for name := range query {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		slices.Sort(query[name])
		out += "\n" + name + ":" + strings.Join(query[name], ",")
	}
	return out
}
