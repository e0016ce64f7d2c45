package cli

import (
	"context"
	"encoding/json"
	"io"
	"os"
	"time"

	"github.com/exospherehost/orbit/internal/backup"
)

// restoreCommand is `orbit restore`.
type restoreCommand struct {
	File string `arg:"" name:"file" help:"What orbit backup has written; - is stdin."`
}

// Help is the long help.
func (*restoreCommand) Help() string {
	return "The gateway must hold nothing yet: start one with an empty --data folder, and with the key file of the Orbit that was backed up (--key-file), " +
		"which is not in the backup and without which its secrets stay closed. The file is checked before anything is sent. " +
		"Runs that had not ended go on. A restore that fails leaves nothing behind; one that was broken off is run again."
}

// Run checks the file and sends it.
func (c *restoreCommand) Run(ctx context.Context, a *app) error {
	client, err := a.client()
	if err != nil {
		return err
	}
	defer client.Close()
	var raw json.RawMessage
	if c.File == "-" {
		raw, err = client.Restore(ctx, io.NopCloser(a.stdin), -1)
	} else {
		f, ferr := os.Open(c.File)
		if ferr != nil {
			return failf("%s cannot be read: %s", c.File, cause(ferr))
		}
		defer f.Close()
		if _, err := backup.Check(f); err != nil {
			return failf("%s cannot be restored: %s", c.File, cause(err))
		}
		info, serr := f.Stat()
		if serr == nil {
			_, serr = f.Seek(0, io.SeekStart)
		}
		if serr != nil {
			return failf("%s cannot be read: %s", c.File, cause(serr))
		}
		raw, err = client.Restore(ctx, io.NopCloser(f), info.Size())
	}
	if err != nil {
		return err
	}
	if a.json() {
		return a.printJSON(raw)
	}
	got, err := decode[struct {
		Created       time.Time
		Streams, Runs int
	}](raw)
	if err != nil {
		return err
	}
	a.say("restored %s as of %s; runs that had not ended and go on: %d", one(got.Streams, "stream"), got.Created.Local().Format("2006-01-02 15:04:05"), got.Runs)
	a.say("secrets open only if this gateway has the key file of the Orbit that was backed up; else put it in its place and start the gateway again")
	return nil
}
