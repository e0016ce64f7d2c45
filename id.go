package orbit

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/base32"
	"encoding/binary"
	"strconv"
)

// idLength is the length of an id in characters: 20 × 5 bit = 100 bit, so that among 2^40 ids a collision has odds of
// about one in a million, and an id still fits on a line beside other things.
const idLength = 20

var idEncoding = base32.NewEncoding("0123456789abcdefghjkmnpqrstvwxyz").WithPadding(base32.NoPadding)

// HashID is the deterministic id of the given parts: the same parts give the same id on every machine. Parts are
// length-prefixed before hashing, so ("a", "bc") and ("ab", "c") differ.
func HashID(parts ...string) string {
	buf := make([]byte, 0, 128)
	for _, p := range parts {
		buf = binary.AppendUvarint(buf, uint64(len(p)))
		buf = append(buf, p...)
	}
	sum := sha256.Sum256(buf)
	return encodeID(sum[:])
}

// RandomID is an id that nobody else has.
func RandomID() string {
	var b [16]byte
	_, _ = rand.Read(b[:]) // never fails: crypto/rand aborts the program instead
	return encodeID(b[:])
}

// encodeID writes the first bits of b as an id. Of 15 bytes it takes 12.5: the encoding works on five at a time.
func encodeID(b []byte) string {
	var text [24]byte
	idEncoding.Encode(text[:], b[:15])
	return string(text[:idLength])
}

// ValidID tells whether s has the form of an id; what comes from outside is checked before it becomes part of a subject.
func ValidID(s string) bool {
	if len(s) != idLength {
		return false
	}
	for i := range len(s) {
		c := s[i]
		if (c < '0' || c > '9') && (c < 'a' || c > 'z') {
			return false
		}
	}
	return true
}

// BundleID is the id of the ordinal-th bundle of step that a parent bundle gives birth to. The parent of a root is the
// run id: else two runs of one cluster would share ids, and the second would hang on deduplication.
func BundleID(step, parent string, ordinal int) string {
	return HashID(step, parent, strconv.Itoa(ordinal))
}

// JoinBundleID is the id of the bundle that holds a join's only item of a scope object, whose lineage is the item's.
func JoinBundleID(step, run string, scope Lineage) string {
	return HashID(step, run, string(scope), "join")
}

// FailureBundleID is the id of the bundle that takes an item which has failed for good, as a bundle's record says, to a first
// failure step.
func FailureBundleID(step, bundle, item string) string {
	return HashID(step, bundle, item, "failure")
}

// RoundBundleID is the id of the bundle that holds an item which a later round of its run does again.
func RoundBundleID(step, run string, l Lineage, round int) string {
	return HashID(step, run, string(l), "round", strconv.Itoa(round))
}

// RetryBundleID is the id of the ordinal-th retry bundle that a bundle's record names.
func RetryBundleID(step, bundle string, ordinal int) string {
	return HashID(step, bundle, "retry", strconv.Itoa(ordinal))
}
