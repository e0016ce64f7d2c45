package cluster

// key is a key of the grammar. The compiler reads it by its name; the rest is for who writes the file.
type key struct {
	name        string
	must        string // a hint where the key, or its value, is missing; empty: it may be left out, or be empty
	title, text string // what an editor shows
	form        form   // what its value looks like
}

// keys are the keys of one map of the grammar, in the order in which they are listed to people. The compiler and
// FileSchema read the same tables.
type keys []key

func (k keys) names() []string {
	names := make([]string, len(k))
	for i := range k {
		names[i] = k[i].name
	}
	return names
}

// must gives the hint for a key that is missing.
func (k keys) must(name string) string {
	if i := k.index(name); i >= 0 {
		return k[i].must
	}
	return ""
}

// index gives the place of a key; less than 0 where there is none.
func (k keys) index(name string) int {
	for i := range k {
		if k[i].name == name {
			return i
		}
	}
	return -1
}

var fileKeys = keys{
	{name: "version", must: "begin with version: " + formatVersion, title: "Version of the file format",
		text: "Always " + formatVersion + ".", form: only(formatVersion)},
	{name: "cluster", must: "describe the cluster under cluster:", title: "Cluster",
		text: "The workflow: satellites, what starts it, and how long a run may take.", form: refer("cluster")},
}

var clusterKeys = keys{
	{name: "identifier", must: "write identifier: project/name", title: "Identifier",
		text: "project/name, by which the commands and the API know the cluster. Each part is of a-z, 0-9, - and _, 63 at most.",
		form: refer("cluster-identifier")},
	{name: "title", title: "Title", text: "A line for people.", form: anyText},
	{name: "description", title: "Description", text: "More for people.", form: anyText},
	{name: "sla", must: "write sla: 6h, 12h or 24h", title: "SLA",
		text: "How long a run may take, from " + shortest(minSLA) + " to " + shortest(maxSLA) +
			". The longer it may, the freer Orbit is in where and when it does the work.",
		form: refer("some-time").with("examples", []any{"6h", "12h", "24h"})},
	{name: "trigger", must: "write trigger: api-call, or trigger: {cron: \"0 0 * * *\"}", title: "Trigger",
		text: "What starts a run: one trigger or a list of them. `trigger: api-call` is the plainest.", form: refer("triggers")},
	{name: "retries", title: "Retries", text: "How often an attempt that failed is made again. Each satellite may say otherwise.", form: refer("retries")},
	{name: "secrets", title: "Secrets", text: "Values that only the satellites see which read them as ${{ secrets.NAME }}.", form: refer("secrets")},
	{name: "satellites", must: "list the cluster's satellites under satellites:", title: "Satellites",
		text: "The steps. Each returns a list of objects, and the next one runs once for each of them.", form: refer("satellites")},
	{name: "logs", title: "Log steps", text: "Satellites that get the run's log records.", form: refer("logs")},
	{name: "failure", title: "Failure steps", text: "Satellites that run for an item that has failed for good.", form: refer("failure")},
}

var logsKeys = keys{
	{name: "satellites", must: "list the log steps under satellites:", title: "Log steps", text: "What the log records go through.", form: refer("satellites")},
}

var failureKeys = keys{
	{name: "from", title: "From", text: "The satellite from which on, in the graph, a failure starts these steps. Default: any.", form: refer("identifier")},
	{name: "satellites", must: "list the failure steps under satellites:", title: "Failure steps",
		text: "What is done about an item that failed. ${{ failure.error }} is the sentence that says why.", form: refer("satellites")},
}

var stepKeys = keys{
	{name: "name", title: "Name", text: "A line for people.", form: anyText},
	{name: "uses", must: "name the satellite, such as uses: satellite/exospherehost/call-webhook", title: "Satellite",
		text: "Which satellite runs: satellite/project/name. `orbit satellites` lists them.", form: refer("uses")},
	{name: "identifier", title: "Identifier",
		text: "What expressions, parents and commands call this step. Default: the name part of uses. Unique in the file.", form: refer("new-identifier")},
	{name: "config", title: "Config", text: "How the satellite works. `orbit satellites NAME` shows what it takes.", form: anyMap},
	{name: "input", title: "Input", text: "What the satellite works on. Default: the object from the satellite before it.", form: anything},
	{name: "retries", title: "Retries", text: "How often an attempt that failed is made again; on top of what the cluster says.", form: refer("retries")},
	{name: "timeout", title: "Timeout", text: "How long one attempt of one item may take. Default: the satellite's own limit.",
		form: refer("some-time").with("examples", []any{"30s", "10m"})},
	{name: "delay", title: "Delay", text: "How long to wait before the first attempt.", form: refer("time").with("examples", []any{"30s"})},
	{name: "parents", title: "Parents",
		text: "The satellites whose objects this one takes, one or a list. Default: the one before it in the file. [] makes it a root.", form: refer("identifiers")},
	{name: "children", title: "Children", text: "The satellites that take this one's objects, one or a list.", form: refer("identifiers")},
	{name: "if", title: "Condition", text: "An expression. Where it is false the item is skipped, and its branch ends.",
		form: anyText.with("examples", []any{"${{ satellites.parse-pdf.output.pages > 3 }}"})},
	{name: "unites", title: "Unites", text: "Makes the satellite a join: it waits for all work below the object that it unites.", form: refer("unites")},
	{name: "concurrency", title: "Concurrency", text: "Most items of it at once over the whole mesh, for each run.", form: whole(1, maxConcurrency)},
	{name: "rate-limit", title: "Rate limit", text: "Most attempts of it in a time, over the whole mesh.",
		form: like(ratePattern.String()).says(rateHint).with("not", zero()).with("examples", []any{"10/s", "100/m", "1000/h"})},
	{name: "resources", title: "Resources", text: "The least hardware it needs, where that is other than the satellite says.", form: refer("resources")},
}

