package logs

import (
	"context"
	"net/http"
	"strings"
	"time"

	"github.com/exospherehost/orbit"
	"github.com/exospherehost/orbit/satellite/internal/aws"
)

// cloudWatch speaks the API of CloudWatch Logs:
// https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_PutLogEvents.html
type cloudWatch struct {
	*target
	url string
	who aws.Account
}

func newCloudWatch(t *target) (provider, error) {
	region := t.option("region", "")
	if !aws.ValidRegion(region) {
		return nil, orbit.Permanent(orbit.CodeInvalidConfig, "region is no region of AWS; write it like eu-west-1")
	}
	if isNumber(t.account) {
		return nil, orbit.Permanent(orbit.CodeInvalidConfig, "account-id is the id of an access key at CloudWatch, such as AKIA…, not the number of the account")
	}
	base := t.endpoint
	if base == "" {
		base = "https://" + aws.Host("logs", region)
	}
	return &cloudWatch{t, strings.TrimRight(base, "/") + "/", aws.Account{AccessKey: t.account, SecretKey: t.key, SessionToken: t.secrets["AWS_SESSION_TOKEN"], Region: region}}, nil
}

// eventOverhead is what counts for each event beside its message.
const eventOverhead = 26

// A request has at most 10,000 events and 1,048,576 bytes, from at most 24 hours. An event has at most 256 KiB, which
// Amazon has raised to 1 MiB since; not every region and store that speaks the protocol has.
func (c *cloudWatch) limits() limits {
	return limits{rows: 10_000, bytes: 1 << 20, overhead: eventOverhead, row: 256<<10 - eventOverhead, span: 24 * time.Hour}
}

func (c *cloudWatch) encode(r *record) []byte { return encode(r.document()) }

func (c *cloudWatch) put(ctx context.Context, rows []row) (outcome, error) {
	events := make([]any, len(rows))
	for i, r := range rows {
		events[i] = map[string]any{"timestamp": r.at.UnixMilli(), "message": string(r.text)}
	}
	var said struct {
		Rejected struct {
			TooNew  *int `json:"tooNewLogEventStartIndex"` // the first of them
			TooOld  *int `json:"tooOldLogEventEndIndex"`   // the first after them, as below
			Expired *int `json:"expiredLogEventEndIndex"`
		} `json:"rejectedLogEventsInfo"`
	}
	body := map[string]any{"logGroupName": c.app, "logStreamName": c.stream(), "logEvents": events}
	code, err := c.do(ctx, "PutLogEvents", body, &said)
	if code == "ResourceNotFoundException" {
		if err := c.create(ctx); err != nil {
			return outcome{}, err
		}
		code, err = c.do(ctx, "PutLogEvents", body, &said)
	}
	if code == "DataAlreadyAcceptedException" { // an attempt before this one was not told of it
		return outcome{sent: len(rows)}, nil
	}
	if err != nil {
		return outcome{}, err
	}
	from, to := 0, len(rows)
	for _, end := range []*int{said.Rejected.TooOld, said.Rejected.Expired} {
		if end != nil {
			from = max(from, min(*end, len(rows)))
		}
	}
	if start := said.Rejected.TooNew; start != nil {
		to = max(from, min(*start, len(rows)))
	}
	return outcome{sent: to - from, refused: len(rows) - (to - from)}, nil
}

// create makes the stream. That another batch of the run made it first is fine.
func (c *cloudWatch) create(ctx context.Context) error {
	code, err := c.do(ctx, "CreateLogStream", map[string]any{"logGroupName": c.app, "logStreamName": c.stream()}, nil)
	switch code {
	case "ResourceAlreadyExistsException":
		return nil
	case "ResourceNotFoundException":
		return orbit.Permanent(orbit.CodeNotFound, "there is no log group %s in %s; make it, or name another in application-id", c.app, c.who.Region)
	}
	return err
}

// do calls an action. code is what the service calls its error, "" where it had none.
func (c *cloudWatch) do(ctx context.Context, action string, body, into any) (code string, err error) {
	header := http.Header{"Content-Type": {"application/x-amz-json-1.1"}, "X-Amz-Target": {"Logs_20140328." + action}}
	call := c.call(c.url, header, encode(body))
	call.Name = "CloudWatch Logs in " + c.who.Region + " (" + action + ")"
	call.Denied = "check account-id (the access key's id), api-key (its secret), and that it may use logs:" + action
	answer, err := aws.Do(ctx, c.client, c.who, "logs", call)
	if err != nil && answer != nil {
		return aws.Code(answer), err
	}
	if err == nil && into != nil {
		answer.JSON(into) // what is no JSON says of no event that it was refused
	}
	return "", err
}

// stream is the config's, else one for each run.
func (c *cloudWatch) stream() string {
	return c.option("log-stream", "orbit/"+c.run)
}
