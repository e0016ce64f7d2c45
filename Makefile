# Exosphere Orbit. `make help` lists the targets. Go, gcc and make are all that is needed; everything else is fetched by
# the Go tool and lands under bin/, which git ignores.

GO      ?= go
BIN     := bin


.DEFAULT_GOAL := help
.PHONY: help build install demo seed-demo test python seeds race planted vet lint fuzz bench soak chaos schema satellite-docs nats versitygw clean

help: ## list the targets
	@awk 'BEGIN {FS = ":.*## "} /^[a-z-]+:.*## / {printf "  %-15s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

build: ## build orbit, orbit-gateway and orbit-node into bin/
	@mkdir -p $(BIN)
	$(GO) build -o $(BIN)/ ./cmd/...

install: ## install the three commands into Go's bin folder
	$(GO) install ./cmd/...

demo: build ## run the example: a folder of PDF reports becomes JSON
	@scripts/demo.sh

seed-demo: build versitygw ## run the first published cluster: S3, PDF, model, webhook, logs, alerts and a mail, against servers on this machine
	$(GO) run ./scripts/seed-demo

test: vet nats versitygw ## run every test but the benchmarks
	$(GO) test ./...
	$(GO) test -tags planted -run Planted ./internal/orbittest
	@if command -v python3 >/dev/null; then $(MAKE) --no-print-directory python; else echo "python3 is not here: sdk/python is not tested"; fi

python: ## test the kit for satellites in Python; needs python3
	$(GO) test -tags python ./sdk/python

N ?= 500
FIRST ?= 1000
seeds: ## try N seeds of mixed faults, from FIRST
	$(GO) test ./internal/orbittest -run TestRunsSettleUnderRandomFaults -timeout 0 -seeds $(N) -first $(FIRST)

race: ## run every test under the race detector
	$(GO) test -race ./...

vet: ## gofmt and go vet
	@out=$$(gofmt -l $$(git ls-files '*.go')); if [ -n "$$out" ]; then echo "gofmt these files:"; echo "$$out"; exit 1; fi
	$(GO) vet ./...

lint: vet ## golangci-lint, where it is installed
	golangci-lint run

FUZZTIME ?= 30s
fuzz: ## fuzz every decoder for FUZZTIME each
	@scripts/fuzz.sh $(FUZZTIME)

bench: build ## measure: throughput, latency, idle load, joins, copies
	$(GO) run ./bench

ITEMS ?= 1000000
EVERY ?= 20s
soak: build ## ITEMS through three steps, with a kill -9 EVERY so often, and count what came of it
	$(GO) run ./bench -rounds 1 -items $(ITEMS) -every $(EVERY) soak

SEED ?= 1
MINUTES ?= 2
REPORT ?= $(BIN)/chaos-$(SEED).md
chaos: build ## kill, cut off and fill up real processes for MINUTES, as SEED says; as root it does more
	$(GO) build -o $(BIN)/ ./chaos
	$(BIN)/chaos -seed $(SEED) -minutes $(MINUTES) -bin $(BIN) -report $(REPORT)

schema: ## write docs/cluster.schema.json, the copy of `orbit schema` that the examples name
	$(GO) test ./internal/cli -run TestTheSchemaInDocs -update

satellite-docs: ## write docs/satellites, the manual pages that `orbit satellites` shows
	$(GO) test ./internal/cli -run TestThePagesInDocs -update

nats: $(BIN)/nats ## build the nats command line into bin/
$(BIN)/nats: tools/nats/go.mod tools/nats/go.sum
	@mkdir -p $(BIN)
	cd tools/nats && $(GO) build -o ../../$(BIN)/nats github.com/nats-io/natscli/nats

versitygw: $(BIN)/versitygw ## build the S3 server that tests run against into bin/
$(BIN)/versitygw: tools/versitygw/go.mod tools/versitygw/go.sum
	@mkdir -p $(BIN)
	cd tools/versitygw && $(GO) build -o ../../$(BIN)/versitygw github.com/versity/versitygw/cmd/versitygw

clean: ## remove what was built and what the example wrote
	rm -rf $(BIN) examples/quarterly-reports/reports examples/quarterly-reports/json
