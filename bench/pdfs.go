package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"time"

	"github.com/rs/zerolog"

	"github.com/exospherehost/orbit"
	"github.com/exospherehost/orbit/satellite"
	"github.com/exospherehost/orbit/satellite/files"
	"github.com/exospherehost/orbit/satellite/pdf"
	"github.com/exospherehost/orbit/scripts/make-reports/report"
)

// pdftotext is the program of poppler-utils that the reader is compared with.
const pdftotext = "pdftotext"

// pdfs measures how many PDF files one core reads a second: by the satellite in a process that is warm, and by pdftotext, a
// process for each file, which is how it is used. Both give the text of the same files. What a process costs that reads none is
// told beside. Where the program is missing, the satellite is measured alone.
func pdfs(ctx context.Context, b *bench) ([]row, error) {
	all := report.Many(max(11, b.size(220)))
	dir := filepath.Join(b.dir, "pdfs")
	if err := report.WriteAll(dir, all); err != nil {
		return nil, err
	}
	program, err := exec.LookPath(pdftotext)
	if err != nil {
		b.say("  there is no %s here to compare with; poppler-utils has it", pdftotext)
	}
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1)) // one core for the reader, what it allocates cleaned up on the same one
	reader, err := newReader(filepath.Join(b.dir, "cache"))
	if err != nil {
		return nil, err
	}
	defer reader.close()
	if _, err := reader.all(ctx, dir, all[:11]); err != nil { // one of each kind: it is warm after that
		return nil, err
	}
	var owns, others, starts []rate
	var ratios, costs, less []float64
	for range b.rounds {
		own, err := reader.all(ctx, dir, all)
		if err != nil {
			return nil, err
		}
		owns = append(owns, own)
		if program == "" {
			b.say("  %d files: %.0f files/s of a core", len(all), own.perCore())
			continue
		}
		other, err := byProcess(ctx, all, func(r report.Report) []string { return []string{program, filepath.Join(dir, r.File), "-"} }, true)
		if err != nil {
			return nil, err
		}
		start, err := byProcess(ctx, all, func(report.Report) []string { return []string{program, "-v"} }, false)
		if err != nil {
			return nil, err
		}
		others, starts = append(others, other), append(starts, start)
		ratios, costs = append(ratios, own.perSecond()/other.perSecond()), append(costs, own.perCore()/other.perCore())
		less = append(less, own.perCore()/rate{bundles: other.bundles, cpu: other.cpu - start.cpu}.perCore())
		b.say("  %d files: orbit %.0f, %s %.0f files/s of a core, ratio %.2f; by the clock %.2f", len(all), own.perCore(), pdftotext, other.perCore(), costs[len(costs)-1], ratios[len(ratios)-1])
	}
	pages, size := 0, 0
	for _, r := range all {
		pages, size = pages+r.Pages, size+len(r.PDF())
	}
	what := fmt.Sprintf("%s PDF files, %s pages, %s", count(float64(len(all))), count(float64(pages)), orbit.Bytes(size))
	own := median(of(owns, rate.perCore))
	rows := []row{{what, "orbit, warm", fmt.Sprintf("%.0f files/s and %s pages/s of a core; %.0f files/s by the clock, one at a time", own, count(own*float64(pages)/float64(len(all))), median(of(owns, rate.perSecond)))}}
	if program == "" {
		return append(rows, row{what, pdftotext, "is not here; install poppler-utils to compare"}), nil
	}
	return append(rows,
		row{what, pdftotext, fmt.Sprintf("%.0f files/s of a core; %.0f files/s by the clock, a process each", median(of(others, rate.perCore)), median(of(others, rate.perSecond)))},
		row{what, "a process alone", fmt.Sprintf("%.1f ms of processor, %.1f ms by the clock", median(of(starts, rate.each))/1000, 1000/median(of(starts, rate.perSecond)))},
		row{what, "ratio", fmt.Sprintf("%.2f (%s) of its files by the processor time, %.2f (%s) by the clock; %.2f (%s) by the processor time without that of starting it",
			median(costs), each(costs), median(ratios), each(ratios), median(less), each(less))}), nil
}

// perCore is how many there are for each second of processor time.
func (r rate) perCore() float64 { return float64(r.bundles) / r.cpu.Seconds() }

// reader is the satellite, in this process.
type reader struct {
	parser *pdf.Parser
	opener *files.Opener
	parse  satellite.Satellite
}

func newReader(cache string) (*reader, error) {
	r := &reader{opener: files.NewOpener(nil)}
	r.parser = pdf.New(pdf.Options{Open: r.opener.Open, CacheDir: cache, Workers: 1})
	for _, s := range r.parser.Satellites() {
		if s.Spec().Name == "exospherehost/parse-pdf-with-docling" {
			r.parse = s
			return r, nil
		}
	}
	return nil, fmt.Errorf("there is no parse-pdf-with-docling")
}

func (r *reader) close() {
	_ = r.parser.Close() // what it still holds goes with the process
	r.opener.Close()
}

// all reads each file, one after the other.
func (r *reader) all(ctx context.Context, dir string, reports []report.Report) (rate, error) {
	runtime.GC() // what came before is not paid for here
	begun, spent := time.Now(), watch(os.Getpid())
	for _, p := range reports {
		inv := &satellite.Invocation{Config: map[string]any{"output-format": "text"}, Input: map[string]any{"file-path": filepath.Join(dir, p.File)}, Log: zerolog.Nop()}
		err := r.parse.Run(ctx, inv, func(o orbit.Object) error {
			v, err := o.Value()
			if err != nil {
				return err
			}
			out, _ := v.(map[string]any)
			text, _ := out["text"].(string)
			if pages, _ := out["pages"].(int); pages != p.Pages || !strings.Contains(text, p.Quarter) {
				return fmt.Errorf("%d pages, want %d", pages, p.Pages)
			}
			return nil
		})
		if err != nil {
			return rate{}, fmt.Errorf("%s: %w", p.File, err)
		}
	}
	return rate{bundles: len(reports), took: time.Since(begun), cpu: spent()}, nil
}

// byProcess runs a program for each file, one after the other.
func byProcess(ctx context.Context, reports []report.Report, command func(report.Report) []string, reads bool) (rate, error) {
	begun := time.Now()
	var cpu time.Duration
	for _, p := range reports {
		words := command(p)
		cmd := exec.CommandContext(ctx, words[0], words[1:]...)
		var text strings.Builder
		if reads {
			cmd.Stdout = &text
		}
		if err := cmd.Run(); err != nil && reads { // asked for its version alone, older ones exit with 99
			return rate{}, fmt.Errorf("%s of %s: %w", pdftotext, p.File, err)
		}
		if reads && !strings.Contains(text.String(), p.Quarter) {
			return rate{}, fmt.Errorf("%s of %s gives no text of it", pdftotext, p.File)
		}
		cpu += cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()
	}
	return rate{bundles: len(reports), took: time.Since(begun), cpu: cpu}, nil
}
