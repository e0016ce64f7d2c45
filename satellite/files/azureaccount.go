package files

import (
	"context"
	"encoding/base64"
	"net/http"
	"net/url"
	"strings"

	"github.com/exospherehost/orbit"
)

const azureKeys = "AZURE_STORAGE_KEY, AZURE_STORAGE_SAS_TOKEN or AZURE_STORAGE_CONNECTION_STRING"

// azureAccount opens the blobs of one storage account, by its key, by a shared access signature, or as nobody.
type azureAccount struct{ base, name, key, sas string }

// newAzureAccount reads the first map that says anything of Azure. The connection string goes before the rest.
func newAzureAccount(endpoint string, secrets []map[string]string) (account, error) {
	chosen := choose(secrets, "AZURE_STORAGE_CONNECTION_STRING", "AZURE_STORAGE_ACCOUNT", "AZURE_STORAGE_KEY", "AZURE_STORAGE_SAS_TOKEN")
	a := azureAccount{base: endpoint, name: chosen["AZURE_STORAGE_ACCOUNT"], key: chosen["AZURE_STORAGE_KEY"], sas: chosen["AZURE_STORAGE_SAS_TOKEN"]}
	if text := chosen["AZURE_STORAGE_CONNECTION_STRING"]; text != "" {
		a.take(text)
	}
	if a.name == "" {
		return nil, orbit.Permanent(orbit.CodeDenied,
			"secrets do not say which storage account of Azure; add AZURE_STORAGE_ACCOUNT with AZURE_STORAGE_KEY or AZURE_STORAGE_SAS_TOKEN, or AZURE_STORAGE_CONNECTION_STRING")
	}
	if a.base == "" {
		a.base = "https://" + a.name + ".blob.core.windows.net"
	}
	a.sas = strings.TrimPrefix(a.sas, "?")
	return a, nil
}

// take reads a connection string (learn.microsoft.com/azure/storage/common/storage-configure-connection-string).
func (a *azureAccount) take(text string) {
	fields := map[string]string{}
	for part := range strings.SplitSeq(text, ";") {
		name, value, _ := strings.Cut(part, "=")
		fields[strings.ToLower(strings.TrimSpace(name))] = strings.TrimSpace(value)
	}
	a.name = either(fields["accountname"], a.name)
	a.key = either(fields["accountkey"], a.key)
	a.sas = either(fields["sharedaccesssignature"], a.sas)
	switch {
	case fields["blobendpoint"] != "":
		a.base = fields["blobendpoint"]
		if u, err := url.Parse(a.base); err == nil && a.name == "" { // one with a signature names no account
			a.name, _, _ = strings.Cut(u.Hostname(), ".")
		}
	case fields["endpointsuffix"] != "":
		a.base = either(fields["defaultendpointsprotocol"], "https") + "://" + a.name + ".blob." + fields["endpointsuffix"]
	}
}

// connect implements account.
func (a azureAccount) connect(o *Opener) (store, error) {
	r, err := newRest(o, "Azure Blob Storage", a.base, "BlobEndpoint of AZURE_STORAGE_CONNECTION_STRING, or the node's endpoint azure-blob,")
	if err != nil {
		return nil, err
	}
	r.keys, r.word = azureKeys, azureWord
	r.signed = a.key != "" || a.sas != ""
	s := &azureStore{rest: r, sas: a.sas}
	switch {
	case a.key != "":
		key, err := base64.StdEncoding.DecodeString(a.key)
		if err != nil {
			return nil, orbit.Permanent(orbit.CodeDenied, "AZURE_STORAGE_KEY in secrets is no base64; copy one of the two access keys of the storage account")
		}
		r.sign, s.sas = sharedKey{a.name, key}.sign, ""
	case a.sas != "":
		if _, err := url.ParseQuery(a.sas); err != nil {
			return nil, orbit.Permanent(orbit.CodeDenied, "AZURE_STORAGE_SAS_TOKEN in secrets cannot be read; it looks like sv=…&sig=…")
		}
		r.sign = func(_ context.Context, req *http.Request) error {
			stamp(req)
			if req.URL.RawQuery != "" {
				req.URL.RawQuery += "&"
			}
			req.URL.RawQuery += a.sas
			return nil
		}
	default:
		r.sign = func(_ context.Context, req *http.Request) error {
			stamp(req)
			return nil
		}
	}
	return s, nil
}

// azureWord reads the code of an error, which stands in a header even where the answer has no body
// (learn.microsoft.com/rest/api/storageservices/status-and-error-codes2).
func azureWord(resp *http.Response, _ []byte) string { return resp.Header.Get("X-Ms-Error-Code") }
