package jq

import (
	"sync/atomic"
	"time"
)

// samples is how often a program is looked at in the time it has: its limit is kept to about 1 %. Looking now and then
// costs nothing for each value; reading the clock around each would cost a program that emits a million a fifth more.
const samples = 100

// budget is the time that a program may compute; time spent elsewhere, between pause and resume, does not count.
type budget struct {
	computing atomic.Bool
	over      atomic.Bool // the program has ended
	timer     *time.Timer
	left      int // samples; read and written by the timer's function alone
}

// startBudget starts one, computing. The function is called once the time is used up. stop must be called.
func startBudget(limit time.Duration, expired func()) *budget {
	b := &budget{left: samples}
	b.computing.Store(true)
	every := max(limit/samples, time.Microsecond)
	b.timer = time.AfterFunc(time.Hour, func() {
		if b.over.Load() {
			return
		}
		if b.computing.Load() {
			b.left--
		}
		if b.left == 0 {
			expired()
			return
		}
		b.timer.Reset(every)
	})
	b.timer.Reset(every) // only now: the function reads b.timer
	return b
}

func (b *budget) pause()  { b.computing.Store(false) }
func (b *budget) resume() { b.computing.Store(true) }

func (b *budget) stop() {
	b.over.Store(true)
	b.timer.Stop()
}
