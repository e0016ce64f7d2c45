package cluster

// Explanation says what a code means, for `orbit explain` and for the documentation.
type Explanation struct {
	Code      string `json:"code"`
	Title     string `json:"title"`
	Text      string `json:"text"` // one paragraph
	NotRunYet bool   `json:"not_run_yet,omitempty"`
}

// Explain looks a code up.
func Explain(code string) (Explanation, bool) {
	for _, e := range explanations {
		if e.Code == code {
			return e, true
		}
	}
	return Explanation{}, false
}

// Explanations lists all codes in order. The list must not be changed.
func Explanations() []Explanation { return explanations }

// The codes. A code keeps its meaning for ever: scripts match it.
const (
	codeTooLarge  = "ORB-C001"
	codeEncoding  = "ORB-C002"
	codeTab       = "ORB-C003"
	codeSyntax    = "ORB-C004"
	codeDocuments = "ORB-C005"
	codeAnchor    = "ORB-C006"
	codeDuplicate = "ORB-C007"
	codeTooMuch   = "ORB-C008"
	codeNoJSON    = "ORB-C009"

	codeUnknownKey  = "ORB-C010"
	codeMissingKey  = "ORB-C011"
	codeType        = "ORB-C012"
	codeValue       = "ORB-C013"
	codeVersion     = "ORB-C014"
	codeIdentifier  = "ORB-C015"
	codeTwice       = "ORB-C016"
	codeCount       = "ORB-C017"
	codeAmount      = "ORB-C018"
	codeCron        = "ORB-C019"
	codeCronNever   = "ORB-C020"
	codeSecretValue = "ORB-C021"

	codeSatellite   = "ORB-C030"
	codeConfigKey   = "ORB-C031"
	codeConfigLacks = "ORB-C032"
	codeConfigValue = "ORB-C033"
	codeNoInput     = "ORB-C034"
	codeHardware    = "ORB-C035"

	codeEdge        = "ORB-C040"
	codeCycle       = "ORB-C041"
	codeUnites      = "ORB-C042"
	codeFailureFrom = "ORB-C043"

	codeUnclosed       = "ORB-C050"
	codeExpression     = "ORB-C051"
	codeRoot           = "ORB-C052"
	codeUnknownStep    = "ORB-C053"
	codeNotAncestor    = "ORB-C054"
	codeOutputField    = "ORB-C055"
	codeSecretUnknown  = "ORB-C056"
	codeSecretsWhole   = "ORB-C057"
	codeSecretMisplace = "ORB-C058"

	codeLayout = "ORB-C070"

	codeSamePlace    = "ORB-C080"
	codeUnusedSecret = "ORB-C081"

	codeJoinLater    = "ORB-C090"
	codeFailureLater = "ORB-C091"
	codeLogsLater    = "ORB-C092"
	codeTriggerLater = "ORB-C093"
	codeIfLater      = "ORB-C094"
	codeLimitLater   = "ORB-C095"
	codeDelayLater   = "ORB-C096"
	codeNoCode       = "ORB-C097"
)

