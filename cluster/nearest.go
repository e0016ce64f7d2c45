package cluster

import "strings"

// nearest gives the known name that a misspelt one most likely stands for; empty where none is near enough. Of equally
// near ones the first wins.
func nearest(name string, known []string) string {
	best, _ := nearestBy(name, known)
	return best
}

// farOff is the distance of a name that is near to none.
const farOff = 1_000

// nearestBy is nearest with the number of letters in which the two differ.
func nearestBy(name string, known []string) (best string, distance int) {
	name = strings.ToLower(name)
	if len(name) > 100 {
		return "", farOff
	}
	distance = 1 + min(max(1, len(name)/3), len(name)-1) // a name whose every letter differs is another one
	for _, k := range known {
		if d := editDistance(name, strings.ToLower(k), distance); d < distance {
			best, distance = k, d
		}
	}
	if best == "" {
		return sameBeginning(name, known), farOff
	}
	return best, distance
}

// sameBeginning gives the known name that begins like a word for the most part, as retries does for retry.
func sameBeginning(name string, known []string) string {
	best, most := "", max(3, len(name)*2/3)
	for _, k := range known {
		n := 0
		for n < len(name) && n < len(k) && name[n] == k[n] {
			n++
		}
		if n > most {
			best, most = k, n
		}
	}
	return best
}

// editDistance counts the letters to insert, delete, replace or swap with their neighbour; it stops at the limit.
func editDistance(a, b string, limit int) int {
	if abs(len(a)-len(b)) >= limit {
		return limit
	}
	var rows [3][128]int // of most names, so that nothing is allocated
	before, above, row := rows[0][:], rows[1][:], rows[2][:]
	if len(b) >= len(row) {
		before, above, row = make([]int, len(b)+1), make([]int, len(b)+1), make([]int, len(b)+1)
	}
	for j := range len(b) + 1 {
		above[j] = j
	}
	for i := 1; i <= len(a); i++ {
		row[0] = i
		least := i
		for j := 1; j <= len(b); j++ {
			cost := 1
			if a[i-1] == b[j-1] || isSeparator(a[i-1]) && isSeparator(b[j-1]) {
				cost = 0
			}
			row[j] = min(above[j]+1, row[j-1]+1, above[j-1]+cost)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				row[j] = min(row[j], before[j-2]+1)
			}
			least = min(least, row[j])
		}
		if least >= limit {
			return limit
		}
		before, above, row = above, row, before
	}
	return above[len(b)]
}

func isSeparator(c byte) bool { return c == '-' || c == '_' }

func abs(n int) int { return max(n, -n) }

// didYouMean is the hint that names the nearest known name, or else lists what is known.
func didYouMean(name string, known []string) string {
	if n := nearest(name, known); n != "" {
		return "did you mean " + n + "?"
	}
	return listKnown(known)
}

// listKnown is the hint that names what is known, as far as it fits.
func listKnown(known []string) string {
	if len(known) == 0 {
		return ""
	}
	if len(known) > 16 {
		return "known are " + strings.Join(known[:16], ", ") + ", …"
	}
	if len(known) == 1 {
		return "known is only " + known[0]
	}
	return "known are " + strings.Join(known, ", ")
}
