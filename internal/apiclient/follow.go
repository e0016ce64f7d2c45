package apiclient

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"iter"
	"net/http"
)

// Event is one server-sent event of a list that is followed.
type Event struct {
	Name string // of its kind; EndEvent: the list is complete
	ID   string // names the place after it: a request that begins there misses nothing
	Data json.RawMessage
}

// EndEvent is the name of the last event of a list that is followed.
const EndEvent = "end"

// FollowLogs gives what is said about the items of a run as it is said, from the place after an event or from the start,
// until the run has ended: then comes an EndEvent. A stream that breaks off before that is an *Unreachable.
func (c *Client) FollowLogs(ctx context.Context, run string, q Query, after string) iter.Seq2[Event, error] {
	return c.follow(ctx, request{method: http.MethodGet, path: runPath(run) + "/logs", query: q.values(), accept: eventStreamType, after: after})
}

// FollowEvents is FollowLogs for what happens to a run.
func (c *Client) FollowEvents(ctx context.Context, run, after string) iter.Seq2[Event, error] {
	return c.follow(ctx, request{method: http.MethodGet, path: runPath(run) + "/events", accept: eventStreamType, after: after})
}

const eventStreamType = "text/event-stream"

// maxEvent bounds one line of an event stream; a log record is far below.
const maxEvent = 1 << 20

func (c *Client) follow(ctx context.Context, r request) iter.Seq2[Event, error] {
	return func(yield func(Event, error) bool) {
		resp, err := c.send(ctx, r)
		if err != nil {
			yield(Event{}, err)
			return
		}
		defer resp.Body.Close()
		lines := bufio.NewScanner(resp.Body)
		lines.Buffer(nil, maxEvent)
		var e Event
		for lines.Scan() {
			name, value, _ := bytes.Cut(lines.Bytes(), []byte(":"))
			value = bytes.TrimPrefix(value, []byte(" "))
			switch string(name) {
			case "event":
				e.Name = string(value)
			case "id":
				e.ID = string(value)
			case "data":
				e.Data = append(e.Data, value...)
			case "": // an empty line ends an event; one that begins with a colon says nothing
				if len(lines.Bytes()) > 0 || e.Name == "" {
					continue
				}
				if !yield(e, nil) || e.Name == EndEvent {
					return
				}
				e = Event{}
			}
		}
		err = lines.Err()
		if errors.Is(err, bufio.ErrTooLong) {
			yield(Event{}, &Foreign{URL: c.base, Request: r.method + " " + r.path, Status: resp.StatusCode})
			return
		}
		if err == nil {
			err = io.ErrUnexpectedEOF
		}
		yield(Event{}, c.broken(ctx, err))
	}
}
