# The whole of it: make run | test | lint | bench. Everything lives in this folder (.venv, .asterisk, .run) and /tmp.
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DELETE_ON_ERROR:
.NOTPARALLEL:

# Debian's own interpreter, when it is new enough: it runs this code 1.5 times as fast as one compiled without
# --enable-optimizations. `make PYTHON=…` takes another; .venv is made anew when it is of another one than this.
ifndef PYTHON
PYTHON := $(shell /usr/bin/python3 -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null \
  && echo /usr/bin/python3 || echo python3)
endif
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
# Each program with its Debian package: what demonstration and bench call, and what only tests call besides.
PROGRAMS := mmdebstrap:mmdebstrap sipp:sip-tester espeak-ng:espeak-ng sox:sox
TEST_PROGRAMS := prometheus:prometheus docker-compose:docker-compose systemd-analyze:systemd stunnel4:stunnel4 /usr/sbin/postfix:postfix
# Where it is set, each of hundreds of processes compiles all our code anew.
unexport PYTHONDONTWRITEBYTECODE
# Calls to place (make run CALLS=40), and STAY=0 to end when they are over.
export CALLS ?= 60
export STAY ?= 1
SOAK_CALLS ?= 100000

.PHONY: help setup setup-tests programs test-programs run test lint format acceptance wrap-ups worker-kills laws leading chaos fuzz bench bench-against soak lock lowest clean FORCE

help:
	@echo "make run        start everything, place calls, show them live; CALLS=40 STAY=0 ends by itself"
	@echo "make test       lint, then every test, on a real Asterisk and a real PostgreSQL"
	@echo "make wrap-ups   no agent is offered a call in a wrap-up: 1,000 ends of conversations"
	@echo "make worker-kills  a hundred workers, and a hundred engines that ring people for messages, are killed: nothing is lost or doubled"
	@echo "make laws       the laws of the record over 1,000 calls, by the telephones' own count"
	@echo "make fuzz       hostile input at every entrance: CASES=100000 SEED=1; make test has a short form"
	@echo "make leading    of eight engines that log in at the same instant one acts: 100 rounds"
	@echo "make chaos FAULT=NAME  rounds of real calls under a fault, at most 20 minutes; SEED=N again; without FAULT: their names"
	@echo "make lint       ruff, mypy, import-linter"
	@echo "make bench      the figures of bench/"
	@echo "make bench-against REV=…  the same of an earlier commit and of this tree, in pairs"
	@echo "make soak       SOAK_CALLS ($(SOAK_CALLS)) calls, 30 a second, and whether anything grows with them"
	@echo "make setup      what run and bench need: programs (as root), .venv, Asterisk; setup-tests: what tests need too"
	@echo "make lock       renew constraints.txt"
	@echo "make lowest     the tests that need no PBX, with the lowest versions that pyproject.toml allows"
	@echo "make clean      remove what was made here, Asterisk's root file system too; DATA=1: also .run/data"

setup: programs $(STAMP)
	@$(BIN)/python deploy/asterisk/pbx.py install >/dev/null

setup-tests: test-programs setup

programs: WANTED := $(PROGRAMS)
test-programs: WANTED := $(TEST_PROGRAMS)
programs test-programs:
	@missing=""; for pair in $(WANTED); do \
	  command -v "$${pair%%:*}" >/dev/null || missing="$$missing $${pair##*:}"; \
	done; \
	[ -z "$$missing" ] || sh deploy/setup/packages.sh $$missing

# Looked at every time, changed (and .venv filled anew) only when .venv is not a whole one of $(PYTHON).
$(VENV)/.interpreter: FORCE
	@sh deploy/setup/venv.sh "$(PYTHON)" $(VENV)

$(STAMP): $(VENV)/.interpreter pyproject.toml constraints.txt
	$(BIN)/python -m pip install -q --disable-pip-version-check -c constraints.txt -e '.[dev]'
	@touch $@

run: setup
	@$(BIN)/python -m deploy.demo.run

# Every worker reads all tests: they are compiled once, beside the linters, and not by each of seven at the same time.
test: setup-tests
	@$(BIN)/pytest -q --collect-only >/dev/null 2>&1 & compiled=$$!; \
	  $(MAKE) --no-print-directory lint || { kill $$compiled; exit 1; }; wait $$compiled || true
	$(BIN)/pytest -q -n 7 --dist loadgroup
	@CALLS=24 STAY=0 $(BIN)/python -m deploy.demo.run

