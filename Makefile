# The two commands a newcomer types are `make demo` and `make test`; both do
# all set-up themselves on a machine with Go.

GO ?= go

.PHONY: demo test check bench faults build setup

## demo: three offices on this machine, one note on its way, proved at headquarters
demo: build
	./bin/liaison demo $(DEMO)

## test: every test of the project
test: setup
	$(GO) test ./...

## check: what CI runs beside the tests
check:
	./.ci/check

## bench: our figures beside the limits measured in the same run
bench:
	$(GO) run ./tools/bench $(BENCH)

## faults: offices are killed, starved and damaged; nothing acknowledged is lost
faults:
	$(GO) run -tags faults ./tools/faults $(FAULTS)

## build: the program, as bin/liaison
build:
	$(GO) build -o bin/ ./cmd/liaison

# setup installs what tests need and the machine lacks: Node.js re-computes the
# format vectors, PostgreSQL runs its engine of the store. Debian's packages, as
# root; elsewhere the tests say that they skipped.
setup:
	@./tools/setup
