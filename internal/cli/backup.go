package cli

import (
	"context"
	"io"
	"os"
	"strings"
	"time"

	"github.com/exospherehost/orbit/internal/apiclient"
)

// backupCommand is `orbit backup`.
type backupCommand struct {
	File string `name:"file" placeholder:"FILE" help:"Where to write it; - is stdout. -o FILE is the same. Without it: orbit-, the date and time, and .backup, in this folder."`
}

// keyAdvice says what a backup does not hold.
const keyAdvice = "It holds secrets, sealed, and not the key that opens them: keep a copy of the gateway's key file " +
	"(--key-file, else secrets.key in its data folder) in another place. Without that key the secrets must be set again after a restore."

// Help is the long help.
func (*backupCommand) Help() string {
	return "Everything that Orbit has stored goes into one file: clusters, runs with their items and outputs, work that waits, and secrets. " + keyAdvice +
		"\n\nThe mesh goes on meanwhile. A run that has not ended is in the file as it stood, and goes on after `orbit restore`; what it had begun may be done once more."
}

// Run gets the backup into a file, which has its name only when it is whole.
func (c *backupCommand) Run(ctx context.Context, a *app) (err error) {
	client, err := a.client()
	if err != nil {
		return err
	}
	defer client.Close()
	if c.File == "-" {
		body, err := client.Backup(ctx)
		if err != nil {
			return err
		}
		defer body.Close()
		if _, err := io.Copy(a.stdout, body); err != nil {
			return brokenBackup(err)
		}
		a.say("%s", keyAdvice)
		return nil
	}
	if c.File == "" {
		c.File = "orbit-" + time.Now().Format("2006-01-02-150405") + ".backup"
	}
	body, err := client.Backup(ctx) // before there is a file: a gateway that refuses leaves none
	if err != nil {
		return err
	}
	defer body.Close()
	size, err := writeWhole(c.File, body)
	if err != nil {
		return err
	}
	a.say("backup of %d bytes written to %s, which only you may read. %s", size, c.File, keyAdvice)
	return nil
}

// writeWhole writes a file that only its owner may read, under its name when it is whole.
func writeWhole(name string, body io.Reader) (size int64, err error) {
	part := name + ".part"
	f, err := os.OpenFile(part, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return 0, failf("%s cannot be written: %s", part, cause(err))
	}
	defer func() {
		if err != nil {
			_ = os.Remove(part)
		}
	}()
	out := &fileWriter{f: f}
	size, err = io.Copy(out, body)
	if err == nil {
		err = f.Chmod(0o600) // it may have been there, with another mode
	}
	if err == nil {
		err = f.Sync()
	}
	if closed := f.Close(); err == nil {
		err = closed
	}
	switch {
	case out.err != nil:
		return 0, failf("%s cannot be written: %s", part, cause(out.err))
	case err != nil:
		return 0, brokenBackup(err)
	}
	if err = os.Rename(part, name); err != nil {
		return 0, failf("%s cannot be written: %s", name, cause(err))
	}
	return size, nil
}

// fileWriter remembers an error of the file, to tell it from one of the network.
type fileWriter struct {
	f   *os.File
	err error
}

func (w *fileWriter) Write(p []byte) (int, error) {
	n, err := w.f.Write(p)
	if err != nil {
		w.err = err
	}
	return n, err
}

// brokenBackup says that a backup did not come whole.
func brokenBackup(err error) error {
	if apiclient.Passing(err) {
		return failf("the gateway broke the backup off, so there is none; its log says why. Run `orbit backup` again")
	}
	return err
}

// backupFile lets `orbit backup -o FILE` name a file: everywhere else -o is the form of the output, and a backup has one.
func backupFile(args []string) []string {
	out := append([]string(nil), args...)
	for at, word := range out {
		if word != "backup" {
			if !strings.HasPrefix(word, "-") && (at == 0 || !strings.HasPrefix(out[at-1], "-")) {
				return args // another command
			}
			continue
		}
		for i := at + 1; i < len(out); i++ {
			name, value, has := strings.Cut(out[i], "=")
			switch {
			case name == "-o" || name == "--output":
				out[i] = "--file"
				if has {
					out[i] += "=" + value
				}
			case strings.HasPrefix(name, "-o") && !strings.HasPrefix(name, "--"):
				out[i] = "--file=" + out[i][len("-o"):]
			}
		}
		return out
	}
	return args
}
