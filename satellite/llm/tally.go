package llm

import (
	"sync"
	"time"

	"github.com/rs/zerolog"

	"github.com/exospherehost/orbit"
)

// usage is what answers took, as the server tells.
type usage struct {
	prompt, completion int
	told               bool
}

func (u *usage) add(more usage) {
	u.prompt, u.completion, u.told = u.prompt+more.prompt, u.completion+more.completion, u.told || more.told
}

// Count is what a model has done: items, and tokens as its server counts them.
type Count struct {
	Items, PromptTokens, CompletionTokens int64
}

func (c Count) minus(o Count) Count {
	return Count{c.Items - o.Items, c.PromptTokens - o.PromptTokens, c.CompletionTokens - o.CompletionTokens}
}

// tally counts, and says once a minute how fast it goes, while there is anything to say.
type tally struct {
	log zerolog.Logger

	mu    sync.Mutex
	total Count
	busy  int
	then  Count // total, when it was said last
	since time.Time
	last  float64 // tokens a second of the minute before since
}

// tallyEvery is how often a busy model's pace is told.
const tallyEvery = time.Minute

// begin counts an item that is about to be sent. The first after a pause begins a new minute.
func (t *tally) begin() {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.busy++; t.busy == 1 && time.Since(t.since) >= tallyEvery {
		t.then, t.since, t.last = t.total, time.Now(), 0
	}
}

// add counts what an item took.
func (t *tally) add(u usage) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.total.Items++
	t.total.PromptTokens += int64(u.prompt)
	t.total.CompletionTokens += int64(u.completion)
}

// end counts an item that is done with, and tells the pace where a minute has passed.
func (t *tally) end() {
	t.mu.Lock()
	t.busy--
	took, done, busy := time.Since(t.since), t.total.minus(t.then), t.busy
	say, pace := took >= tallyEvery, done.pace(took)
	if say {
		t.then, t.since, t.last = t.total, time.Now(), pace
	}
	t.mu.Unlock()
	if say {
		t.log.Info().Int64("items", done.Items).Int64(orbit.PromptTokens, done.PromptTokens).Int64(orbit.CompletionTokens, done.CompletionTokens).
			Float64("tokens-per-second", pace).Int("busy", busy).Msg("pace of the model")
	}
}

// pace gives tokens of answers in a second, to one decimal.
func (c Count) pace(took time.Duration) float64 {
	return float64(int(10*float64(c.CompletionTokens)/took.Seconds())) / 10
}

// paceAfter is how much of a minute tells its pace; before, the pace is that of the minute before.
const paceAfter = 10 * time.Second

// pace is how fast it goes: tokens of answers in a second, over the last minute or so. It falls to 0 while nothing is asked.
func (t *tally) pace() float64 {
	t.mu.Lock()
	defer t.mu.Unlock()
	if took := time.Since(t.since); took >= paceAfter && !t.since.IsZero() {
		return t.total.minus(t.then).pace(took)
	}
	return t.last
}

func (t *tally) count() Count {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.total
}
