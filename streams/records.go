package streams

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/nats-io/nats.go"
)

// recordsAtOnce bounds the answers that are under way of one reader, so that they fit into its channel.
const recordsAtOnce = 256

// ReadRecords reads the records of a run's bundles, all asked for at once, and gives them in the order asked for. Any replica
// may answer; where it has none (it may lag) the stream's leader is asked. ErrNotFound where a bundle has no record.
func ReadRecords(ctx context.Context, nc *nats.Conn, p int, run string, bundles []string) ([]Stored, error) {
	out := make([]Stored, len(bundles))
	for from := 0; from < len(bundles); from += recordsAtOnce {
		to := min(from+recordsAtOnce, len(bundles))
		if err := readRecords(ctx, nc, p, run, bundles[from:to], out[from:to]); err != nil {
			return nil, err
		}
	}
	return out, nil
}

func readRecords(ctx context.Context, nc *nats.Conn, p int, run string, bundles []string, out []Stored) error {
	inbox := nats.NewInbox()
	in := make(chan *nats.Msg, len(bundles))
	sub, err := nc.ChanSubscribe(inbox+".*", in)
	if err != nil {
		return fmt.Errorf("read records: %w", err)
	}
	defer func() { _ = sub.Unsubscribe() }()
	for i, b := range bundles {
		if err := nc.PublishRequest("$JS.API.DIRECT.GET."+StreamName(p)+"."+RecordSubject(p, run, b), inbox+"."+strconv.Itoa(i), nil); err != nil {
			return fmt.Errorf("read records: %w", err)
		}
	}
	patience := newPatience(nc)
	defer patience.Stop()
	for range bundles {
		m, err := patience.next(ctx, in)
		if err != nil {
			return fmt.Errorf("read records: %w", err)
		}
		i, err := strconv.Atoi(m.Subject[strings.LastIndexByte(m.Subject, '.')+1:])
		if err != nil || i < 0 || i >= len(out) {
			continue
		}
		switch status := m.Header.Get("Status"); status {
		case "404":
			if out[i], err = LastRecord(ctx, nc, p, run, bundles[i]); err != nil {
				return fmt.Errorf("read the record of bundle %s: %w", bundles[i], err)
			}
		case "":
			if out[i], err = storedOf(m); err != nil {
				return err
			}
		case "503":
			return fmt.Errorf("read records: %w", ErrNoStream)
		default:
			return fmt.Errorf("read records: %s %s", status, m.Header.Get("Description"))
		}
	}
	return nil
}

// storedOf reads the answer to a direct get.
func storedOf(m *nats.Msg) (Stored, error) {
	seq, err := strconv.ParseUint(m.Header.Get("Nats-Sequence"), 10, 64)
	if err != nil {
		return Stored{}, errors.New("a message without a sequence")
	}
	at, _ := time.Parse(time.RFC3339Nano, m.Header.Get("Nats-Time-Stamp"))
	return Stored{Seq: seq, Subject: m.Header.Get("Nats-Subject"), Time: at, Data: m.Data, Header: m.Header}, nil
}
