package main

import (
	"context"
	"fmt"
	"os/exec"
	"time"
)

// demo takes the time of `make demo`. Where there is no such target it measures nothing.
func demo(ctx context.Context, b *bench) ([]row, error) {
	if b.quick || exec.CommandContext(ctx, "make", "-n", "demo").Run() != nil {
		b.say("  left out")
		return nil, nil
	}
	begun := time.Now()
	if out, err := exec.CommandContext(ctx, "make", "demo").CombinedOutput(); err != nil {
		return nil, fmt.Errorf("make demo: %w: %s", err, out)
	}
	return []row{{"make demo", "time", time.Since(begun).Round(time.Millisecond).String()}}, nil
}
