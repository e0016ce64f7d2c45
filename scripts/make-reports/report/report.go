// Package report invents a dozen quarterly financial reports and writes them as PDF files, for the example in
// examples/quarterly-reports and for tests that want real documents with known figures.
//
//	All() ──Report──► layout (letter, table, newsletter …) ──document──► PDF bytes
//
// The same bytes come out at every call. It is no PDF library: it writes what these reports need and reads nothing.
package report

import (
	"fmt"
	"os"
	"path/filepath"
)

// Report is one report and the figures that a reader should find in it. Amounts are in millions of the currency, with
// one decimal.
type Report struct {
	File     string // "q2-2025-copperline-rail.pdf"
	Company  string
	Quarter  string // "Q1" to "Q4"
	Year     string
	Currency string // ISO code

	Revenue, GrossProfit, OperatingIncome, NetIncome float64

	Pages   int
	Damaged bool // no reader can open it; Pages and figures are those it had before

	layout   layout
	compress bool
	words    int // which of its layout's paragraphs it begins with
}

// All gives the twelve reports, in the order of their file names. One of them is damaged.
func All() []Report {
	return []Report{
		{File: "q1-2025-aurora-foods.pdf", Company: "Aurora Foods Inc.", Quarter: "Q1", Year: "2025", Currency: "USD",
			Revenue: 1284.5, GrossProfit: 412.8, OperatingIncome: 158.3, NetIncome: 117.6, Pages: 1, layout: letter},
		{File: "q1-2025-baerenfeld-soehne.pdf", Company: "Bärenfeld & Söhne AG", Quarter: "Q1", Year: "2025", Currency: "EUR",
			Revenue: 86.4, GrossProfit: 31.9, OperatingIncome: 9.7, NetIncome: 6.2, Pages: 3, layout: table},
		{File: "q2-2025-copperline-rail.pdf", Company: "Copperline Rail Corporation", Quarter: "Q2", Year: "2025", Currency: "USD",
			Revenue: 3975.1, GrossProfit: 1460.6, OperatingIncome: 702.4, NetIncome: 488.9, Pages: 2, layout: newsletter, compress: true},
		{File: "q2-2025-dunmore-textiles.pdf", Company: "Dunmore Textiles Ltd", Quarter: "Q2", Year: "2025", Currency: "GBP",
			Revenue: 54.3, GrossProfit: 17.2, OperatingIncome: -1.8, NetIncome: -3.4, Pages: 1, layout: typewriter},
		{File: "q2-2025-estuary-water.pdf", Company: "Estuary Water (Holdings) plc", Quarter: "Q2", Year: "2025", Currency: "GBP",
			Revenue: 641.7, GrossProfit: 288.1, OperatingIncome: 174.5, NetIncome: 96.3, Pages: 12, layout: book, compress: true},
		{File: "q3-2025-fjordlys-energi.pdf", Company: "Fjordlys Energi Tromsø ASA", Quarter: "Q3", Year: "2025", Currency: "NOK",
			Revenue: 12508.2, GrossProfit: 5119.4, OperatingIncome: 2870.6, NetIncome: 1942.7, Pages: 4, layout: wide},
		{File: "q3-2025-glasshouse-robotics.pdf", Company: "Glasshouse Robotics Inc.", Quarter: "Q3", Year: "2025", Currency: "USD",
			Revenue: 219.8, GrossProfit: 121.5, OperatingIncome: 14.2, NetIncome: 8.8, Pages: 40, layout: book, compress: true},
		{File: "q3-2025-halden-marine.pdf", Company: "Halden Marine ASA", Quarter: "Q3", Year: "2025", Currency: "NOK",
			Revenue: 2044.9, GrossProfit: 583.6, OperatingIncome: 201.7, NetIncome: 133.5, Pages: 5, layout: table, compress: true, Damaged: true},
		{File: "q3-2025-societe-lumiere.pdf", Company: "Société Lumière d’Été", Quarter: "Q3", Year: "2025", Currency: "EUR",
			Revenue: 330.6, GrossProfit: 149.9, OperatingIncome: 61.3, NetIncome: 40.1, Pages: 6, layout: typewriter, compress: true},
		{File: "q4-2024-ironbark-timber.pdf", Company: "Ironbark Timber Pty Ltd", Quarter: "Q4", Year: "2024", Currency: "AUD",
			Revenue: 467.2, GrossProfit: 139.7, OperatingIncome: 48.6, NetIncome: 30.5, Pages: 2, layout: table},
		{File: "q4-2024-juniper-health.pdf", Company: "Juniper Health Group", Quarter: "Q4", Year: "2024", Currency: "USD",
			Revenue: 7790.3, GrossProfit: 2618.4, OperatingIncome: 940.9, NetIncome: 655.2, Pages: 5, layout: newsletter},
		{File: "q4-2024-kestrel-aviation.pdf", Company: "Kestrel Aviation S.p.A.", Quarter: "Q4", Year: "2024", Currency: "EUR",
			Revenue: 1016.8, GrossProfit: 204.3, OperatingIncome: -37.5, NetIncome: -62.1, Pages: 2, layout: letter, compress: true},
	}
}

// Expected is the object that examples/quarterly-reports makes of the report; nil of the damaged one.
func (r Report) Expected() map[string]any {
	if r.Damaged {
		return nil
	}
	return map[string]any{"company": r.Company, "quarter": r.Quarter, "year": r.Year, "revenue": r.Revenue, "net-income": r.NetIncome,
		"gross-profit": r.GrossProfit, "operating-income": r.OperatingIncome, "file": r.File}
}

// PDF gives the file's bytes.
func (r Report) PDF() []byte {
	title := r.title()
	pdf := r.layout(r).bytes(title, r.Company, "D:"+r.published("20060102")+"080000Z")
	if r.Damaged {
		// Half a file, without catalog and cross-reference table, and no header that says it is a PDF.
		pdf = append([]byte("%PXF-?.?"), pdf[len("%PDF-1.4"):len(pdf)/2]...)
	}
	return pdf
}

// Write puts all reports into the folder dir, which it makes where it is missing. A file is there whole or not at all.
func Write(dir string) error { return WriteAll(dir, All()) }

// WriteAll is Write for other reports.
func WriteAll(dir string, all []Report) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return fmt.Errorf("make the folder for the reports: %w", err)
	}
	for _, r := range all {
		if err := writeWhole(filepath.Join(dir, r.File), r.PDF()); err != nil {
			return fmt.Errorf("write report %s: %w", r.File, err)
		}
	}
	return nil
}

// writeWhole writes beside the file and then renames, so that nobody sees half of it. The name it writes under does not
// end in .pdf: a cluster that lists the folder meanwhile leaves it out.
func writeWhole(path string, data []byte) error {
	f, err := os.CreateTemp(filepath.Dir(path), ".report-*.tmp")
	if err != nil {
		return err
	}
	defer os.Remove(f.Name()) // nothing is left to remove after the rename
	_, err = f.Write(data)
	if e := f.Chmod(0o644); err == nil {
		err = e
	}
	if e := f.Close(); err == nil {
		err = e
	}
	if err != nil {
		return err
	}
	return os.Rename(f.Name(), path)
}
