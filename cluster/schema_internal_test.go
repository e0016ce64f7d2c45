package cluster

import (
	"encoding/json"
	"fmt"
	"testing"
)

func TestSchemasAreRememberedUpToABound(t *testing.T) {
	s := NewSchemas()
	for i := range 3 * maxSchemas {
		text := json.RawMessage(fmt.Sprintf(`{"properties": {"key-%d": {}}}`, i))
		if first, again := s.read(text), s.read(text); !first.has(fmt.Sprint("key-", i)) || first != again {
			t.Fatalf("schema %d was not read, or read twice", i)
		}
	}
	if len(s.byText) > maxSchemas {
		t.Errorf("%d schemas are remembered", len(s.byText))
	}
}
