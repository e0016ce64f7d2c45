package files

import (
	"context"
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/exospherehost/orbit"
)

// gcsScope is all that the satellites do (cloud.google.com/storage/docs/oauth-scopes).
const gcsScope = "https://www.googleapis.com/auth/devstorage.read_write"

// tokenLife is the most that Google grants; a token is renewed that much before its end that a request begun with it is
// still served.
const (
	tokenLife  = time.Hour
	tokenSpare = 5 * time.Minute
)

// serviceAccount trades its key for tokens: a signed claim goes to Google, a token of an hour comes back
// (developers.google.com/identity/protocols/oauth2/service-account, HTTP/REST).
type serviceAccount struct {
	rest       *rest // for sentences, and the connections
	email, kid string
	key        *rsa.PrivateKey
	address    string // of the token service

	turn  chan struct{} // holds one; who has it may ask for a token
	token string        // turn's
	until time.Time     // turn's
}

func newServiceAccount(text string, r *rest) (*serviceAccount, error) {
	var file struct {
		Type     string `json:"type"`
		Email    string `json:"client_email"`
		Key      string `json:"private_key"`
		KeyID    string `json:"private_key_id"`
		TokenURI string `json:"token_uri"`
	}
	if json.Unmarshal([]byte(text), &file) != nil || file.Type != "service_account" || file.Email == "" {
		return nil, errGCSKey
	}
	block, _ := pem.Decode([]byte(file.Key))
	if block == nil {
		return nil, errGCSKey
	}
	parsed, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	key, ok := parsed.(*rsa.PrivateKey)
	if err != nil || !ok {
		return nil, errGCSKey
	}
	if file.TokenURI == "" {
		file.TokenURI = "https://oauth2.googleapis.com/token"
	}
	if u, err := url.Parse(file.TokenURI); err != nil || u.Host == "" || (u.Scheme != "http" && u.Scheme != "https") {
		return nil, errGCSKey
	}
	return &serviceAccount{rest: r, email: file.Email, kid: file.KeyID, key: key, address: file.TokenURI, turn: make(chan struct{}, 1)}, nil
}

// get gives a token that is good for a while. One caller asks for a new one, the others wait for it.
func (s *serviceAccount) get(ctx context.Context) (string, error) {
	select {
	case s.turn <- struct{}{}:
	case <-ctx.Done():
		return "", ctx.Err()
	}
	defer func() { <-s.turn }()
	now := time.Now()
	if now.Before(s.until) {
		return s.token, nil
	}
	token, life, err := s.ask(ctx, now)
	if err != nil {
		return "", err
	}
	s.token, s.until = token, now.Add(life-tokenSpare)
	return token, nil
}

func (s *serviceAccount) ask(ctx context.Context, now time.Time) (string, time.Duration, error) {
	claim, err := s.claim(now)
	if err != nil {
		return "", 0, errGCSKey
	}
	form := url.Values{"grant_type": {"urn:ietf:params:oauth:grant-type:jwt-bearer"}, "assertion": {claim}}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, s.address, strings.NewReader(form.Encode()))
	if err != nil {
		return "", 0, errGCSKey
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	resp, err := s.rest.client.Do(req)
	if err != nil {
		return "", 0, s.unreachable(ctx, err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxRefusal))
	if err != nil {
		return "", 0, s.unreachable(ctx, err)
	}
	switch status := resp.StatusCode; {
	case status == http.StatusTooManyRequests, status == http.StatusRequestTimeout, status >= 500:
		return "", 0, orbit.RetryAfter(retryAfter(resp.Header.Get("Retry-After"), now), orbit.CodeUnavailable,
			"Google's token service at %s cannot answer at the moment (HTTP %d); try again later", req.URL.Host, status)
	case status != http.StatusOK:
		return "", 0, orbit.Permanent(orbit.CodeDenied, "Google's token service at %s refuses the service account (HTTP %d); check %s in secrets, and that the key is not revoked",
			req.URL.Host, status, gcsKeys)
	}
	var granted struct {
		Token   string `json:"access_token"`
		Expires int64  `json:"expires_in"` // seconds
	}
	if json.Unmarshal(body, &granted) != nil || granted.Token == "" {
		return "", 0, orbit.Transient(orbit.CodeUnavailable, "Google's token service at %s gave an answer that cannot be read; check token_uri of the key", req.URL.Host)
	}
	return granted.Token, time.Duration(min(granted.Expires, int64(tokenLife/time.Second))) * time.Second, nil
}

func (s *serviceAccount) unreachable(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	return orbit.Transient(orbit.CodeUnavailable, "Google's token service cannot be reached (%s); check the network, and token_uri of the key", netReason(err))
}

// claim is a JWT, signed with RS256.
func (s *serviceAccount) claim(now time.Time) (string, error) {
	head, err := json.Marshal(map[string]string{"alg": "RS256", "typ": "JWT", "kid": s.kid})
	if err != nil {
		return "", err
	}
	body, err := json.Marshal(map[string]any{
		"iss": s.email, "scope": gcsScope, "aud": s.address, "iat": now.Unix(), "exp": now.Add(tokenLife).Unix(),
	})
	if err != nil {
		return "", err
	}
	text := base64.RawURLEncoding.EncodeToString(head) + "." + base64.RawURLEncoding.EncodeToString(body)
	digest := sha256.Sum256([]byte(text))
	signature, err := rsa.SignPKCS1v15(rand.Reader, s.key, crypto.SHA256, digest[:])
	if err != nil {
		return "", err
	}
	return text + "." + base64.RawURLEncoding.EncodeToString(signature), nil
}
