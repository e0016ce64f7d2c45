package cli

import (
	"strings"
)

// globals are the flags that every command takes, before its name or after it.
type globals struct {
	Gateway string `group:"global" placeholder:"URL" help:"Where the gateway's API is. Else ORBIT_GATEWAY, else http://127.0.0.1:7070."`
	Token   string `group:"global" placeholder:"TOKEN" help:"Token for the API, where the gateway wants one. Else ORBIT_TOKEN, which keeps it out of the list of processes."`
	Output  string `group:"global" short:"o" enum:"table,json,mermaid" default:"table" placeholder:"FORM" help:"Form of the output: table, for people; json, the API's own; and with plan, mermaid, a drawing."`
	NoColor bool   `group:"global" help:"No colours. NO_COLOR says the same, and so does an output that is no terminal."`
}

const defaultGateway = "http://127.0.0.1:7070"

// grammar is what can be typed.
type grammar struct {
	globals

	Lint   lintCommand   `cmd:"" group:"write" help:"Check cluster files, and say all that is wrong with them."`
	Fmt    fmtCommand    `cmd:"" group:"write" help:"Write cluster files in their canonical form."`
	Plan   planCommand   `cmd:"" group:"write" help:"Show what a cluster file is compiled to."`
	Schema schemaCommand `cmd:"" group:"write" help:"Print the JSON Schema of cluster files, for editors."`

	Explain explainCommand `cmd:"" group:"write" help:"Say what a code of lint means, with an example."`

	Run      runCommand      `cmd:"" group:"run" help:"Start a run of a cluster now."`
	Apply    applyCommand    `cmd:"" group:"run" help:"Register cluster files with the gateway."`
	Clusters clustersCommand `cmd:"" group:"run" help:"List the registered clusters."`
	Delete   deleteCommand   `cmd:"" group:"run" help:"Remove a cluster."`
	Cancel   cancelCommand   `cmd:"" group:"run" help:"Cancel a run."`
	Pause    pauseCommand    `cmd:"" group:"run" help:"Stop a run for a while."`
	Resume   resumeCommand   `cmd:"" group:"run" help:"Let a paused run go on."`
	Retry    retryCommand    `cmd:"" group:"run" help:"Do again what failed of a run."`

	Triggers triggersCommand `cmd:"" group:"run" help:"List what starts runs; fire, pause and resume it."`

	Runs    runsCommand    `cmd:"" group:"look" help:"List runs, of all clusters or of one."`
	Status  statusCommand  `cmd:"" group:"look" help:"Show where a run stands."`
	Items   itemsCommand   `cmd:"" group:"look" help:"List the items of a run."`
	Outputs outputsCommand `cmd:"" group:"look" help:"Print what a run has returned, one JSON object a line."`

	Logs   logsCommand   `cmd:"" group:"look" help:"Print what was said about the items of a run."`
	Events eventsCommand `cmd:"" group:"look" help:"Print what happened to a run."`

	Why whyCommand `cmd:"" group:"look" help:"Tell what a run, or one of its items, waits for."`

	Nodes      nodesCommand      `cmd:"" group:"mesh" help:"List the machines of the mesh."`
	Queues     queuesCommand     `cmd:"" group:"mesh" help:"List the queues of work."`
	Top        topCommand        `cmd:"" group:"mesh" help:"Show machines, queues and open runs, again each second."`
	Satellites satellitesCommand `cmd:"" group:"mesh" help:"List the satellites there are, or show the manual page of one."`
	Dev        devCommand        `cmd:"" group:"mesh" help:"Run a whole mesh in this process, on this machine's loopback."`

	Secrets secretsCommand `cmd:"" group:"mesh" help:"Store, list and remove the secrets of a project."`

	Backup  backupCommand  `cmd:"" group:"mesh" help:"Write everything that is stored into one file."`
	Restore restoreCommand `cmd:"" group:"mesh" help:"Put a backup into an Orbit that holds nothing."`

	Decode  decodeCommand  `cmd:"" group:"other" help:"Turn the bytes of a bundle or record on stdin into JSON."`
	Version versionCommand `cmd:"" group:"other" help:"Print the version of this program."`
}

const description = "Exosphere Orbit runs batch workflows on a mesh of machines. A cluster file wires satellites together; a run " +
	"carries one of them out.\n\n" +
	"Begin with: orbit dev, and in another terminal: orbit run FILE --wait."

// groupTitles are the headings of --help, in order.
var groupTitles = [...][2]string{
	{"write", "Write clusters:"}, {"run", "Run them:"}, {"look", "Look at runs:"}, {"mesh", "The mesh and its satellites:"},
	{"other", "Other:"}, {"global", "Global flags:"},
}

// gateway is the address of the API.
func (a *app) gateway() string {
	for _, url := range []string{a.Gateway, a.variable("ORBIT_GATEWAY")} {
		if url != "" {
			return strings.TrimRight(url, "/")
		}
	}
	return defaultGateway
}

// token is what the API asks for; empty where there is none.
func (a *app) token() string {
	if a.Token != "" {
		return a.Token
	}
	return strings.TrimSpace(a.variable("ORBIT_TOKEN"))
}

// json tells whether the output is for programs.
func (a *app) json() bool { return a.Output == "json" }