var retryKeys = keys{
	{name: "max", title: "Most retries", text: "Retries after the first attempt.",
		form: whole(0, maxRetries).with("default", DefaultRetries.Max)},
	{name: "strategy", title: "Strategy", text: "How the wait grows from one retry to the next.",
		form: words(retryStrategies).with("default", DefaultRetries.Strategy)},
	{name: "delay", title: "Delay", text: "The wait before the first retry.", form: refer("time").with("default", DefaultRetries.Delay.String())},
	{name: "factor", title: "Factor", text: "By how much each wait is longer than the one before, with strategy exponential.",
		form: between(minFactor, maxFactor).with("default", DefaultRetries.Factor)},
	{name: "max-delay", title: "Longest delay", text: "No wait is longer.",
		form: refer("time").with("default", DefaultRetries.MaxDelay.String())},
	{name: "jitter", title: "Jitter", text: "How much of a wait is left to chance, so that not all retry at once.",
		form: words(retryJitters).with("default", DefaultRetries.Jitter)},
}

var sourceKeys = keys{
	{name: "env", must: sourceHint, title: "Environment", text: "The variable of the environment that holds the value.",
		form: textLike(sourcePattern["env"].String())},
	{name: "vault", must: sourceHint, title: "Vault", text: "The name under which the vault holds the value.",
		form: textLike(sourcePattern["vault"].String())},
}

var triggerKeys = keys{
	{name: "timezone", title: "Time zone", text: "The zone of the cron expression.",
		form: anyText.with("default", "UTC").with("examples", []any{"UTC", "Europe/Berlin", "America/New_York", "Asia/Kolkata"})},
	{name: "overlap", title: "Overlap", text: "What happens at a tick while the last run goes on.", form: words(overlaps).with("default", overlaps[0])},
	{name: "catch-up", title: "Catch up", text: "Which of the ticks are run that were missed.", form: words(catchUps).with("default", catchUps[0])},
	{name: "secret", title: "Secret", text: "The declared secret with which requests are signed: HMAC-SHA256 of the body.", form: anyText.with("examples", []any{"HOOK_SECRET"})},
	{name: "filter", title: "Filter", text: "Which messages of the subject start a run: a condition on trigger.payload.",
		form: anyText.with("examples", []any{"trigger.payload.kind == 'invoice'"})},
	{name: "on", title: "On", text: "The end of the other cluster's run that is waited for; ended is any.",
		form: words(endStates).with("default", endStates[0])},
	{name: "api-call", title: "API call", text: "`orbit run`, or a call of the API, starts a run.", form: anything.with("not", rule{"const": false})},
	{name: "cron", must: `write cron: "0 0 * * *"`, title: "Cron", text: "Minute, hour, day of month, month and day of week, or a macro such as @daily.",
		form: like(cronPattern()).says(cronHint).with("examples", []any{"0 0 * * *", "@daily"})},
	{name: "webhook", title: "Webhook", text: "A request to a URL of its own starts a run.", form: anything.with("not", rule{"const": false})},
	{name: "event", must: "name the NATS subject", title: "Event", text: "A message on this NATS subject starts a run.",
		form: textLike(subjectPattern).with("not", rule{"pattern": reservedSubject.String()}).says(subjectHint).with("examples", []any{"orders.created", "orders.>"})},
	{name: "cluster", must: "name the cluster, project/name", title: "Cluster", text: "The end of a run of this cluster starts a run.",
		form: refer("cluster-identifier")},
}

var unitesKeys = keys{
	{name: "identifier", title: "Scope",
		text: "The satellite for each of whose objects the join runs once, or run: once a run. Default: the nearest that is above every parent.",
		form: refer("identifier")},
	{name: "strategy", title: "Strategy", text: "all-success: one item failed for good fails the join. all-done: it runs with what succeeded.",
		form: words(uniteStrategies).with("default", uniteStrategies[0])},
	{name: "min-success", title: "Least success", text: "With all-done: the share, or the number, of items that must have succeeded.",
		form: refer("share").with("examples", []any{"95%", 10})},
}

var resourceKeys = keys{
	{name: "gpu-memory", title: "GPU memory", text: "Memory of one device.", form: refer("memory").with("examples", []any{"40GiB"})},
	{name: "cpu", title: "Cores", text: "Processor cores.", form: whole(1, maxCPU)},
	{name: "memory", title: "Memory", text: "Main memory.", form: refer("memory").with("examples", []any{"8GiB"})},
	{name: "model", title: "Model", text: "The model that must be served.", form: anyText},
	{name: "class", title: "Hardware class", text: "A hardware class by name, instead of the amounts.", form: refer("class")},
}
