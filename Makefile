# authgw: set up, try, test. `make` alone lists the goals. Works with GNU make 3.81 and newer.

SHELL  := /bin/sh
PYTHON ?= python3
VENV   ?= .venv
PORT   ?= 8080
SEED   ?=
ARGS   ?=
JOBS   ?= 2

# How much `make fuzz` does: requests shown to PHP, users and requests compared with the plain loop.
REQUESTS ?= 100000
CASES    ?= 1000

BIN   := $(VENV)/bin
STAMP := $(VENV)/.installed
LOCK  := $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes \
         --no-emit-index-url --no-header

.DEFAULT_GOAL := help
.PHONY: help setup demo test test-tools worlds check format fuzz bench bench-quick bench-tools lock readme clean

help: ## this list
	@echo 'make GOAL [NAME=value …]'
	@echo
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  %-11s %s\n", $$1, $$2 }' $(firstword $(MAKEFILE_LIST))
	@echo
	@echo '  PYTHON=python3.12  the interpreter .venv is made with (3.11 or newer)'
	@echo '  PORT=8080          where the demo listens, on the loopback address'
	@echo '  ARGS="-k login"    more arguments for pytest; JOBS=2: how many tests at once'
	@echo '  REQUESTS=100000 CASES=1000   how much make fuzz does; SEED=1 repeats a run whose seed was printed'

setup: $(STAMP) ## make .venv from the lock file, every package checked by its hash

$(STAMP): requirements.lock pyproject.toml .ci/venv
	@.ci/venv '$(PYTHON)' '$(VENV)'
	@echo 'setup: installing the packages of requirements.lock'
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	@echo 'setup: installing authgw itself'
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $@
	@echo 'setup: done'

demo: setup ## start the gateway before a VoIPmonitor look-alike with real call records
	@exec $(BIN)/authgw demo --port $(PORT)

test: setup test-tools ## the whole suite, against real servers
	@$(BIN)/pytest -n $(JOBS) --dist worksteal $(ARGS)

worlds: setup test-tools ## the logins against Keycloak and a Samba domain controller, as root, in a network of its own
	@.ci/worlds-tools
	@AUTHGW_WORLDS=1 unshare --net -- sh -c 'ip link set lo up && exec $(BIN)/pytest tests/worlds $(ARGS)'

test-tools:
	@.ci/test-tools

check: setup ## formatting, lint, strict types, the import rules
	@echo 'check: format';       $(BIN)/ruff format --check --quiet . || { echo 'check: run make format' >&2; exit 1; }
	@echo 'check: lint';         $(BIN)/ruff check --quiet .
	@echo 'check: types';        $(BIN)/mypy --no-error-summary
	@echo 'check: import rules'; $(BIN)/pytest -q tests/unit/test_layout.py

format: setup ## rewrite the sources the way check wants them
	@$(BIN)/ruff check --quiet --fix-only .
	@$(BIN)/ruff format .

bench: setup bench-tools ## measure beside other gateways, print tables, write bench/out/ (20 minutes)
	@$(BIN)/python -m bench.run $(ARGS)

bench-quick: setup bench-tools ## the same with few and short rounds (3 minutes)
	@$(BIN)/python -m bench.run --quick $(ARGS)

bench-tools:
	@bench/setup

fuzz: setup test-tools ## long runs of the generated tests; the seed is printed
	@$(BIN)/python tests/php/fuzz.py --count $(REQUESTS) $(if $(SEED),--seed $(SEED))
	@$(BIN)/python tests/oracle/fuzz.py --cases $(CASES) $(if $(SEED),--seed $(SEED))

lock: setup ## newest versions into the three lock files
	@$(LOCK) --upgrade --all-extras -o requirements.lock pyproject.toml
	@$(LOCK) --extra mysql --extra postgresql -c requirements.lock -o requirements-runtime.lock pyproject.toml
	@echo 'hatchling>=1.28' | $(LOCK) -c requirements.lock -o requirements-build.lock -
	@if grep -n '://' requirements*.lock; then echo 'lock: an address got into a lock file' >&2; exit 1; fi

readme: setup ## run the README's examples and write their output into it
	@$(BIN)/python tests/kit/readme_run.py

clean: ## remove .venv, caches and output
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .hypothesis bench/out tests/out dist
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
