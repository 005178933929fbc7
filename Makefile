# Realtime Hub: what one does with it. `make` alone lists the targets.

VERSION ?= $(shell git describe --tags --always --dirty 2>/dev/null || echo dev)
TYPESCRIPT := typescript@7.0.2
FUZZTIME ?= 10s

# The version is given here, so that a build needs no git.
BUILD := CGO_ENABLED=0 go build -trimpath -buildvcs=false -ldflags "$(if $(SYMBOLS),,-s -w )-X main.version=$(VERSION)"
STATICCHECK := go tool -modfile=tools.mod staticcheck

# With SHORT=1 the tests leave out what needs more than Go: Redis, Chromium and Node.
ifeq ($(SHORT),1)
  TEST_FLAGS := -tags short
  TEST_NEEDS :=
else
  TEST_NEEDS := redis chromium node
endif

.DEFAULT_GOAL := help
.PHONY: help run build test race cover sim fuzz bench bench-peers bench-docs test-peers check check-peers check-format check-vet check-lint check-fix check-tidy check-imports \
        check-systems check-page test-docker go-deps setup teardown logs isolate heal clean

help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

run: build ## two hubs and their pages in one process; needs nothing but Go
	exec bin/realtime-hub up

build: ## one static binary: bin/realtime-hub (SYMBOLS=1: with what profiles need)
	$(BUILD) -o bin/realtime-hub ./cmd/realtime-hub

## Tests

test: ## all tests but the containers' (SHORT=1: without Redis, Chromium and Node)
	@deploy/need.sh $(TEST_NEEDS)
	go test -count=1 -timeout 20m $(TEST_FLAGS) ./...

race: ## the same under the race detector
	@deploy/need.sh $(TEST_NEEDS) cc
	CGO_ENABLED=1 go test -race -count=1 -timeout 20m $(TEST_FLAGS) ./...

test-docker: ## the containers for real, as a user would (as root)
	@[ "$$(uname)" = Linux ] || { echo 'make test-docker: it looks at processes in /proc: run it on Linux' >&2; exit 1; }
	@deploy/need.sh docker compose redis chromium
	go test -tags docker -count=1 -v -timeout 20m -run '^TestDocker' ./e2e

cover: ## which lines the tests reach: bin/cover.html
	@deploy/need.sh $(TEST_NEEDS)
	@mkdir -p bin
	go test -count=1 $(TEST_FLAGS) -coverpkg=./... -coverprofile=bin/cover.out ./...
	go tool cover -html=bin/cover.out -o bin/cover.html

SEEDS ?= 1-10000

sim: ## the simulation of log rooms with SEEDS=from-to
	go test ./internal/hub/logroom -run TestSimulation -sim.seeds=$(SEEDS) -timeout 60m -v

fuzz: ## every fuzz target for FUZZTIME, 10s each
	@for package in $$(go list ./...); do \
	  for target in $$(go test -tags short -list '^Fuzz' $$package | grep '^Fuzz'); do \
	    echo "$$package $$target"; \
	    go test -tags short -run '^$$' -fuzz "^$$target\$$" -fuzztime $(FUZZTIME) $$package || exit 1; \
	  done; \
	done

## Measuring

COUNT ?= 6
BENCH ?= .

bench: ## Go benchmarks that BENCH matches, COUNT times each, for benchstat
	@deploy/need.sh $(TEST_NEEDS) >&2
	@go test -run '^$$' -bench '$(BENCH)' -benchmem -count $(COUNT) -timeout 60m $(TEST_FLAGS) ./...

# Its module is its own, so that what it compares with is not among our dependencies.
PEERS := benchmarks/peers
RUN ?=
PAIRS ?= 5

bin/compare: FORCE
	cd $(PEERS) && go build -o ../../bin/compare ./compare
FORCE:

bench-peers: bin/compare ## ours beside the floor, NATS, Socket.IO and others (RUN=scenario,…  PAIRS=5); Linux, two cores
	@deploy/need.sh redis node npm
	exec bin/compare run -run '$(RUN)' -pairs $(PAIRS)

bench-docs: bin/compare ## tables and charts of docs/performance.md from the last results
	bin/compare docs

test-peers: ## that each of these servers and what the generator speaks with it go together
	@deploy/need.sh redis node npm
	cd $(PEERS) && go test -count=1 -timeout 5m ./...

## Checks

check: check-format check-vet check-lint check-fix check-tidy check-imports check-systems check-page check-peers ## all but tests

check-format:
	@unformatted=$$(gofmt -l .); [ -z "$$unformatted" ] || \
	  { printf 'make check: not formatted:\n%s\n  → gofmt -w .\n' "$$unformatted" >&2; exit 1; }

check-vet:
	go vet ./...
	go vet -tags short ./...
	go vet -tags docker ./e2e

check-lint:
	$(STATICCHECK) ./...
	$(STATICCHECK) -tags docker ./e2e

check-fix: # the changes that it prints are to be made: go fix ./...
	go fix -diff ./...
	go fix -tags docker -diff ./e2e

check-tidy:
	go mod tidy -diff

check-imports:
	go test -count=1 ./internal/archtest

# People work on a Mac too, so there the tests have to compile as well.
check-systems:
	GOOS=darwin GOARCH=arm64 go vet ./...
	GOOS=windows GOARCH=amd64 go build -buildvcs=false ./...
	GOOS=linux GOARCH=arm64 go build -buildvcs=false ./...

# Neither building nor running needs Node: this looks at the types in the page's comments and at those of the client,
# where npm is, and in CI.
check-page:
	@if command -v npm >/dev/null || [ "$(CI)" = true ]; then \
	  for project in internal/web client/js; do \
	    (set -x; npm exec --yes --package=$(TYPESCRIPT) -- tsc -p $$project) || exit 1; \
	  done; \
	else echo 'make check: npm is not here, so the types of page and client are not checked; CI does it'; fi

# All but the program around NATS, which would have to be fetched for it: `-find` looks at no dependencies.
check-peers:
	@cd $(PEERS) && packages=$$(go list -find ./... | grep -v /servers/nats$$) && \
	  go vet $$packages && go fix -diff $$packages && go test -count=1 ./dialect ./report ./results ./scenario ./servers/floor

## Containers

go-deps: ## fetch the modules, and compare them with go.sum
	go mod download
	go mod verify

setup: ## start two hubs, two pages and Redis in containers, and wait until they are healthy
	@deploy/cluster.sh setup

teardown: ## remove the containers and what belongs to them
	@deploy/cluster.sh teardown

logs: ## follow what the containers log
	@deploy/cluster.sh logs

isolate: ## pause Redis, so that each hub is alone
	@deploy/cluster.sh isolate

heal: ## end that
	@deploy/cluster.sh heal

clean: ## remove what was built
	rm -rf bin
