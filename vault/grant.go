package vault

import (
	"encoding/json"
	"fmt"
	"time"

	"github.com/nats-io/nkeys"
)

// grantLife is how long a sealed answer may be opened: a node asks and opens within one exchange.
const grantLife = 2 * time.Minute

// Request is a node's question for the secrets of a bundle it holds.
type Request struct {
	Run    string `json:"run"`
	Bundle string `json:"bundle"`
	Seq    uint64 `json:"seq"` // of the bundle in its stream, as the delivery says
	Step   string `json:"step"`
	Node   string `json:"node"`
	Key    string `json:"key"` // the node's public X25519 key
}

// Answer is what a step may know: the values of its secrets, by name, and of those that have none the reason why.
type Answer struct {
	Values map[string]string `json:"values"`
	Lacks  map[string]string `json:"lacks,omitempty"`
}

// Lack notes why a secret has no value.
func (a *Answer) Lack(name, why string) {
	if a.Lacks == nil {
		a.Lacks = map[string]string{}
	}
	a.Lacks[name] = why
}

// Grant is what travels back: the answer for one step of one run, for one node, for a short time. It is sealed to the node's
// key.
type Grant struct {
	Request
	Answer
	Expires time.Time `json:"expires"`
}

// Keys is a node's key pair; it lives as long as the process.
type Keys struct{ pair nkeys.KeyPair }

// NewKeys makes a key pair.
func NewKeys() (*Keys, error) {
	pair, err := nkeys.CreateCurveKeys()
	if err != nil {
		return nil, fmt.Errorf("make a key pair: %w", err)
	}
	return &Keys{pair}, nil
}

// Public is the key to seal to.
func (k *Keys) Public() string {
	pub, _ := k.pair.PublicKey() // only a wiped pair fails
	return pub
}

// SealTo seals a grant so that only the node that asked can open it. The gateway's own pair is made for this one answer.
func SealTo(r Request, a Answer, now time.Time) (sender string, box []byte, err error) {
	if !nkeys.IsValidPublicCurveKey(r.Key) {
		return "", nil, fmt.Errorf("node %s sent no usable key", r.Node)
	}
	pair, err := nkeys.CreateCurveKeys()
	if err != nil {
		return "", nil, fmt.Errorf("make a key pair: %w", err)
	}
	defer pair.Wipe()
	plain, err := json.Marshal(Grant{Request: r, Answer: a, Expires: now.Add(grantLife)})
	if err != nil {
		return "", nil, err
	}
	if sender, err = pair.PublicKey(); err != nil {
		return "", nil, err
	}
	box, err = pair.Seal(plain, r.Key)
	return sender, box, err
}

// Open opens the answer to a request. An answer to another request, or an old one, is ErrOpen.
func (k *Keys) Open(r Request, sender string, box []byte, now time.Time) (*Answer, error) {
	plain, err := k.pair.Open(box, sender)
	if err != nil {
		return nil, ErrOpen
	}
	var g Grant
	if err := json.Unmarshal(plain, &g); err != nil || g.Request != r || now.After(g.Expires) {
		return nil, ErrOpen
	}
	return &g.Answer, nil
}
