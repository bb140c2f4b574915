# The whole of it: make run | test | lint | bench. Everything lives in this folder (.venv, .asterisk, .run) and /tmp.
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DELETE_ON_ERROR:
.NOTPARALLEL:

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
# Debian package of each program that tests and demonstration call.
PROGRAMS := mmdebstrap:mmdebstrap sipp:sip-tester espeak-ng:espeak-ng sox:sox prometheus:prometheus \
  docker-compose:docker-compose systemd-analyze:systemd
# Calls to place (make run CALLS=40), and STAY=0 to end when they are over.
export CALLS ?= 60
export STAY ?= 1
SOAK_SECONDS ?= 1800

.PHONY: help setup programs run test lint format acceptance bench soak lock clean

help:
	@echo "make run        start everything, place calls, show them live; CALLS=40 STAY=0 ends by itself"
	@echo "make test       lint, then every test, on a real Asterisk and a real PostgreSQL"
	@echo "make lint       ruff, mypy, import-linter"
	@echo "make bench      the figures of bench/"
	@echo "make soak       calls for SOAK_SECONDS ($(SOAK_SECONDS))"
	@echo "make setup      what the others need: programs (as root), .venv, Asterisk"
	@echo "make lock       renew constraints.txt"
	@echo "make clean      remove what was made here, Asterisk's root file system too"

setup: programs $(STAMP)
	@$(BIN)/python deploy/asterisk/pbx.py install >/dev/null

programs:
	@missing=""; for pair in $(PROGRAMS); do \
	  command -v "$${pair%%:*}" >/dev/null || missing="$$missing $${pair##*:}"; \
	done; \
	if [ -n "$$missing" ]; then \
	  if [ "$$(id -u)" != 0 ] || ! command -v apt-get >/dev/null; then \
	    echo "make: these programs are missing: run 'sudo apt-get install$$missing' (or your system's equivalent)" >&2; \
	    exit 1; \
	  fi; \
	  apt-get update -q && DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends $$missing; \
	fi

$(STAMP): pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.version_info >= (3, 11) or sys.exit("make: Python 3.11 or newer is needed: make PYTHON=python3.12 …")'
	@[ -x $(BIN)/python ] || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install -q --disable-pip-version-check -c constraints.txt -e '.[dev]'
	@touch $@

run: setup
	@$(BIN)/python -m deploy.demo.run

test: setup lint
	$(BIN)/pytest -q -n 2 --dist loadgroup
	@CALLS=24 STAY=0 $(BIN)/python -m deploy.demo.run

acceptance: setup
	$(BIN)/pytest -q tests/acceptance

lint: $(STAMP)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/mypy --strict --explicit-package-bases --follow-imports=silent deploy/demo/*.py
	$(BIN)/mypy --strict deploy/asterisk/*.py
	$(BIN)/lint-imports

format: $(STAMP)
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

bench: setup
	$(BIN)/python -m bench

soak: setup
	@STAY=0 $(BIN)/python -m deploy.demo.run --for-seconds $(SOAK_SECONDS)

# A fresh environment, so that nothing installed by hand slips in.
lock:
	@folder=$$(mktemp -d); trap 'rm -rf "$$folder"' EXIT; \
	$(PYTHON) -m venv "$$folder"; \
	"$$folder/bin/pip" install -q --disable-pip-version-check '.[dev]'; \
	{ echo "# Versions that were tested together; pip installs exactly these. Renew with \`make lock\`."; \
	  "$$folder/bin/pip" freeze --all --exclude callrouter --exclude pip --exclude wheel; } > "$$folder/constraints.txt"; \
	mv "$$folder/constraints.txt" constraints.txt; rm -rf build

clean:
	rm -rf $(VENV) .asterisk .run .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache build *.egg-info
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
