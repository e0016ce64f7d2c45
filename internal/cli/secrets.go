package cli

import (
	"context"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"

	"golang.org/x/term"

	"github.com/exospherehost/orbit"
)

// maxSecretInput bounds what is read of stdin; a gateway refuses what is longer than 64 KiB.
const maxSecretInput = 1 << 20

// secretsCommand is `orbit secrets`.
type secretsCommand struct {
	Set  setSecretCommand    `cmd:"" help:"Store a value, read from stdin, as the newest version of a secret."`
	List listSecretsCommand  `cmd:"" help:"List the names of a project's secrets; never a value."`
	Rm   removeSecretCommand `cmd:"" help:"Remove a secret."`
}

// Help is the long help.
func (*secretsCommand) Help() string {
	return "A project's vault holds secrets for its clusters, which name them as {vault: NAME} under secrets:. Values are stored sealed and are never shown again. " +
		"A changed value reaches runs that are under way: their items take it within a minute, and at once after a service has refused the old one."
}

// secretName is what a command on one secret takes.
type secretName struct {
	Project string `arg:"" help:"The project: what stands before the slash of a cluster's identifier."`
	Name    string `arg:"" help:"The secret's name in the project's vault."`
}

// setSecretCommand is `orbit secrets set`.
type setSecretCommand struct{ secretName }

// Help is the long help.
func (*setSecretCommand) Help() string {
	return "The value comes from stdin, and is never an argument: those can be seen in the list of processes. On a terminal it is asked for and not shown. " +
		"One line break at its end is left out: `printf %s \"$TOKEN\" | orbit secrets set acme api-token` and `orbit secrets set acme api-token <token.txt` mean the same."
}

// Run stores the value.
func (c *setSecretCommand) Run(ctx context.Context, a *app) error {
	value, err := a.secretValue(c.Project, c.Name)
	if err != nil {
		return err
	}
	client, err := a.client()
	if err != nil {
		return err
	}
	defer client.Close()
	raw, err := client.SetSecret(ctx, c.Project, c.Name, value)
	if err != nil {
		return err
	}
	return show(a, raw, func(doc orbit.SecretDoc) error {
		return a.print("%s of %s stored, version %d", doc.Name, c.Project, doc.Version)
	})
}

// secretValue reads a value from stdin; from a terminal a line that is not shown.
func (a *app) secretValue(project, name string) (string, error) {
	var text []byte
	var err error
	if f, ok := a.stdin.(interface{ Fd() uintptr }); ok && term.IsTerminal(int(f.Fd())) {
		fmt.Fprintf(a.stderr, "Value of %s of %s, not shown: ", name, project)
		text, err = term.ReadPassword(int(f.Fd()))
		fmt.Fprintln(a.stderr)
	} else {
		text, err = io.ReadAll(io.LimitReader(a.stdin, maxSecretInput+1))
	}
	if err != nil {
		return "", failf("the value cannot be read from stdin: %s", cause(err))
	}
	if len(text) > maxSecretInput {
		return "", failf("the value has more than 64 KiB, which is the most; store it in a file or bucket, and its key here")
	}
	value := strings.TrimSuffix(strings.TrimSuffix(string(text), "\n"), "\r")
	if value == "" {
		return "", failf("stdin holds no value; write it like `orbit secrets set %s %s <FILE`", project, name)
	}
	return value, nil
}

// listSecretsCommand is `orbit secrets list`.
type listSecretsCommand struct {
	Project string `arg:"" help:"The project: what stands before the slash of a cluster's identifier."`
}

// Run lists the names.
func (c *listSecretsCommand) Run(ctx context.Context, a *app) error {
	client, err := a.client()
	if err != nil {
		return err
	}
	defer client.Close()
	now := time.Now()
	return list(a, client.Secrets(ctx, c.Project), "NAME >VERSION CREATED UPDATED", "the vault of "+c.Project+" is empty; store a secret with `orbit secrets set "+c.Project+" NAME`",
		func(s orbit.SecretDoc) []string {
			return []string{s.Name, strconv.Itoa(s.Version), shortTime(&s.CreatedAt, now), shortTime(&s.UpdatedAt, now)}
		})
}

// removeSecretCommand is `orbit secrets rm`.
type removeSecretCommand struct{ secretName }

// Help is the long help.
func (*removeSecretCommand) Help() string {
	return "Items that need the secret fail from then on, also those of runs that are under way; `orbit retry` runs them again once it is stored anew."
}

// Run removes the secret.
func (c *removeSecretCommand) Run(ctx context.Context, a *app) error {
	client, err := a.client()
	if err != nil {
		return err
	}
	defer client.Close()
	if err := client.RemoveSecret(ctx, c.Project, c.Name); err != nil {
		return err
	}
	if a.json() {
		return nil
	}
	return a.print("%s of %s removed", c.Name, c.Project)
}