acceptance: setup-tests
	$(BIN)/pytest -q tests/acceptance

lint: $(STAMP)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

format: $(STAMP)
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

# A thousand ends of conversations with callers waiting: some ten minutes (make test has a short form).
wrap-ups: setup-tests
	WRAP_UPS=1000 $(BIN)/pytest -q tests/asterisk/agents/test_wrap_up.py -k nobody_is_offered

# A hundred workers killed while messages come: some ten minutes (make test has a short form).
worker-kills: setup-tests
	WORKER_KILLS=100 $(BIN)/pytest -q tests/dispatch/test_killed.py tests/dispatch/test_sequence.py tests/acceptance/test_rung_killed.py -k killed

# A thousand calls, judged by the telephones' own count: some eight minutes (make test has a short form). Another run: LAWS_SEED=11.
laws: setup-tests
	LAWS_CALLS=1000 $(BIN)/pytest -q tests/laws -k the_laws_hold

# Every entrance: counts and seed stand at the end of what it prints; a finding fails. make test has a short form.
fuzz: setup-tests
	HYPOTHESIS_PROFILE=fuzz FUZZ_CASES=$(or $(CASES),100000) $(BIN)/pytest -q tests/fuzz \
	  --hypothesis-seed=$(or $(SEED),1)

# Some five minutes (make test has a short form).
leading: setup-tests
	LEADING_ROUNDS=100 $(BIN)/pytest -q tests/asterisk/leading/test_many.py

# Rounds of a fault, appended to bench/chaos.jsonl (make test has a short form of each). One round again: SEED=7 ROUND=3.
chaos: setup-tests
	@$(BIN)/python -m tests.chaos $(or $(FAULT),--help) $(if $(SEED),--seed $(SEED)) \
	  $(if $(LASTS),--lasts $(LASTS) --rounds 1) $(if $(ROUND),--first $(ROUND) --rounds 1 --all --leave)

bench: setup
	$(BIN)/python -m bench

bench-against: setup
	$(BIN)/python -m bench against $(REV)

soak: setup
	$(BIN)/python -m bench soak --calls $(SOAK_CALLS)

# A fresh environment, so that nothing installed by hand slips in.
lock:
	@folder=$$(mktemp -d); trap 'rm -rf "$$folder"' EXIT; \
	$(PYTHON) -m venv "$$folder"; \
	"$$folder/bin/pip" install -q --disable-pip-version-check '.[dev]'; \
	{ echo "# Versions that were tested together; pip installs exactly these. Renew with \`make lock\`."; \
	  "$$folder/bin/pip" freeze --all --exclude callrouter --exclude pip --exclude wheel; } > "$$folder/constraints.txt"; \
	mv "$$folder/constraints.txt" constraints.txt; rm -rf build

# Each lower bound as a pin; what the tests need besides is the newest there is.
lowest: setup-tests
	@folder=$$(mktemp -d); trap 'rm -rf "$$folder"' EXIT; \
	$(PYTHON) -m venv "$$folder"; \
	sed -n '/^dependencies/,/^]/s/>=/==/p; /^embedded/,/^]/s/>=/==/p' pyproject.toml | tr -d ' ",' > "$$folder/pins"; \
	"$$folder/bin/pip" install -q --disable-pip-version-check -r "$$folder/pins" \
	  hypothesis jsonschema numpy pytest pytest-asyncio pytest-xdist 'setuptools>=77'; \
	"$$folder/bin/pip" install -q --disable-pip-version-check --no-build-isolation --no-deps -e .; \
	"$$folder/bin/python" -m pytest -q -p no:cacheprovider \
	  tests/core tests/dialplan tests/store tests/api tests/runtime

# .run/data is what `callrouter up` keeps by default: calls and recordings. They are no rubbish.
clean:
	rm -rf $(VENV) .asterisk .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache build *.egg-info
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
	@if [ "$(DATA)" = 1 ]; then rm -rf .run; fi
	@if [ -d .run ]; then find .run -mindepth 1 -maxdepth 1 ! -name data -exec rm -rf {} +; fi
	@if [ -d .run/data ]; then echo "kept: .run/data (calls, recordings); 'make clean DATA=1' removes it too"; fi
