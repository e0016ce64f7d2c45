package streams_test

import (
	"bytes"
	"cmp"
	"errors"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/exospherehost/orbit"
	"github.com/exospherehost/orbit/streams"
)

var consumers = []string{"$JS.ACK.ORBIT_0.cpu_core_1h", "$JS.ACK.ORBIT_7.gpu-24g_llama_24h", "$JS.ACK.hub.A1B2.ORBIT_0.cpu_core_6h"}

func lists() *rapid.Generator[*streams.Holds] {
	lease := rapid.Custom(func(t *rapid.T) streams.Lease {
		return streams.Lease{Consumer: rapid.SampledFrom(consumers).Draw(t, "consumer"), Delivered: rapid.Uint64().Draw(t, "delivered"),
			Seq: rapid.Uint64().Draw(t, "seq"), Order: rapid.Uint64().Draw(t, "order")}
	})
	name := rapid.StringMatching(`[a-z0-9-]{0,20}`)
	return rapid.Custom(func(t *rapid.T) *streams.Holds {
		return &streams.Holds{Node: name.Draw(t, "node"), Life: rapid.Uint64().Draw(t, "life"), Over: rapid.Bool().Draw(t, "over"),
			Keepers: rapid.SliceOfN(name, 0, 3).Draw(t, "keepers"), Leases: rapid.SliceOfN(lease, 0, 50).Draw(t, "leases")}
	})
}

func byNumber(a, b streams.Lease) int {
	return cmp.Or(cmp.Compare(a.Consumer, b.Consumer), cmp.Compare(a.Seq, b.Seq), cmp.Compare(a.Order, b.Order), cmp.Compare(a.Delivered, b.Delivered))
}

func TestAListOfLeasesIsReadAsItWasWritten(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		h := lists().Draw(t, "list")
		got, err := streams.DecodeHolds(h.Encode())
		if err != nil {
			t.Fatal(err)
		}
		want := slices.SortedFunc(slices.Values(h.Leases), byNumber)
		slices.SortFunc(got.Leases, byNumber)
		if got.Node != h.Node || got.Life != h.Life || got.Over != h.Over || !slices.Equal(got.Keepers, h.Keepers) || !slices.Equal(got.Leases, want) {
			t.Errorf("wrote %+v, read %+v", h, got)
		}
	})
}

func TestAListOfAThousandLeasesIsSmallAndTheLongestIsRead(t *testing.T) {
	h := &streams.Holds{Node: "node-1", Life: 1, Keepers: []string{"node-2", "node-3"}}
	for i := range uint64(streams.MaxLeases + 100) {
		h.Leases = append(h.Leases, streams.Lease{Consumer: consumers[i%2], Delivered: 1, Seq: 1_000_000 + 3*i, Order: 2_000_000 + i})
		if i == 999 {
			if size := len(h.Encode()); size > 4096 {
				t.Errorf("a thousand leases are %d bytes", size)
			}
		}
	}
	for i := range h.Leases { // and with numbers that are as large as can be
		got, err := streams.DecodeHolds(h.Encode())
		if err != nil || len(got.Leases) != streams.MaxLeases {
			t.Fatalf("%d leases are read (%v), not %d", len(got.Leases), err, streams.MaxLeases)
		}
		if i == 1 {
			break
		}
		for k := range h.Leases {
			h.Leases[k].Delivered, h.Leases[k].Seq = ^uint64(0), uint64(k)<<53
		}
	}
}

func TestALeaseNamesNothingButAnAckSubject(t *testing.T) {
	for _, consumer := range []string{"", "$JS.ACK.", "$JS.API.STREAM.PURGE", "$JS.ACK.ORBIT_0", "$JS.ACK.ORBIT_0.>", "$JS.ACK.*.x", "$JS.ACK.ORBIT_0.a b", "$JS.ACK..x",
		"$JS.ACK.ORBIT_0.", "orbit.work.a.b", "$JS.ACK.a.b.c", "$JS.ACK.a.b.c.d.e", "$JS.ACK.ORBIT_0.a\r\nPUB"} {
		h := &streams.Holds{Node: "n", Leases: []streams.Lease{{Consumer: consumer, Delivered: 1, Seq: 1, Order: 1}}}
		if got, err := streams.DecodeHolds(h.Encode()); !errors.Is(err, orbit.ErrFrame) {
			t.Errorf("%q is taken for the ack subjects of a consumer: %+v", consumer, got)
		}
	}
}

func TestADeliverysLeaseLeadsToItsAckSubject(t *testing.T) {
	inBubble(t, func(b *bench) {
		b.queues(queue)
		b.work(0)
		p, out := b.pull()
		b.want(p, 1)
		d := came(out)[0]
		l, ok := d.Lease()
		if !ok {
			b.Fatalf("%s is not understood", d.AckSubject())
		}
		if err := b.conn.Publish(l.Subject(), []byte("-NAK")); err != nil {
			b.Fatal(err)
		}
		b.want(p, 1)
		if ds := came(out); len(ds) != 1 || ds[0].Delivered != 2 {
			b.Errorf("handed back by anyone, it comes again at once; %d came", len(ds))
		}
	})
}

func FuzzDecodeHolds(f *testing.F) {
	f.Add((&streams.Holds{Node: "node-1", Life: 7, Keepers: []string{"a", "b"}, Leases: []streams.Lease{{consumers[0], 1, 5, 9}, {consumers[0], 2, 4, 11}, {consumers[1], 1, 1, 1}}}).Encode())
	f.Add((&streams.Holds{Node: "node-1", Life: 7, Over: true}).Encode())
	f.Add([]byte{1, 0xff, 0xff, 0xff, 0xff, 0x0f})
	f.Fuzz(func(t *testing.T, data []byte) {
		h, err := streams.DecodeHolds(data)
		if err != nil {
			if !errors.Is(err, orbit.ErrFrame) {
				t.Errorf("another error: %v", err)
			}
			return
		}
		if len(h.Leases) > streams.MaxLeases {
			t.Errorf("%d leases", len(h.Leases))
		}
		once := h.Encode()
		again, err := streams.DecodeHolds(once)
		if err != nil || !bytes.Equal(again.Encode(), once) {
			t.Errorf("what was read is not read again: %v", err)
		}
	})
}
