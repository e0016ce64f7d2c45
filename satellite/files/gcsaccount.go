package files

import (
	"context"
	"encoding/json"
	"net/http"

	"github.com/exospherehost/orbit"
)

// google is where Google's buckets are, for both of its APIs.
const google = "https://storage.googleapis.com"

const gcsKeys = "GOOGLE_APPLICATION_CREDENTIALS_JSON"

// gcsAccount opens Google Cloud Storage as a service account, or as nobody where it has no key.
type gcsAccount struct{ base, key string }

// newGCSAccount reads the first map with a key of either sort. HMAC keys are for the API that S3's clients speak.
func newGCSAccount(endpoint string, secrets []map[string]string) (account, error) {
	if endpoint == "" {
		endpoint = google
	}
	chosen := choose(secrets, gcsKeys, "GCS_ACCESS_KEY", "GCS_SECRET_KEY")
	if key := chosen[gcsKeys]; key != "" {
		return gcsAccount{endpoint, key}, nil
	}
	if chosen == nil {
		return gcsAccount{base: endpoint}, nil
	}
	a := s3Account{endpoint: endpoint, region: "auto", accessKey: chosen["GCS_ACCESS_KEY"], secretKey: chosen["GCS_SECRET_KEY"], google: true}
	return a, both("GCS_ACCESS_KEY", a.accessKey, "GCS_SECRET_KEY", a.secretKey)
}

// connect implements account.
func (a gcsAccount) connect(o *Opener) (store, error) {
	r, err := newRest(o, "Google Cloud Storage", a.base, "the node's endpoint gcs")
	if err != nil {
		return nil, err
	}
	r.keys, r.word = gcsKeys+" (or GCS_ACCESS_KEY and GCS_SECRET_KEY)", gcsWord
	if a.key != "" {
		token, err := newServiceAccount(a.key, r)
		if err != nil {
			return nil, err
		}
		r.signed = true
		r.sign = func(ctx context.Context, req *http.Request) error {
			bearer, err := token.get(ctx)
			if err != nil {
				return err
			}
			req.Header.Set("Authorization", "Bearer "+bearer)
			return nil
		}
	}
	return &gcsStore{r}, nil
}

// gcsWord reads the reason of an error (cloud.google.com/storage/docs/json_api/v1/status-codes).
func gcsWord(_ *http.Response, body []byte) string {
	var said struct {
		Error struct {
			Errors []struct{ Reason string }
		}
	}
	if json.Unmarshal(body, &said) != nil || len(said.Error.Errors) == 0 {
		return ""
	}
	return said.Error.Errors[0].Reason
}

var errGCSKey = orbit.Permanent(orbit.CodeDenied, gcsKeys+" in secrets is no key of a service account; give the whole JSON text of the key's file")
