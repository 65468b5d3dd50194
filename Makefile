# `make` lists what there is to do.

VERSION ?= $(shell git describe --tags --always --dirty 2>/dev/null || echo unknown)
COMMIT  ?= $(shell git rev-parse HEAD 2>/dev/null || echo unknown)
APP     := github.com/cdfoundation/portal/internal/app
LDFLAGS := -X $(APP).version=$(VERSION) -X $(APP).commit=$(COMMIT)

CONTAINER ?= podman
FOR       ?= 20m
OPS     := .github/operations

.PHONY: help run build release image faults check test browser bench soak vendor-assets

help: ## list these commands
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-14s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

build: ## build bin/portal
	go build -ldflags '$(LDFLAGS)' -o bin/portal ./cmd/portal

# The same commit gives the same bytes with the same Go and C compilers, in whatever folder. Nothing of the machine's own is
# asked for names or users, and SQLite loads no extensions, so that nothing is left that has to be linked when it starts.
release: ## build bin/portal to be carried elsewhere: linked statically, reproducible
	CGO_ENABLED=1 go build -trimpath -buildvcs=false -tags netgo,osusergo,sqlite_omit_load_extension \
		-ldflags '-s -w -linkmode external -extldflags -static $(LDFLAGS)' -o bin/portal ./cmd/portal

# Podman's own format of images knows no health check.
image: ## build the container image portal with podman, or with CONTAINER=docker
	BUILDAH_FORMAT=docker $(CONTAINER) build --file $(OPS)/Containerfile --build-arg VERSION=$(VERSION) --build-arg COMMIT=$(COMMIT) --tag portal:latest .

# serve migrates an empty database by itself and refuses one that is behind.
run: build ## build, bring the database up to date and serve on http://127.0.0.1:8080
	bin/portal migrate
	bin/portal serve

# Linters are a module of their own, so that they decide about no version of the
# program's libraries. Go rebuilds the tool only when that module changes.
check: ## go vet and the linters: seconds, once they are built
	go vet ./...
	go -C internal/tools build -o ../../bin/golangci-lint github.com/golangci/golangci-lint/v2/cmd/golangci-lint
	bin/golangci-lint run ./...

# What takes longest begins first.
test: ## everything that CI runs: get what the tests need, check, test
	.ci/prepare
	$(MAKE) --no-print-directory check
	PORTAL_TEST_REQUIRE=1 go test -race -timeout 40m ./internal/app ./models ./...
	@echo
	@echo "Passed, nothing skipped for want of a program: sqlite, postgres, chromium, nu checker."

browser: ## the journeys in Chromium only, their pictures under bin/_artifacts
	mkdir -p bin
	PORTAL_TEST_REQUIRE=1 go test -count=1 -run '^TestBrowser' -artifacts -outputdir '$(CURDIR)/bin' ./...

faults: build ## break what is under the program, one thing after the other (minutes)
	$(OPS)/faults/run

# The large database is made once, in a quarter of an hour, and kept under bin.
bench: ## measure the portal beside its limits, into .github/BENCHMARK.md (minutes, on a machine that does nothing else)
	go run ./internal/bench bin/bench .github/BENCHMARK.md

soak: ## put a mixed load on a fresh portal for FOR (20m) and see whether it grows
	go run ./internal/bench soak $(FOR)

vendor-assets: ## fetch third-party files into static/vendor again (needs npm)
	static/vendor/update.sh
