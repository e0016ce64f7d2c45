package boot

import (
	"strings"
	"testing"

	"github.com/rs/zerolog"
)

func TestANodeDoesNotStartWithAnEndpointThatNobodyAsksFor(t *testing.T) {
	n, err := StartNode(t.Context(), NodeConfig{Endpoints: map[string]string{"slak": "http://127.0.0.1:1"}}, Extra{Log: zerolog.Nop()})
	if err == nil {
		n.Stop(t.Context())
		t.Fatal("it has started")
	}
	if !strings.Contains(err.Error(), `no satellite asks for the service "slak"; those that are asked for are azure-blob, cloudwatch, datadog, discord, docling,`) {
		t.Error(err)
	}
}
