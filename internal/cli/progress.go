package cli

import (
	"fmt"
	"io"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/exospherehost/orbit"
)

// snapshot is how a run stood at a time.
type snapshot struct {
	At  time.Time
	Run *orbit.Run
}

// progress shows snapshots as they come: on a terminal as a block that is written over, elsewhere as lines.
type progress struct {
	w      io.Writer
	live   bool
	window []snapshot // of the last rateWindow, oldest first
	drawn  int        // lines of the block on the screen
	said   string     // the last line, without its time
	saidAt time.Time
}

const (
	rateWindow = 10 * time.Second // rates are those of this time: long enough to be calm, short enough to be true
	lineEvery  = 2 * time.Second  // at most one line in this time, where lines are written: logs stay readable
)

func (a *app) newProgress() *progress {
	return &progress{w: a.stderr, live: isTerminal(a.stderr) && a.variable("TERM") != "dumb"}
}

// show takes the next snapshot.
func (p *progress) show(s snapshot) {
	p.window = append(p.window, s)
	for len(p.window) > 2 && s.At.Sub(p.window[0].At) > rateWindow {
		p.window = p.window[1:]
	}
	first := p.window[0]
	if p.live {
		columns, rows := windowSize(p.w)
		p.draw(progressBlock(first, s, columns-1, rows-2)) // the last column and the prompt's line stay free
		return
	}
	line := progressLine(s)
	if line == p.said || (!p.saidAt.IsZero() && s.At.Sub(p.saidAt) < lineEvery) {
		return
	}
	p.said, p.saidAt = line, s.At
	_, _ = fmt.Fprintln(p.w, line+pace(first, s))
}

// draw writes a block over the last one.
func (p *progress) draw(lines []string) {
	var b strings.Builder
	if p.drawn > 0 {
		fmt.Fprintf(&b, "\x1b[%dA\x1b[J", p.drawn) // up, and clear to the end of the screen
	}
	for _, line := range lines {
		b.WriteString(line + "\n")
	}
	p.drawn = len(lines)
	_, _ = io.WriteString(p.w, b.String())
}

// clear takes the block off the screen.
func (p *progress) clear() {
	if p.drawn > 0 {
		p.draw(nil)
	}
}

// progressLine says in a line how a run stands: "running: get-files 1/1, parse-pdf 5/12 (1 failed)". Satellites that have no
// items yet are left out.
func progressLine(s snapshot) string {
	var parts []string
	for _, sat := range s.Run.Satellites {
		n := countItems([]orbit.RunSatellite{sat})
		if n.total == 0 {
			continue
		}
		part := sat.Identifier + " " + share(n)
		if n.failed > 0 {
			part += fmt.Sprintf(" (%d failed)", n.failed)
		}
		parts = append(parts, part)
	}
	if len(parts) == 0 {
		return string(s.Run.State)
	}
	return string(s.Run.State) + ": " + strings.Join(parts, ", ")
}

// progressBlock says in lines how a run stands: the run, then each satellite with its share, failures, rate and time left.
// Rates are those between the two snapshots. Of more lines than rows, satellites that have nothing to do are left out.
func progressBlock(first, s snapshot, columns, rows int) []string {
	r := s.Run
	n := countItems(r.Satellites)
	head := fmt.Sprintf("%s %s  %s items  %s", r.Cluster, r.State, share(n), shortDuration(s.At.Sub(r.CreatedAt)))
	if r.DeadlineMissed {
		head += "  deadline missed"
	}
	lines := []string{head}
	name := 0
	for _, sat := range r.Satellites {
		name = max(name, utf8.RuneCountInString(sat.Identifier))
	}
	hidden := 0
	tight := len(r.Satellites)+1 > rows
	for i, sat := range r.Satellites {
		n := countItems([]orbit.RunSatellite{sat})
		if tight && (n.done == n.total || len(lines) >= rows-1) {
			hidden++
			continue
		}
		line := fmt.Sprintf("  %-*s  %9s", name, sat.Identifier, share(n))
		if n.failed > 0 {
			line += fmt.Sprintf("  %d failed", n.failed)
		}
		if retrying := sat.Items.Of(orbit.ItemRetrying); retrying > 0 {
			line += fmt.Sprintf("  %d to be tried again", retrying)
		}
		if i < len(first.Run.Satellites) {
			line += rate(countItems(first.Run.Satellites[i:i+1]), n, s.At.Sub(first.At))
		}
		lines = append(lines, line)
	}
	if hidden > 0 {
		lines = append(lines, fmt.Sprintf("  … and %s that are done or wait", one(hidden, "satellite")))
	}
	return clip(lines, columns)
}

// clip cuts lines to a number of columns. Colours take none.
func clip(lines []string, columns int) []string {
	for i, line := range lines {
		width, cut, code := 0, 0, false
		for at, r := range line {
			switch {
			case r == '\x1b' || code:
				code = r != 'm'
				continue
			case width == columns-1:
				cut = at
			}
			width++
		}
		if width <= columns || columns < 2 {
			continue
		}
		lines[i] = line[:cut] + "…"
		if strings.Contains(line, "\x1b") {
			lines[i] += "\x1b[0m"
		}
	}
	return lines
}

// rate says how fast items were done between two counts, and when the rest will be at that pace.
func rate(before, now counts, took time.Duration) string {
	done := now.done - before.done
	if done <= 0 || took <= 0 || now.done == now.total {
		return ""
	}
	perSecond := float64(done) / took.Seconds()
	left := time.Duration(float64(now.total-now.done) / perSecond * float64(time.Second))
	speed := fmt.Sprintf("%.1f/s", perSecond)
	if perSecond < 0.1 {
		speed = fmt.Sprintf("%.1f/min", perSecond*60)
	}
	return fmt.Sprintf("  %s  about %s left", speed, strings.Replace(shortDuration(left.Round(time.Second)), ".0s", "s", 1))
}

// pace is the rate over all satellites, for the end of a line.
func pace(first, s snapshot) string {
	return rate(countItems(first.Run.Satellites), countItems(s.Run.Satellites), s.At.Sub(first.At))
}
