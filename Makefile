# Two commands do all the set-up on a fresh Debian machine (as root, with make, git and Go >= 1.26):
#   make demo    see it work on three virtual machines
#   make test    everything that shows it is right
#   make lab-full  what takes longer
.PHONY: help build demo test lab-full unit seeds contract scenarios lab lab-down sim bench lint fmt generate packages clean

SHELL := /bin/bash
VERSION ?= $(shell git describe --tags --always --dirty 2>/dev/null || echo dev)
LDFLAGS := -s -w -X main.version=$(VERSION)
STATICCHECK := honnef.co/go/tools/cmd/staticcheck@v0.8.2
export CGO_ENABLED = 0

help: ## What can be made
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 14

build: ## build/holdfast and build/linstor, for amd64; ARCH=arm64 for the other
	@mkdir -p build
	GOARCH=$(or $(ARCH),amd64) go build -trimpath -ldflags '$(LDFLAGS)' -o build/holdfast$(if $(filter arm64,$(ARCH)),-arm64) ./cmd/holdfast
	@ln -sf holdfast build/linstor

demo: ## Three virtual machines, two acts: the tutorial and power cuts (at most 6 minutes), the life of a volume (3 more); ACT=1 or 2 plays one
	@packaging/host-packages lab
	@go run ./lab/demo $(if $(ACT),-act $(ACT))

test: ## All tests: unit, store, simulator, contract, lab; each announced with its time
	@packaging/host-packages test lab
	@go run ./test/all

lab-full: ## What takes too long for `make test`: the whole crash matrix, the lab with ZFS, every driver on real disks
	@packaging/host-packages test lab
	@HOLDFAST_LAB_FULL=1 go run ./test/all matrix lab

unit: ## The quick tests alone
	@packaging/host-packages test
	go vet ./...
	go test ./...

lab: ## Leave a cluster running to play with; `make lab-down` ends it
	@packaging/host-packages lab
	@go run ./lab/labctl cluster

lab-down: ## End the cluster of `make lab`
	@go run ./lab/labctl down

sim: ## The simulator: SEEDS=a..b runs these, SEED=n replays one with its trace
	@go run ./internal/sim/simrun $(if $(SEED),-seed $(SEED),-seeds $(or $(SEEDS),1..3000))

bench: ## Measure; prints a table and writes build/bench.json
	@mkdir -p build
	@go run ./internal/bench/benchrun -out build/bench.json

lint: ## gofmt, vet, staticcheck
	@test -z "$$(gofmt -l $$(git ls-files '*.go'))" || { gofmt -l $$(git ls-files '*.go'); echo 'run make fmt'; exit 1; }
	go vet ./...
	go run $(STATICCHECK) ./...

fmt: ## Format the code
	gofmt -w $$(git ls-files '*.go')

generate: ## Make the generated code again (needs protoc)
	go generate ./...

clean: ## Remove what was built; .lab keeps the image and is removed by hand
	rm -rf build
