package backup

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"testing"
	"time"
)

// whole is a backup with every kind of part.
func whole(t testing.TB) []byte {
	t.Helper()
	var out bytes.Buffer
	w, err := NewWriter(&out, Header{Created: time.Unix(1700000000, 0).UTC(), Version: "v", Partitions: 1, Queues: json.RawMessage(`[]`)})
	if err != nil {
		t.Fatal(err)
	}
	err = errors.Join(w.Stream(Stream{Name: "A", Config: json.RawMessage(`{}`), State: json.RawMessage(`{}`)}), w.Piece([]byte("some bytes")),
		w.Message(Message{Subject: "a.b", Data: []byte{0, 1}}), w.Close())
	if err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func TestBackupIsReadAsItWasWritten(t *testing.T) {
	r, err := NewReader(bytes.NewReader(whole(t)))
	if err != nil || r.Header.Version != "v" {
		t.Fatalf("%+v, %v", r, err)
	}
	got := ""
	for {
		k, body, err := r.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		got += string(k) + string(body) + " "
	}
	if want := `S{"name":"A","config":{},"state":{}} Psome bytes M{"subject":"a.b","data":"AAE="} `; got != want {
		t.Errorf("read %s, want %s", got, want)
	}
}

func TestEveryCutAndEveryFlippedBitIsNoticed(t *testing.T) {
	data := whole(t)
	for n := range data {
		if _, err := Check(bytes.NewReader(data[:n])); err == nil {
			t.Errorf("cut off after %d of %d bytes, it is whole", n, len(data))
		}
	}
	for i := range data {
		for bit := range 8 {
			bad := bytes.Clone(data)
			bad[i] ^= 1 << bit
			if _, err := Check(bytes.NewReader(bad)); err == nil {
				t.Errorf("with bit %d of byte %d flipped, it is whole", bit, i)
			}
		}
	}
	if _, err := Check(bytes.NewReader(append(bytes.Clone(data), 0))); !errors.Is(err, ErrDamaged) {
		t.Errorf("with something behind its end: %v", err)
	}
	for _, text := range []string{"", "hello", "version: 0.0.1b\ncluster:\n"} {
		if _, err := Check(bytes.NewReader([]byte(text))); !errors.Is(err, ErrNoBackup) {
			t.Errorf("%q: %v", text, err)
		}
	}
}

func FuzzReader(f *testing.F) {
	f.Add(whole(f))
	f.Fuzz(func(_ *testing.T, data []byte) { _, _ = Check(bytes.NewReader(data)) })
}
