package orbittest_test

import (
	"testing"

	"github.com/nats-io/nats-server/v2/server/ats"
)

func TestMain(m *testing.M) {
	ats.Register() // outside every bubble, or fake time stands still
	m.Run()
}
