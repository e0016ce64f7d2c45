package kv

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/nats-io/nats.go/jetstream"
)

// Blobs stores byte strings under the hash of their content: equal content is stored once, and a name never changes its
// meaning. Nodes and gateways both read and write it.
type Blobs struct {
	js jetstream.JetStream
}

// NewBlobs gives access to the blob store.
func NewBlobs(js jetstream.JetStream) *Blobs { return &Blobs{js: js} }

// Put stores data and gives its name. When it returns, the blob is there; dying before leaves pieces without a name,
// which nothing refers to.
func (b *Blobs) Put(ctx context.Context, data []byte) (string, error) {
	sum := sha256.Sum256(data)
	name := hex.EncodeToString(sum[:16])
	store, err := b.js.ObjectStore(ctx, BlobsBucket)
	if err != nil {
		return "", fmt.Errorf("open the blob store: %w", err)
	}
	if info, err := store.GetInfo(ctx, name); err == nil && info.Size == uint64(len(data)) {
		return name, nil
	}
	if _, err := store.PutBytes(ctx, name, data); err != nil {
		return "", fmt.Errorf("store a blob of %d bytes: %w", len(data), err)
	}
	return name, nil
}

// The first try of reading a blob may take blobFirst, each further one twice as long, blobLast at most; blobLimit ends them.
const blobFirst, blobLast, blobLimit = 2 * time.Second, 16 * time.Second, 30 * time.Second

// Get reads a blob whole. ErrNotFound where there is none. Two things call for another try:
//   - Of a blob that two store at once, the object store keeps the pieces of one and removes those of the other, under the
//     hands of whoever is reading them: such a read gets nothing more.
//   - On a replicated store a copy that lags may be asked, and know nothing yet of what was stored a moment ago.
func (b *Blobs) Get(ctx context.Context, name string) ([]byte, error) {
	begun, pause := time.Now(), 50*time.Millisecond
	for wait := blobFirst; ; wait = min(2*wait, blobLast) {
		data, err := b.get(ctx, name, wait)
		if errors.Is(err, ErrNotFound) && b.there(ctx, name) {
			err = fmt.Errorf("read blob %s: the copy that was asked has not got it yet", name)
		}
		if err == nil || errors.Is(err, ErrNotFound) || time.Since(begun)+wait > blobLimit || ctx.Err() != nil {
			return data, err
		}
		select {
		case <-time.After(pause):
			pause = min(2*pause, 2*time.Second)
		case <-ctx.Done():
		}
	}
}

// there asks the leader of the store for a blob's name. Where it does not answer, nothing is known, and the answer is yes.
func (b *Blobs) there(ctx context.Context, name string) bool {
	ctx, cancel := context.WithTimeout(ctx, getLimit)
	defer cancel()
	body, err := json.Marshal(map[string]string{"last_by_subj": "$O." + BlobsBucket + ".M." + base64.URLEncoding.EncodeToString([]byte(name))})
	if err != nil {
		return true
	}
	m, err := b.js.Conn().RequestWithContext(ctx, "$JS.API.STREAM.MSG.GET.OBJ_"+BlobsBucket, body)
	if err != nil {
		return true
	}
	var answer struct {
		Error *struct {
			Code int `json:"err_code"`
		} `json:"error"`
	}
	return json.Unmarshal(m.Data, &answer) != nil || answer.Error == nil || answer.Error.Code != codeNotFound
}

func (b *Blobs) get(ctx context.Context, name string, wait time.Duration) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, wait)
	defer cancel()
	store, err := b.js.ObjectStore(ctx, BlobsBucket)
	if err != nil {
		return nil, fmt.Errorf("open the blob store: %w", err)
	}
	data, err := store.GetBytes(ctx, name)
	if errors.Is(err, jetstream.ErrObjectNotFound) {
		return nil, fmt.Errorf("blob %s: %w", name, ErrNotFound)
	}
	if err != nil {
		return nil, fmt.Errorf("read blob %s: %w", name, err)
	}
	return data, nil
}
