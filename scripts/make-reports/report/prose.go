package report

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// figure is one line of the income statement; before is the amount of the same quarter a year ago.
type figure struct {
	label       string
	now, before float64
}

func (r Report) figures() []figure {
	fs := []figure{{"Revenue", r.Revenue, 0}, {"Cost of sales", r.GrossProfit - r.Revenue, 0}, {"Gross profit", r.GrossProfit, 0},
		{"Operating income", r.OperatingIncome, 0}, {"Net income", r.NetIncome, 0}}
	for i := range fs {
		fs[i].before = fs[i].now * (0.88 + 0.03*float64(i)) // a year ago everything was a little smaller
	}
	return fs
}

// title is the sentence by which a reader, or a regular expression, knows what the document is.
func (r Report) title() string {
	return fmt.Sprintf("Quarterly report of %s for %s %s", r.Company, r.Quarter, r.Year)
}

// published gives the day the report came out, in a layout of package time: the 23rd of the month after the quarter.
func (r Report) published(format string) string {
	year, _ := strconv.Atoi(r.Year)
	quarter, _ := strconv.Atoi(r.Quarter[1:])
	return time.Date(year, time.Month(3*quarter+1), 23, 0, 0, 0, 0, time.UTC).Format(format)
}

// amount writes 1284.5 as "1,284.5" and, as accountants do, -3.4 as "(3.4)".
func amount(v float64) string {
	s := strconv.FormatFloat(max(v, -v), 'f', 1, 64)
	for i := len(s) - 5; i > 0; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	if v < 0 {
		return "(" + s + ")"
	}
	return s
}

var topics = []string{"Market", "Operations", "People", "Investments", "Financing", "Suppliers", "Safety", "Research", "Risks", "Outlook"}

// paragraph invents four sentences. The same n gives the same words, neighbouring ones give others. None of them holds a
// figure's name with an amount after it: those are told once, where the report tells them.
func paragraph(n int) string {
	var out []string
	for i := range 4 {
		k := 4*n + i
		out = append(out, subjects[k%len(subjects)]+" "+verbs[(k/3+5*i)%len(verbs)]+" "+reasons[(n+3*i)%len(reasons)]+".")
	}
	return strings.Join(out, " ")
}

var (
	subjects = []string{"Order intake in the northern region", "The service business", "Demand from public customers", "Our largest plant",
		"Capacity utilisation", "The programme for lower energy use", "Staff turnover", "Working capital", "The order backlog",
		"Delivery performance", "Spending on maintenance"}
	verbs = []string{"developed as the board had expected", "was ahead of the same quarter last year", "stayed within the range given in spring",
		"improved for the third quarter in a row", "was held back in the first weeks", "recovered towards the end of the period",
		"changed little"}
	reasons = []string{"helped by longer contracts", "in spite of higher freight rates", "as new sites came into use",
		"after a slow start in the south", "while prices for materials eased", "thanks to careful planning",
		"although two projects were moved to next year", "because fewer days were lost to weather"}
)
