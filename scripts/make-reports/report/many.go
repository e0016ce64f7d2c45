package report

import (
	"fmt"
	"strings"
)

// Many invents n reports for measurements: the eleven that can be read, over and over, each time of other companies, with other
// words and up to three pages more. Most have one to six pages, one of eleven has some forty.
func Many(n int) []Report {
	var readable []Report
	for _, r := range All() {
		if !r.Damaged {
			readable = append(readable, r)
		}
	}
	out := make([]Report, n)
	for i := range out {
		r, turn := readable[i%len(readable)], i/len(readable)
		r.File = fmt.Sprintf("%s-%04d.pdf", strings.TrimSuffix(r.File, ".pdf"), i)
		r.Company = fmt.Sprintf("%s No. %d", r.Company, i)
		r.Pages += turn % 4
		r.words = turn
		out[i] = r
	}
	return out
}
