package kv_test

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/exospherehost/orbit/kv"
)

// leaderless answers reads of a bucket as servers do that have not chosen its leader yet; from the n-th on the key is there.
func leaderless(t *testing.T, bucket string, n int64) *nats.Conn {
	t.Helper()
	nc := plain(t)
	var asked atomic.Int64
	_, err := nc.Subscribe("$JS.API.STREAM.MSG.GET.KV_"+bucket, func(m *nats.Msg) {
		answer := `{"error": {"code": 503, "err_code": 10008, "description": "JetStream system temporarily unavailable"}}`
		if asked.Add(1) >= n {
			answer = `{"message": {"seq": 7, "data": "eyJuIjogM30="}}`
		}
		_ = m.Respond([]byte(answer))
	})
	if err != nil {
		t.Fatal(err)
	}
	return nc
}

// plain gives a connection to a server without streams: what a test answers in its place is the only answer.
func plain(t *testing.T) *nats.Conn {
	t.Helper()
	s, err := server.NewServer(&server.Options{ServerName: "plain", DontListen: true, NoSigs: true, NoLog: true})
	if err != nil {
		t.Fatal(err)
	}
	s.Start()
	t.Cleanup(func() { s.Shutdown(); s.WaitForShutdown() })
	nc, err := nats.Connect("", nats.InProcessServer(s))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(nc.Close)
	return nc
}

func TestReadingWaitsForALeader(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		nc := leaderless(t, "soon", 4)
		if v, rev, err := kv.Open[doc](nc, nil, "soon").Get(t.Context(), "a"); err != nil || rev != 7 || v.N != 3 {
			t.Errorf("%+v at %d: %v", v, rev, err)
		}
	})
}

func TestReadingWithoutALeaderEndsAsATimeOut(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		nc := leaderless(t, "never", 1<<40)
		if _, _, err := kv.Open[doc](nc, nil, "never").Get(t.Context(), "a"); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("%v", err)
		}
	})
}

// replica answers for the blob store as a copy does that knows of no blob, beside a leader that does or does not.
func replica(t *testing.T, leader string) *kv.Blobs {
	t.Helper()
	nc := plain(t)
	for subject, answer := range map[string]string{
		"$JS.API.STREAM.INFO.OBJ_" + kv.BlobsBucket:    `{"config": {"name": "OBJ_orbit_blobs", "allow_direct": true}, "state": {}}`,
		"$JS.API.STREAM.MSG.GET.OBJ_" + kv.BlobsBucket: leader,
	} {
		if _, err := nc.Subscribe(subject, func(m *nats.Msg) { _ = m.Respond([]byte(answer)) }); err != nil {
			t.Fatal(err)
		}
	}
	_, err := nc.Subscribe("$JS.API.DIRECT.GET.OBJ_"+kv.BlobsBucket+".>", func(m *nats.Msg) {
		_ = m.RespondMsg(&nats.Msg{Header: nats.Header{"Status": {"404"}, "Description": {"Message Not Found"}}})
	})
	if err != nil {
		t.Fatal(err)
	}
	js, err := jetstream.New(nc)
	if err != nil {
		t.Fatal(err)
	}
	return kv.NewBlobs(js)
}

func TestABlobThatOnlyTheLeaderKnowsIsNotMissing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		blobs := replica(t, `{"message": {"subject": "x", "seq": 1, "data": "e30=", "time": "2026-01-01T00:00:00Z"}}`)
		if _, err := blobs.Get(t.Context(), "some"); err == nil || errors.Is(err, kv.ErrNotFound) {
			t.Errorf("%v", err)
		}
	})
}

func TestABlobThatNobodyKnowsIsMissingAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		blobs, begun := replica(t, `{"error": {"code": 404, "err_code": 10037, "description": "no message found"}}`), time.Now()
		if _, err := blobs.Get(t.Context(), "some"); !errors.Is(err, kv.ErrNotFound) || time.Since(begun) > 0 {
			t.Errorf("after %s: %v", time.Since(begun), err)
		}
	})
}
