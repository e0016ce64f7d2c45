package vault

import "encoding/binary"

// finder finds many words in a text in one pass: at each place the next four bytes are looked up, and only where a word
// begins with them it is compared. Against an automaton it takes no time to build and no memory to speak of; against
// strings.Replacer it finds words that overlap.
type finder struct {
	begins [1 << 10]uint64     // a bit for each hash of four bytes that a word begins with
	words  map[uint32][]string // by their first four bytes
}

func hash4(w uint32) uint32 { return w * 2654435761 >> 16 }

func newFinder(words []string) *finder {
	f := &finder{words: map[uint32][]string{}}
	seen := map[string]bool{}
	for _, w := range words {
		if len(w) < minMasked || seen[w] {
			continue
		}
		seen[w] = true
		first := binary.LittleEndian.Uint32([]byte(w[:4]))
		h := hash4(first)
		f.begins[h>>6] |= 1 << (h & 63)
		f.words[first] = append(f.words[first], w)
	}
	return f
}

// find calls hit for the longest word at each place where one begins.
func (f *finder) find(s string, hit func(from, to int)) {
	if len(s) < minMasked {
		return
	}
	w := uint32(s[0])<<8 | uint32(s[1])<<16 | uint32(s[2])<<24
	for i := 0; i+4 <= len(s); i++ {
		w = w>>8 | uint32(s[i+3])<<24
		h := hash4(w)
		if f.begins[h>>6]&(1<<(h&63)) == 0 {
			continue
		}
		longest := 0
		for _, word := range f.words[w] {
			if len(word) > longest && len(s)-i >= len(word) && s[i:i+len(word)] == word {
				longest = len(word)
			}
		}
		if longest > 0 {
			hit(i, i+longest)
		}
	}
}
