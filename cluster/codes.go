package cluster

// The codes. A code keeps its meaning for ever: scripts match it. Each is explained in the file of its name in explained/.
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
	codeOutputKind     = "ORB-C059"
	codeSecretMisplace = "ORB-C058"

	codeLayout = "ORB-C070"

	// What compiles, but is most likely not meant.
	codeSamePlace    = "ORB-C080"
	codeUnusedSecret = "ORB-C081"
	codeUnread       = "ORB-C082"
	codeLongRetries  = "ORB-C083"
	codeInlineSecret = "ORB-C084"
	codeNotStored    = "ORB-C085"
)
