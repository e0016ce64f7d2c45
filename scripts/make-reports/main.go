// Command make-reports writes the PDF files that the example in examples/quarterly-reports reads: a dozen quarterly
// reports of companies that do not exist, one of them damaged. They are the same at every run.
//
//	go run ./scripts/make-reports -out examples/quarterly-reports/reports
//	go run ./scripts/make-reports -out many -many 300        as many as a measurement wants
package main

import (
	"flag"
	"fmt"
	"os"

	"github.com/exospherehost/orbit/scripts/make-reports/report"
)

func main() {
	out := flag.String("out", "", "folder to write the reports to (required); made where it is missing")
	many := flag.Int("many", 0, "write so many other reports instead, none of them damaged")
	flag.Parse()
	if *out == "" || *many < 0 || flag.NArg() > 0 {
		flag.Usage()
		os.Exit(2)
	}
	all := report.All()
	if *many > 0 {
		all = report.Many(*many)
	}
	if err := report.WriteAll(*out, all); err != nil {
		fmt.Fprintf(os.Stderr, "make-reports: %v\n", err)
		os.Exit(1)
	}
	fmt.Fprintf(os.Stderr, "wrote %d reports to %s\n", len(all), *out)
}
