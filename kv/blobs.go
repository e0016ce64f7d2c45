package kv

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/nats-io/nats.go/jetstream"
)

// Blobs stores byte strings under the hash of their content: equal content is stored once, and a name never changes its
// meaning. Nodes and gateways both read and write it.
type Blobs struct {
	js    jetstream.JetStream
	owner string // a run; "": nobody
}

// NewBlobs gives access to the blob store.
func NewBlobs(js jetstream.JetStream) *Blobs { return &Blobs{js: js} }

// Of is the same store for what belongs to one run: the run begins the names of what is stored, so no other run can come
// to name it, and it may be removed with the run. What is stored without an owner is never removed.
func (b *Blobs) Of(run string) *Blobs { return &Blobs{js: b.js, owner: run} }

// The first try of reading a blob may take blobFirst, each further one twice as long, blobLast at most; blobLimit ends them.
const blobFirst, blobLast, blobLimit = 2 * time.Second, 16 * time.Second, 30 * time.Second

// maxGrow bounds the memory that is taken for a blob because its description says that it is so long, in bytes.
const maxGrow = 64 << 20

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
	data, err := readObject(ctx, store, name)
	if errors.Is(err, jetstream.ErrObjectNotFound) {
		return nil, fmt.Errorf("blob %s: %w", name, ErrNotFound)
	}
	if err != nil {
		return nil, fmt.Errorf("read blob %s: %w", name, err)
	}
	return data, nil
}

// readObject reads an object whole, into memory that is as long as the store says that it is.
func readObject(ctx context.Context, store jetstream.ObjectStore, name string) ([]byte, error) {
	object, err := store.Get(ctx, name)
	if err != nil {
		return nil, err
	}
	defer object.Close()
	info, err := object.Info()
	if err != nil {
		return nil, err
	}
	var data bytes.Buffer
	data.Grow(int(min(info.Size, maxGrow)) + bytes.MinRead)
	_, err = data.ReadFrom(object)
	return data.Bytes(), err
}
