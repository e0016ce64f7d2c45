package cluster

import "github.com/exospherehost/orbit"

// Spec is what a cluster file says, with the places where it says so, before it is judged as a whole.
type Spec struct {
	Version     Word
	Identifier  Word
	Title       string
	Description string
	SLA         orbit.Duration
	Triggers    []TriggerSpec
	Retries     RetryPolicy
	Secrets     []SecretSpec
	Steps       []*StepSpec // main, failure, logs; each in file order
	FailureFrom Word

	secretNames []string
}

// Word is a text of the file and where it stands.
type Word struct {
	Text string
	Pos  Pos
}

// TriggerSpec is a trigger and where it stands.
type TriggerSpec struct {
	Trigger
	Pos       Pos
	secretPos Pos
}

// SecretSpec is a declared secret and where its name stands.
type SecretSpec struct {
	SecretSource
	Pos Pos
}

// StepSpec is a satellite of a cluster as it is written.
type StepSpec struct {
	Part       Part
	Pos        Pos
	Name       string
	Uses       Word                 // without satellite/
	Identifier Word                 // the name part of Uses where the file gives none
	Satellite  *orbit.SatelliteSpec // nil where it is unknown

	Config, Input *Value // nil where the file gives none

	Retries     RetryPolicy // the cluster's where the file gives none
	Timeout     orbit.Duration
	Delay       orbit.Duration
	Parents     []Word // nil: not given; empty: a root
	Children    []Word
	If          *Condition
	Unites      *Unites
	Concurrency int
	RateLimit   *Rate
	Resources   orbit.Resources

	parentsOpen, childrenOpen bool // some could not be read

	usesKey, configKey, inputKey, resourcesKey, retriesKey Pos
}

// Condition is the inside of an `if`.
type Condition struct {
	Source string
	Expr   *Expr
	Pos    Pos
}

// Unites says how a join is meant.
type Unites struct {
	Pos        Pos
	Identifier Word // empty where the file leaves it to the compiler
	Strategy   string
	MinPercent float64
	MinCount   int
}