var explanations = []Explanation{
	{Code: codeTooLarge, Title: "The file is too large",
		Text: "A cluster file may have 256 KiB. Data that is larger belongs into a file or bucket that a satellite reads, or into the trigger's payload."},
	{Code: codeEncoding, Title: "The file is no text",
		Text: "A cluster file is UTF-8 text without control characters. Save it again as UTF-8; a file from another system is often UTF-16 or Latin-1."},
	{Code: codeTab, Title: "A tab in the indentation",
		Text: "YAML is indented with blanks only, since a tab has no fixed width. Most editors can turn tabs into blanks for the whole file."},
	{Code: codeSyntax, Title: "The file is not YAML",
		Text: "The file cannot be read as YAML, most often because of its indentation: the keys of one map, and the dashes of one list, stand in the same column. Text that holds a colon and a blank, or begins with a special character, needs quotes. Nothing else is checked until the file can be read."},
	{Code: codeDocuments, Title: "More than one document",
		Text: "A cluster file holds one cluster: one YAML document. What follows a line of three dashes belongs into a file of its own."},
	{Code: codeAnchor, Title: "An anchor, alias or merge key",
		Text: "Anchors (&name), aliases (*name) and merge keys (<<) are not used in cluster files: a few lines of them can stand for gigabytes, and a reader of the file cannot see what a step gets. Write the values out."},
	{Code: codeDuplicate, Title: "The same key twice",
		Text: "A key may stand in a map once. Kebab-case and snake_case are the same for keys that a satellite's schema names, so output-format and output_format are one key."},
	{Code: codeTooMuch, Title: "The file holds too much",
		Text: "A cluster file may have 20,000 values in all and be nested 64 levels deep. Larger data belongs into a file or bucket that a satellite reads."},
	{Code: codeNoJSON, Title: "A value that JSON has not",
		Text: "All values travel as JSON. Keys are text, numbers are finite, and there are no tags of one's own (!name)."},

	{Code: codeUnknownKey, Title: "An unknown key",
		Text: "The key means nothing at this place. It is an error rather than a warning because a misspelt key would change what a run does without a sign of it."},
	{Code: codeMissingKey, Title: "A key is missing",
		Text: "The map lacks a key that it must have, or the key has no value. A cluster needs version, and under cluster identifier, sla, trigger and satellites; a satellite needs uses."},
	{Code: codeType, Title: "The wrong type of value",
		Text: "The key wants another type of value: a map, a list, text, a number, or true or false."},
	{Code: codeValue, Title: "A value that is not allowed",
		Text: "The key takes one of a few values, or a number within bounds; the message names them."},
	{Code: codeVersion, Title: "An unknown version of the file format",
		Text: "The first key of a cluster file is version, and its value is 0.0.1b, the only version there is."},
	{Code: codeIdentifier, Title: "Not a valid identifier",
		Text: "Identifiers begin with a small letter or a digit and go on with small letters, digits, - and _, 63 characters at most. A cluster's is project/name. A satellite cannot be called run, which names the scope of a join."},
	{Code: codeTwice, Title: "An identifier is used twice",
		Text: "Satellites are told apart by their identifier, over the main part, failure and logs. Without identifier a satellite is called as the name in uses, so two of the same kind need one."},
	{Code: codeCount, Title: "Too many or too few satellites",
		Text: "Each list of satellites holds 1 to 200 of them."},
	{Code: codeAmount, Title: "Not a duration, size, rate or share",
		Text: "Durations are written 30s, 10m or 6h; sizes 16GiB or 512MiB; rates 10/s, 100/m or 1000/h; shares 95% or a count."},
	{Code: codeCron, Title: "Not a cron expression",
		Text: "A cron trigger has five fields (minute, hour, day of month, month, day of week) or is one of @hourly, @daily, @weekly, @monthly and @yearly. The time zone stands in the key timezone."},
	{Code: codeCronNever, Title: "The cron trigger never fires",
		Text: "No date fits all five fields, as with February 30, so the trigger would never start a run."},
	{Code: codeSecretValue, Title: "A secret without a usable source",
		Text: "A secret is text, {env: NAME} for a variable of the gateway's environment, or {vault: NAME} for a value stored with orbit secrets set."},

	{Code: codeSatellite, Title: "An unknown satellite",
		Text: "No satellite of this name is known. orbit satellites lists all of them; a name is written project/name, with or without satellite/ before it."},
	{Code: codeConfigKey, Title: "A key that the satellite does not know",
		Text: "The satellite's schema has no such key in its config or input. orbit satellites NAME shows the ones it has."},
	{Code: codeConfigLacks, Title: "The satellite needs a key",
		Text: "The satellite's schema wants a key in config or input that is not there. orbit satellites NAME shows what it needs."},
	{Code: codeConfigValue, Title: "A value that the satellite does not take",
		Text: "The value does not fit the satellite's schema, or the satellite itself has refused it, as with a jq program that does not parse. An expression stands in for any type and is checked when the item runs."},
	{Code: codeNoInput, Title: "The satellite takes no input",
		Text: "The satellite works from its config alone. Remove input, or move its keys to config."},
	{Code: codeHardware, Title: "No hardware class fits",
		Text: "The resources asked for fit no hardware class. The classes are defined by the gateway's configuration."},

	{Code: codeEdge, Title: "An edge to nowhere",
		Text: "parents and children name satellites of the same part of the cluster by their identifiers."},
	{Code: codeCycle, Title: "The satellites form a cycle",
		Text: "Work flows from parents to children and never back. The cycle is told once, at the first parents or children entry that is part of it; take one of its edges away."},
	{Code: codeUnites, Title: "The join has no valid scope",
		Text: "unites names the satellite whose objects a join is made for. It must be in the lineage of every parent, or be run. With one parent unites needs its identifier; without a parent there is nothing to unite. min-success goes with the strategy all-done only."},
	{Code: codeFailureFrom, Title: "failure.from names no satellite",
		Text: "from is the identifier of a satellite of the main part: failures there and below it start the failure steps. Without from, any failure does."},

	{Code: codeUnclosed, Title: "An expression is not closed",
		Text: "An expression begins with ${{ and ends with }}. A literal ${{ is written ${{ '${{' }}."},
	{Code: codeExpression, Title: "An expression that cannot be read",
		Text: "Inside ${{ }} stands a path such as satellites.parse.output.pages, text in single quotes, or these put together with comparisons, &&, || and !, and the functions contains, startsWith, endsWith, length, toJSON, fromJSON, join, format and default."},
	{Code: codeRoot, Title: "An unknown name in an expression",
		Text: "Expressions begin with secrets, satellites, cluster, run, trigger or, in failure steps, failure, and each of these has its own few names below it."},
	{Code: codeUnknownStep, Title: "An expression names an unknown satellite",
		Text: "satellites.ID names a satellite of this cluster by its identifier."},
	{Code: codeNotAncestor, Title: "An expression reads a satellite that is not an ancestor",
		Text: "An item sees the outputs on its own way from the root: those of its ancestors. What runs beside or after it has no output that belongs to this item. Add an edge, or read it further down."},
	{Code: codeOutputField, Title: "The output has no such field",
		Text: "The satellite's schema says which fields its objects have, and this is none of them. orbit satellites NAME shows them."},
	{Code: codeSecretUnknown, Title: "A secret is used but not declared",
		Text: "Every secret that an expression names is declared under cluster.secrets, inline, as {env: NAME} or as {vault: NAME}."},
	{Code: codeSecretsWhole, Title: "All secrets at once",
		Text: "An expression names one secret, as ${{ secrets.NAME }}, so that a step gets only what it needs."},
	{Code: codeSecretMisplace, Title: "A secret in a field that is not made for secrets",
		Text: "Secrets may stand only in fields that the satellite's description marks as secret-bearing. What stands elsewhere may be logged or sent to a model."},

	{Code: codeLayout, Title: "The file cannot be formatted",
		Text: "orbit fmt rewrites a file only where it can show that every value and every comment is the same afterwards. Here it cannot, so the file stays as it is. Unusual YAML is the reason, most often a ? before a key or a tag such as !!map; write it plainer. The file can be linted, applied and run all the same."},

	{Code: codeSamePlace, Title: "The file is moved to the bucket it is in",
		Text: "The buckets of origin and destination are the same, which is seldom meant."},
	{Code: codeUnusedSecret, Title: "A secret is declared but not used",
		Text: "No expression names the secret. Remove it: what is not there cannot leak."},

	{Code: codeJoinLater, NotRunYet: true, Title: "Joins are not run yet",
		Text: "A satellite with several parents, or with unites, compiles, but this version cannot run it: apply and run refuse the cluster."},
	{Code: codeFailureLater, NotRunYet: true, Title: "Failure steps are not run yet",
		Text: "The satellites under failure compile, but this version cannot run them: apply and run refuse the cluster."},
	{Code: codeLogsLater, NotRunYet: true, Title: "Log steps are not run yet",
		Text: "The satellites under logs compile, but this version cannot run them: apply and run refuse the cluster."},
	{Code: codeTriggerLater, NotRunYet: true, Title: "The trigger does not fire yet",
		Text: "This version starts runs by hand and over the API. Cron, webhook, event and cluster triggers compile, but apply and run refuse the cluster."},
	{Code: codeIfLater, NotRunYet: true, Title: "Conditions are not run yet",
		Text: "An if compiles, but this version cannot skip items by it: apply and run refuse the cluster."},
	{Code: codeLimitLater, NotRunYet: true, Title: "Limits are not run yet",
		Text: "concurrency and rate-limit compile, but this version does not keep them: apply and run refuse the cluster."},
	{Code: codeDelayLater, NotRunYet: true, Title: "Delays are not run yet",
		Text: "A delay compiles, but this version does not wait for it: apply and run refuse the cluster."},
	{Code: codeNoCode, NotRunYet: true, Title: "The satellite has no code in this version",
		Text: "The satellite is described, so that clusters with it compile, but no node can run it yet: apply and run refuse the cluster."},
}
