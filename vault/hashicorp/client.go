// Package hashicorp reads secrets from a HashiCorp Vault: the KV engine, version 2, over its HTTP API.
//
//	{vault: NAME} of project/cluster ──► GET <address>/v1/<mount>/data/<project>/<NAME> ──► field `value`
//
// It owns the login and a cache of seconds, in memory. It refuses to write anything, there or here.
package hashicorp

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/url"
	"os"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/exospherehost/orbit"
)

const (
	// valueLife is how long what was read is believed: a changed secret takes effect within it, and the node's own minute.
	valueLife = 15 * time.Second
	// maxValues bounds the cache.
	maxValues = 1024
	// requestTime bounds one request: a node waits five seconds for its answer.
	requestTime = 3 * time.Second
	// maxAnswer bounds what is read of an answer; Vault itself takes 1 MiB at most.
	maxAnswer = 2 << 20
	// defaultField is what is read of a secret that names none.
	defaultField = "value"
)

// Options say where the Vault is and how to log in. Tokens and ids stand in files, or in the environment.
type Options struct {
	Address   string   `yaml:"address,omitempty"`    // https://vault.example.com:8200; empty: there is none
	Mount     string   `yaml:"mount,omitempty"`      // of the KV engine; "secret" by default
	Namespace string   `yaml:"namespace,omitempty"`  // of Vault Enterprise
	TokenFile string   `yaml:"token-file,omitempty"` // read again for each request: an agent may renew it
	AppRole   *AppRole `yaml:"approle,omitempty"`    // instead of a token
	CAFile    string   `yaml:"ca-file,omitempty"`    // certificates that are trusted; the system's by default
}

// AppRole is a login by role.
type AppRole struct {
	Mount        string `yaml:"mount,omitempty"`          // "approle" by default
	RoleID       string `yaml:"role-id,omitempty"`        // no secret by itself
	SecretIDFile string `yaml:"secret-id-file,omitempty"` // read at each login
}

// Client reads secrets. It is safe for concurrent use.
type Client struct {
	o     Options
	base  string
	token func() string // of the environment
	http  *http.Client

	mu     sync.Mutex
	login  login
	values map[string]read // by path
}

// login is what an AppRole got.
type login struct {
	token string
	ends  time.Time // when it is renewed; zero: never
}

// read is a secret as it was read: its fields.
type read struct {
	fields map[string]any
	at     time.Time
}

// New makes a client. It asks nothing of the Vault yet; the error is a sentence about the options. token gives the token of
// the environment, where the options name no login.
func New(o Options, token func() string) (*Client, error) {
	u, err := url.Parse(o.Address)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" || u.User != nil || u.RawQuery != "" {
		return nil, fmt.Errorf("vault: %q is no address of a HashiCorp Vault; write it like https://vault.example.com:8200", o.Address)
	}
	if o.Mount = strings.Trim(o.Mount, "/"); o.Mount == "" {
		o.Mount = "secret"
	}
	if o.AppRole != nil {
		role := *o.AppRole
		if role.Mount = strings.Trim(role.Mount, "/"); role.Mount == "" {
			role.Mount = "approle"
		}
		o.AppRole = &role
		if o.TokenFile != "" {
			return nil, errors.New("vault: token-file and approle are both given; keep one of them")
		}
		if role.RoleID == "" || role.SecretIDFile == "" {
			return nil, errors.New("vault: approle needs role-id and secret-id-file")
		}
	} else if o.TokenFile == "" && token() == "" {
		return nil, errors.New("vault: there is no login; give token-file or approle, or VAULT_TOKEN in the environment")
	}
	t := http.DefaultTransport.(*http.Transport).Clone()
	if o.CAFile != "" {
		text, err := os.ReadFile(o.CAFile)
		if err != nil {
			return nil, fmt.Errorf("vault: the file of certificates %s cannot be read: %w", o.CAFile, errors.Unwrap(err))
		}
		pool := x509.NewCertPool()
		if !pool.AppendCertsFromPEM(text) {
			return nil, fmt.Errorf("vault: the file %s holds no certificate in PEM", o.CAFile)
		}
		t.TLSClientConfig = &tls.Config{RootCAs: pool, MinVersion: tls.VersionTLS12}
	}
	return &Client{o: o, base: strings.TrimRight(o.Address, "/"), token: token, values: map[string]read{},
		http: &http.Client{Transport: t, Timeout: requestTime, CheckRedirect: sameOrSafer}}, nil
}

// sameOrSafer follows a standby to the active server, and nobody to where the token would travel in the clear.
func sameOrSafer(r *http.Request, via []*http.Request) error {
	if len(via) > 2 || via[0].URL.Scheme == "https" && r.URL.Scheme != "https" {
		return http.ErrUseLastResponse
	}
	return nil
}

