package webhook

import (
	"net"
	"net/http"
	"net/url"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/exospherehost/orbit"
)

// A name is not looked up for this: what a resolver answers is up to the machine.
func TestAHostThatCannotBeFoundIsTriedAgain(t *testing.T) {
	req, err := http.NewRequest("GET", "http://nowhere.invalid/a?token=s3cret", nil)
	if err != nil {
		t.Fatal(err)
	}
	failed := &url.Error{Op: "Get", URL: req.URL.String(), Err: &net.OpError{Op: "dial", Err: &net.DNSError{Err: "no such host", Name: "nowhere.invalid", IsNotFound: true}}}
	want := orbit.Transient(orbit.CodeUnavailable, "GET http://nowhere.invalid/a: the host nowhere.invalid cannot be found")
	if d := cmp.Diff(want, fault(req, time.Second, failed)); d != "" {
		t.Errorf("fault (-want +got):\n%s", d)
	}
}
