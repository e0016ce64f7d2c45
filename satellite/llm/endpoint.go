package llm

import (
	"net"
	"net/http"
	"net/url"
	"sort"
	"strings"
	"sync"
	"time"
)

// SchemaUse says whether an endpoint is asked for answers that fit a schema (response_format json_schema).
type SchemaUse string

// Auto tries, and remembers a refusal: the schema then goes into the prompt.
const (
	Auto   SchemaUse = "auto"
	Always SchemaUse = "always"
	Never  SchemaUse = "never"
)

// Endpoint is a server that speaks the chat completions of OpenAI, and what is known of it.
type Endpoint struct {
	URL         string            // the base, such as http://127.0.0.1:8000/v1
	Model       string            // the model's name there; "": the satellite's, without its project
	Key         string            // sent as a bearer token; "": none
	Headers     map[string]string // sent with each request
	Concurrency int               // requests at once; 0: DefaultConcurrency
	Context     int               // tokens of prompt and answer together; 0: as the server says when it refuses
	Schema      SchemaUse         // "": Auto
	Idle        time.Duration     // an answer of which no byte has come for so long is given up; 0: DefaultIdle
}

const (
	// DefaultConcurrency is what a server on one card takes well: batches of 16 cost each answer little of its pace.
	DefaultConcurrency = 16
	// DefaultIdle is longer than a long prompt takes to be read, and than a full server lets a request wait.
	DefaultIdle = time.Minute
)

func (e Endpoint) withDefaults(model string) Endpoint {
	if e.Model == "" {
		e.Model = model
	}
	if e.Concurrency <= 0 {
		e.Concurrency = DefaultConcurrency
	}
	if e.Schema == "" {
		e.Schema = Auto
	}
	if e.Idle <= 0 {
		e.Idle = DefaultIdle
	}
	return e
}

// chat is where requests go. A query of the base, as some services want for their version, stays.
func (e Endpoint) chat() (*url.URL, error) {
	base, err := url.Parse(e.URL)
	if err != nil {
		return nil, err
	}
	return base.JoinPath("chat", "completions"), nil
}

// place is the base without what may be secret in it.
func (e Endpoint) place() string {
	base, err := url.Parse(e.URL)
	if err != nil {
		return "its endpoint"
	}
	return (&url.URL{Scheme: base.Scheme, Host: base.Host, Path: base.Path}).String()
}

// mask replaces the endpoint's credentials. Some servers repeat a wrong key in their answer.
func (e Endpoint) mask() *strings.Replacer {
	values := []string{e.Key}
	for _, v := range e.Headers {
		values = append(values, v)
		if _, token, ok := strings.Cut(v, " "); ok { // "Bearer …"
			values = append(values, token)
		}
	}
	sort.Slice(values, func(i, j int) bool { return len(values[i]) > len(values[j]) }) // the longest first: it may hold another
	var pairs []string
	for _, v := range values {
		if len(v) >= 4 { // less is no secret, and stands in every sentence
			pairs = append(pairs, v, "***")
		}
	}
	return strings.NewReplacer(pairs...)
}

// learned is what the server's answers have told of it. It is kept for the life of the node: a server that is replaced by
// another kind under the same address needs a new start to be asked again.
type learned struct {
	mu              sync.Mutex
	noStreamOptions bool            // it refuses stream_options
	newLimit        bool            // it wants max_completion_tokens for max_tokens
	noSchema        bool            // it refuses response_format
	noSchemas       map[string]bool // schemas that it cannot enforce
	context         int             // tokens of prompt and answer together; 0: not known
	most            int             // tokens of an answer at most; 0: not known
	perByte         float64         // most tokens that a byte of a long prompt has taken; 0: not known
}

// newClient makes a client that keeps a connection for each request at once. It follows no redirect: a POST would become a
// GET, and the key would go to another host.
func newClient(connections int) *http.Client {
	return &http.Client{
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		Transport: &http.Transport{
			Proxy:               http.ProxyFromEnvironment,
			DialContext:         (&net.Dialer{Timeout: 10 * time.Second, KeepAlive: 30 * time.Second}).DialContext,
			ForceAttemptHTTP2:   true,
			TLSHandshakeTimeout: 10 * time.Second,
			MaxIdleConnsPerHost: connections,
			IdleConnTimeout:     90 * time.Second,
		},
	}
}