// String names the Vault in a sentence.
func (c *Client) String() string { return "the HashiCorp Vault at " + c.base }

// Close lets go of idle connections.
func (c *Client) Close() { c.http.CloseIdleConnections() }

// Value reads a secret of a project: field `value` at <project>/<name>, or the field that name tells, as in db#password. An
// *orbit.Error that is not retryable says that there is none, or none for us; after any other error it may be asked again.
func (c *Client) Value(ctx context.Context, project, name string) (string, error) {
	path, field, named := strings.Cut(name, "#")
	if !named {
		field = defaultField
	}
	parts := append([]string{project}, strings.Split(path, "/")...)
	for _, p := range parts { // no way leads out of the project
		if p == "" || p == "." || p == ".." || field == "" {
			return "", orbit.Permanent(orbit.CodeSecret, "%q is no path of a secret; write it like name, or folder/name#field", name)
		}
	}
	fields, err := c.secret(ctx, strings.Join(parts, "/"))
	if err != nil {
		return "", err
	}
	at := c.o.Mount + "/" + strings.Join(parts, "/")
	switch v := fields[field].(type) {
	case string:
		return v, nil
	case nil:
		return "", orbit.Permanent(orbit.CodeSecret, "%s has no field %s at %s, whose fields are %s; write NAME#FIELD for another", c, field, at, list(fields))
	case map[string]any, []any:
		return "", orbit.Permanent(orbit.CodeSecret, "the field %s at %s of %s is no text", field, at, c)
	default:
		text, err := json.Marshal(v)
		return string(text), err
	}
}

func list(fields map[string]any) string {
	names := slices.Sorted(maps.Keys(fields))
	if len(names) == 0 {
		return "none"
	}
	return strings.Join(names[:min(len(names), 8)], ", ")
}

// secret gives the fields at a path, as they are or were seconds ago.
func (c *Client) secret(ctx context.Context, path string) (map[string]any, error) {
	c.mu.Lock()
	r, ok := c.values[path]
	c.mu.Unlock()
	if ok && time.Since(r.at) < valueLife {
		return r.fields, nil
	}
	// KV version 2, "Read secret version": https://developer.hashicorp.com/vault/api-docs/secret/kv/kv-v2
	var answer struct {
		Data struct {
			Data map[string]any `json:"data"`
		} `json:"data"`
	}
	target := "/v1/" + escaped(c.o.Mount) + "/data/" + escaped(path)
	status, err := c.authorized(ctx, target, &answer)
	at := c.o.Mount + "/" + path
	switch {
	case err != nil:
		return nil, err
	case status == http.StatusNotFound: // never there, or its latest version is deleted
		return nil, orbit.Permanent(orbit.CodeSecret, "%s has nothing at %s; store it with `vault kv put -mount=%s %s value=-`", c, at, c.o.Mount, path)
	case status == http.StatusForbidden, status == http.StatusUnauthorized:
		return nil, orbit.Permanent(orbit.CodeDenied, "%s does not let the gateway read %s; check its %s, and that its policy allows read on %s/data/%s", c, at, c.means(), c.o.Mount, path)
	case status != http.StatusOK:
		return nil, orbit.Permanent(orbit.CodeSecret, "%s answered %d to the question for %s; check mount, which must be a KV engine of version 2", c, status, at)
	case answer.Data.Data == nil:
		return nil, orbit.Permanent(orbit.CodeSecret, "%s answered without data to the question for %s; check mount, which must be a KV engine of version 2", c, at)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.values) >= maxValues {
		clear(c.values)
	}
	c.values[path] = read{answer.Data.Data, time.Now()}
	return answer.Data.Data, nil
}

// means names the login in a sentence.
func (c *Client) means() string {
	switch {
	case c.o.AppRole != nil:
		return "approle"
	case c.o.TokenFile != "":
		return "token-file"
	}
	return "VAULT_TOKEN"
}

// authorized asks with a token; with that of an AppRole that is refused once more with another.
func (c *Client) authorized(ctx context.Context, target string, out any) (status int, err error) {
	for again := range 2 {
		token, err := c.current(ctx)
		if err != nil {
			return 0, err
		}
		status, err = c.call(ctx, http.MethodGet, target, token, nil, out)
		if err != nil {
			return 0, err
		}
		if status != http.StatusForbidden || c.o.AppRole == nil || again > 0 {
			return status, nil
		}
		c.mu.Lock()
		if c.login.token == token { // it may have been revoked
			c.login = login{}
		}
		c.mu.Unlock()
	}
	return status, nil
}

