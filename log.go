package orbit

import (
	"encoding/json"
	"slices"
	"strconv"
	"time"
)

// LogLevel says how much a log record matters.
type LogLevel string

// The levels of log records.
const (
	LogDebug LogLevel = "debug"
	LogInfo  LogLevel = "info"
	LogWarn  LogLevel = "warn"
	LogError LogLevel = "error"
)

// LogLevels lists the levels, the least first.
var LogLevels = [...]LogLevel{LogDebug, LogInfo, LogWarn, LogError}

// Valid tells whether there is such a level.
func (l LogLevel) Valid() bool { return slices.Contains(LogLevels[:], l) }

// AtLeast tells whether a record of this level passes where least is asked for.
func (l LogLevel) AtLeast(least LogLevel) bool {
	return slices.Index(LogLevels[:], l) >= slices.Index(LogLevels[:], least)
}

// LogRecord is what was said about one attempt of one item: by its satellite, or by the node that ran it.
type LogRecord struct {
	Key       string          `json:"key"` // the same for the same words of the same attempt, whoever ran it: a reader may drop repeats
	Time      time.Time       `json:"time"`
	Level     LogLevel        `json:"level"`
	Message   string          `json:"message"`
	Fields    json.RawMessage `json:"fields"` // an object
	Run       string          `json:"run"`
	Satellite string          `json:"satellite"` // its identifier in the cluster
	Item      string          `json:"item"`
	Attempt   int             `json:"attempt"`
	Node      string          `json:"node"`
}

// LogBatch is one message of the log stream: records of one execution of one bundle, in the order in which they were made.
// It is JSON, for the log is what a person looks at, with the nats program too.
type LogBatch struct {
	Run       string     `json:"run"`
	Satellite string     `json:"satellite"`
	Bundle    string     `json:"bundle"`
	Node      string     `json:"node"`
	Delivery  int        `json:"delivery"` // how often the bundle had been delivered
	Since     time.Time  `json:"since"`    // when it was delivered to the node
	Records   []LogEntry `json:"records"`
}

// LogEntry is a record in its batch, without what the whole batch has in common.
type LogEntry struct {
	Time    time.Time       `json:"time"`
	Level   LogLevel        `json:"level"`
	Message string          `json:"message"`
	Fields  json.RawMessage `json:"fields,omitempty"`
	Lineage Lineage         `json:"lineage"`
	Attempt int             `json:"attempt"`
	Index   int             `json:"index,omitempty"` // of the satellite's records of this attempt, from 1; 0: the node's own
}

// Encode gives the bytes that are stored.
func (b *LogBatch) Encode() ([]byte, error) { return json.Marshal(b) }

// DecodeLogBatch reads what Encode wrote.
func DecodeLogBatch(data []byte) (*LogBatch, error) {
	b := &LogBatch{}
	return b, json.Unmarshal(data, b)
}

var noFields = json.RawMessage("{}")

// Record gives the i-th record of the batch. Its key is made of what was said as well as of where: an execution that says
// something else than the one before it, which died, does not repeat it.
func (b *LogBatch) Record(i int) LogRecord {
	e := &b.Records[i]
	r := LogRecord{Time: e.Time, Level: e.Level, Message: e.Message, Fields: e.Fields, Run: b.Run, Satellite: b.Satellite, Item: ItemID(b.Satellite, e.Lineage),
		Attempt: e.Attempt, Node: b.Node}
	if len(r.Fields) == 0 {
		r.Fields = noFields
	}
	r.Key = HashID("log", b.Bundle, string(e.Lineage), strconv.Itoa(e.Attempt), strconv.Itoa(e.Index), string(e.Level), e.Message, string(e.Fields))
	return r
}
