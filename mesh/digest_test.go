package mesh

import (
	"errors"
	"reflect"
	"runtime"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func digests() *rapid.Generator[Digest] {
	return rapid.Custom(func(t *rapid.T) Digest {
		return Digest{
			Class: rapid.String().Draw(t, "class"), Version: rapid.String().Draw(t, "version"),
			Pools: rapid.Uint64().Draw(t, "pools"), Inventory: rapid.Uint64().Draw(t, "inventory"),
			FreeGPU:   rapid.SliceOfN(rapid.Int(), 0, 40).Draw(t, "free"),
			FreeCores: rapid.Int().Draw(t, "cores"), Load: rapid.Int().Draw(t, "load"),
			Slots: rapid.Int().Draw(t, "slots"), Busy: rapid.Int().Draw(t, "busy"),
		}
	})
}

func TestNoDigestExceedsTheLimitAndAllAreReadBack(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		d, role := digests().Draw(t, "digest"), rapid.String().Draw(t, "role")
		frame := encodeMeta(role, &d)
		if len(frame) > maxMeta {
			t.Fatalf("%d bytes", len(frame))
		}
		gotRole, got, err := decodeMeta(frame)
		if err != nil || gotRole != cut(role) || got.Pools != d.Pools || got.Inventory != d.Inventory {
			t.Fatalf("read back as %q %+v, %v", gotRole, got, err)
		}
		again := encodeMeta(gotRole, got) // what survived the cuts survives unchanged from here
		if _, twice, _ := decodeMeta(again); !reflect.DeepEqual(got, twice) {
			t.Fatalf("%+v became %+v", got, twice)
		}
	})
}

func TestLargestDigestFitsWithRoom(t *testing.T) {
	d := Digest{Class: strings.Repeat("c", 900), Version: strings.Repeat("v", 900), Pools: 1<<64 - 1, Inventory: 1<<64 - 1,
		FreeCores: 1 << 60, Load: 1 << 60, Slots: 1 << 60, Busy: 1 << 60}
	for range 100 {
		d.FreeGPU = append(d.FreeGPU, 1<<60)
	}
	if n := len(encodeMeta(strings.Repeat("r", 900), &d)); n > maxMeta/2 {
		t.Errorf("%d bytes", n)
	}
}

func TestFreeMemoryIsRoundedDownAndTheFullestDevicesAreDropped(t *testing.T) {
	free := []int{-5, 255, 256, 511}
	for i := range 20 {
		free = append(free, 1000*(i+1))
	}
	_, d, err := decodeMeta(encodeMeta(Node, &Digest{FreeGPU: free}))
	if err != nil || len(d.FreeGPU) != MaxDevices || d.FreeGPU[0] != 19968 || d.FreeGPU[15] != 4864 {
		t.Errorf("%+v, %v", d, err)
	}
}

func TestFieldsOfALaterVersionAreSkipped(t *testing.T) {
	frame := encodeMeta(Node, &Digest{Class: "cpu"})
	frame[0]++ // one more field in the array
	frame = append(frame, 0xc3)
	if _, d, err := decodeMeta(frame); err != nil || d.Class != "cpu" {
		t.Errorf("%+v, %v", d, err)
	}
}

var badFrames = map[string]string{
	"empty":               "",
	"no array":            "\xa3abc",
	"other layout":        "\x92\x02\xa4node",
	"role too long":       "\x92\x01\xdb\xff\xff\xff\xff",
	"role cut off":        "\x92\x01\xa4no",
	"too few fields":      "\x93\x01\xa4node\xa3cpu",
	"array of 4 billion":  "\xdd\xff\xff\xff\xff\x01",
	"4 billion devices":   "\x9b\x01\xa4node\xa3cpu\x00\xdd\xff\xff\xff\xff",
	"more than 512 bytes": "\x92\x01\xa4node" + strings.Repeat("x", 600),
}

func TestUnreadableMetadataIsAnErrorAndNoDigest(t *testing.T) {
	for name, frame := range badFrames {
		if _, d, err := decodeMeta([]byte(frame)); !errors.Is(err, errMeta) || d != nil {
			t.Errorf("%s: %+v, %v", name, d, err)
		}
	}
}

func TestClaimedLengthsAllocateNothing(t *testing.T) {
	for name, frame := range badFrames {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		for range 100 {
			_, _, _ = decodeMeta([]byte(frame))
		}
		runtime.ReadMemStats(&after)
		if each := (after.TotalAlloc - before.TotalAlloc) / 100; each > 8<<10 {
			t.Errorf("%s: %d bytes a frame", name, each)
		}
	}
}

func FuzzDigest(f *testing.F) {
	for _, frame := range badFrames {
		f.Add([]byte(frame))
	}
	f.Add(encodeMeta(Gateway, nil))
	f.Add(encodeMeta(Node, &Digest{Class: "gpu-80g", Pools: 7, FreeGPU: []int{80 << 10, 0}, FreeCores: 3, Load: 150, Slots: 8, Busy: 1, Inventory: 9, Version: "v0.1.0"}))
	f.Fuzz(func(t *testing.T, frame []byte) {
		role, d, err := decodeMeta(frame)
		if err != nil {
			return
		}
		if len(role) > maxText || d != nil && (len(d.FreeGPU) > MaxDevices || len(d.Class) > maxText || len(d.Version) > maxText) {
			t.Fatalf("past the limits: %q %+v", role, d)
		}
		if role2, d2, err := decodeMeta(encodeMeta(role, d)); err != nil || role2 != role || !reflect.DeepEqual(d, d2) {
			t.Fatalf("%q %+v became %q %+v, %v", role, d, role2, d2, err)
		}
	})
}