// current gives a token.
func (c *Client) current(ctx context.Context) (string, error) {
	switch {
	case c.o.TokenFile != "":
		return readSecretFile("token file", c.o.TokenFile)
	case c.o.AppRole == nil:
		return c.token(), nil
	}
	c.mu.Lock()
	l := c.login
	c.mu.Unlock()
	if l.token != "" && (l.ends.IsZero() || time.Now().Before(l.ends)) {
		return l.token, nil
	}
	secretID, err := readSecretFile("secret-id file", c.o.AppRole.SecretIDFile)
	if err != nil {
		return "", err
	}
	body, err := json.Marshal(map[string]string{"role_id": c.o.AppRole.RoleID, "secret_id": secretID})
	if err != nil {
		return "", err
	}
	// "Login with AppRole": https://developer.hashicorp.com/vault/api-docs/auth/approle
	var answer struct {
		Auth struct {
			Token string `json:"client_token"`
			Lease int    `json:"lease_duration"` // seconds; 0: it does not end
		} `json:"auth"`
	}
	status, err := c.call(ctx, http.MethodPost, "/v1/auth/"+escaped(c.o.AppRole.Mount)+"/login", "", body, &answer)
	if err != nil {
		return "", err
	}
	if status != http.StatusOK || answer.Auth.Token == "" {
		return "", orbit.Permanent(orbit.CodeDenied, "%s refuses the login by approle (%d); check role-id and secret-id-file", c, status)
	}
	l = login{token: answer.Auth.Token}
	if answer.Auth.Lease > 0 { // a new login in good time is simpler than a renewal, which ends too
		l.ends = time.Now().Add(time.Duration(answer.Auth.Lease) * time.Second * 2 / 3)
	}
	c.mu.Lock()
	c.login = l
	c.mu.Unlock()
	return l.token, nil
}

// call makes one request. A status is an answer; what may be gone by the next time is an error.
func (c *Client) call(ctx context.Context, method, target, token string, body []byte, out any) (status int, err error) {
	r, err := http.NewRequestWithContext(ctx, method, c.base+target, strings.NewReader(string(body)))
	if err != nil {
		return 0, err
	}
	r.Header.Set("X-Vault-Request", "true") // asked for by servers that guard against requests of browsers
	if token != "" {
		r.Header.Set("X-Vault-Token", token)
	}
	if c.o.Namespace != "" {
		r.Header.Set("X-Vault-Namespace", c.o.Namespace)
	}
	resp, err := c.http.Do(r)
	if err != nil {
		if ctx.Err() != nil {
			return 0, ctx.Err()
		}
		return 0, orbit.Transient(orbit.CodeSecret, "%s does not answer: %s", c, cause(err))
	}
	defer func() { _ = resp.Body.Close() }()
	switch resp.StatusCode {
	case http.StatusRequestTimeout, http.StatusTooEarly, http.StatusTooManyRequests, 472, 473: // the last two: a standby
		return 0, orbit.Transient(orbit.CodeSecret, "%s asks to come again later (%d)", c, resp.StatusCode)
	case http.StatusServiceUnavailable:
		return 0, orbit.Transient(orbit.CodeSecret, "%s is sealed or under maintenance (503); unseal it", c)
	}
	if resp.StatusCode >= 500 || resp.StatusCode/100 == 3 {
		return 0, orbit.Transient(orbit.CodeSecret, "%s answered %d", c, resp.StatusCode)
	}
	text, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer+1))
	if err != nil {
		return 0, orbit.Transient(orbit.CodeSecret, "the answer of %s broke off", c)
	}
	if resp.StatusCode == http.StatusOK && (len(text) > maxAnswer || json.Unmarshal(text, out) != nil) {
		return 0, orbit.Permanent(orbit.CodeSecret, "what %s answers is not that of a HashiCorp Vault; check address", c)
	}
	return resp.StatusCode, nil
}

// cause is the innermost error's text: without the URL, and without the calls that led there.
func cause(err error) string {
	var timeout interface{ Timeout() bool }
	if errors.As(err, &timeout) && timeout.Timeout() {
		return "it took too long"
	}
	for {
		next := errors.Unwrap(err)
		if next == nil {
			return err.Error()
		}
		err = next
	}
}

func readSecretFile(what, file string) (string, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return "", orbit.Permanent(orbit.CodeDenied, "the %s %s of the HashiCorp Vault cannot be read (%s)", what, file, cause(err))
	}
	value := strings.TrimSpace(string(text))
	if value == "" {
		return "", orbit.Permanent(orbit.CodeDenied, "the %s %s of the HashiCorp Vault is empty", what, file)
	}
	return value, nil
}

// escaped escapes each part of a path.
func escaped(path string) string {
	parts := strings.Split(path, "/")
	for i := range parts {
		parts[i] = url.PathEscape(parts[i])
	}
	return strings.Join(parts, "/")
}
