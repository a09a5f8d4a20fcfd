# Everything a person or a build server calls; `make` alone prints this list.
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory

PYTHON ?= python3
BIN := .venv/bin
PORT ?= 8000
AGENT_PORT ?= 8001
DATA ?= data
AGENTS ?= 20
SEED ?= 1
DB ?= sqlite
# How many parts of `make check` and `make test` run at once; two processors are the least there is.
BESIDE ?= 2
# SECONDS is a variable of bash itself: only a value that make was given counts.
CHAOS_SECONDS = $(if $(filter command line environment,$(origin SECONDS)),$(SECONDS),600)

CODE := services libs gateway agent tests bench
# Only folders that exist: the benchmarks and a few rooms grow with the product.
PRESENT = $(wildcard $(CODE))
NODE := requirements/with-node.sh
API_TYPES := frontend/src/api/schema.d.ts
SPA_SOURCES = $(shell find frontend -type d \( -name node_modules -o -name dist \) -prune -o -type f -print 2>/dev/null)
SHELL_FILES = $(shell git grep -lE '^\#!.*\b(ba)?sh\b' -- ':!frontend' ':!*.md' ':!*.py')

.PHONY: help setup run up down test test-pg e2e bench chaos fuzz demo fmt lint types check migrate migration openapi authorization limits sbom

help: ## print this list
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / {printf "  make %-11s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

# --- Environment -----------------------------------------------------------------------------

setup: $(BIN)/.runtime frontend/dist/index.html ## make the Python environment and build the console

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
	  || { echo "Python 3.11 or newer is needed; say which: make PYTHON=python3.11"; exit 1; }
	@$(PYTHON) -c 'import venv, ensurepip' 2>/dev/null \
	  || { echo "Python's venv module is missing: apt-get install python3-venv"; exit 1; }
	$(PYTHON) -m venv .venv

$(BIN)/.runtime: $(BIN)/python requirements/runtime.lock requirements/installer.lock pyproject.toml
	requirements/install.sh runtime
	$(BIN)/python -m pip --disable-pip-version-check --quiet install --no-deps --no-build-isolation --editable .
	@touch $@

$(BIN)/.dev: $(BIN)/.runtime requirements/dev.lock
	requirements/install.sh runtime dev
	@touch $@

frontend/node_modules/.installed: frontend/package-lock.json | $(BIN)/.runtime
	$(NODE) npm --prefix frontend ci --no-fund --no-audit
	@touch $@

frontend/dist/index.html: frontend/node_modules/.installed $(SPA_SOURCES)
	$(NODE) npm --prefix frontend run build
	@touch $@

# --- Running ---------------------------------------------------------------------------------

run: setup ## start the platform here and run a first script (ONCE=1: stop after it)
	@exec $(BIN)/opsjob up --data-dir $(DATA) --port $(PORT) --agent-port $(AGENT_PORT) --first-run $(if $(filter 1,$(ONCE)),--once)

demo: setup ## run a script on many real agents on this machine (AGENTS=20)
	@exec $(BIN)/opsjob demo --agents $(AGENTS)

up: ## start the scaled profile with Docker Compose (needs .env)
	docker compose up --build --detach --wait

down: ## stop the scaled profile; volumes stay
	docker compose down

migrate: $(BIN)/.runtime ## bring the databases of OPSJOB_DATABASE_URL up to date
	$(BIN)/opsjob migrate

migration: $(BIN)/.dev ## write a migration from the models (SERVICE=hosts MESSAGE="add tags")
	$(BIN)/python -m services.embedded.drafting "$(SERVICE)" "$(MESSAGE)"

openapi: $(BIN)/.dev frontend/node_modules/.installed ## write the API's description and the console's client types
	$(BIN)/python -m services.embedded.describing > frontend/openapi.json.new
	mv frontend/openapi.json.new frontend/openapi.json
	$(NODE) npm --prefix frontend run --silent generate
	PYTHONPATH=. $(BIN)/python -m tests.architecture.limits

authorization: $(BIN)/.dev ## write docs/authorization.md from the policies of the routes
	PYTHONPATH=. $(BIN)/python -m tests.matrix.table

limits: $(BIN)/.dev ## write docs/limits.md from settings, constants and the API's description
	PYTHONPATH=. $(BIN)/python -m tests.architecture.limits

sbom: $(BIN)/python ## list the parts of a release (CycloneDX) from the locks, in dist/
	@mkdir -p dist
	$(BIN)/python -I requirements/sbom.py > dist/opsjob.cdx.json.new
	mv dist/opsjob.cdx.json.new dist/opsjob.cdx.json

# --- Tests -----------------------------------------------------------------------------------

# What takes longest begins first. Each part tells its story when it is over.
PARTS := test-postgres test-rest test-whole test-agents test-console
APART := agent architecture deploy e2e chaos bench

test: ## run every test that `make check` does not: console, services on both databases, whole platform
	@$(MAKE) $(BIN)/.dev setup
	requirements/chromium.sh
	requirements/slapd.sh
	@$(MAKE) --keep-going --jobs=$(BESIDE) --output-sync=target $(PARTS)

.PHONY: $(PARTS)
$(PARTS): $(BIN)/.dev
test-postgres:
	$(BIN)/pytest -q --db postgres -k "not bad_input" tests/libs/kit tests/services
test-rest:
	$(BIN)/pytest -q -m "not long" $(APART:%=--ignore=tests/%)
test-whole:
	$(BIN)/pytest -q -m "not long" --ignore=tests/deploy/test_compose.py tests/e2e tests/deploy tests/chaos tests/bench
test-agents:
	$(BIN)/pytest -q -m "not long" tests/agent
test-console: frontend/node_modules/.installed
	$(NODE) npm --prefix frontend run test

test-pg: $(BIN)/.dev ## run the Python tests on PostgreSQL
	$(BIN)/pytest -q --db postgres

e2e: $(BIN)/.dev setup ## run the journeys through real processes and a browser
	requirements/chromium.sh
	requirements/slapd.sh
	$(BIN)/pytest -q tests/e2e

bench: $(BIN)/.dev setup ## measure and print figures (ONLY=name N=size PEERS=1)
	@$(BIN)/python -m bench $(if $(ONLY),--only $(ONLY)) $(if $(N),-n $(N)) $(if $(filter 1,$(PEERS)),--peers)

chaos: $(BIN)/.dev ## hurt a running platform and check every invariant (SECONDS=600 SEED=1 DB=sqlite)
	@$(BIN)/python -m tests.chaos --seconds $(CHAOS_SECONDS) --seed $(SEED) --db $(DB)
	$(BIN)/pytest -q -m long --db $(DB) tests/chaos

fuzz: $(BIN)/.dev ## send thousands of generated requests, compare rights with a plain model (SEED=1 DB=sqlite)
	FUZZ_SEED=$(SEED) $(BIN)/pytest -q -m long --db $(DB) tests/matrix

# --- Checks ----------------------------------------------------------------------------------

fmt: $(BIN)/.dev ## format the Python code
	$(BIN)/ruff check --fix --quiet $(PRESENT)
	$(BIN)/ruff format $(PRESENT)

lint: $(BIN)/.dev ## lint Python, shell and Docker files; import contracts
	$(BIN)/ruff check $(PRESENT)
	$(BIN)/ruff format --check $(PRESENT)
	PYTHONPATH=. $(BIN)/lint-imports --no-cache
	$(BIN)/shellcheck $(SHELL_FILES)
	$(BIN)/hadolint deploy/docker/*.Dockerfile

types: $(BIN)/.dev ## type-check the Python code
	$(BIN)/mypy

CHECKS := types check-tree lint check-console

check: ## everything that must hold before a test runs
	@$(MAKE) $(BIN)/.runtime
	@$(MAKE) --jobs=$(BESIDE) --output-sync=target $(CHECKS)

.PHONY: check-tree check-console
check-tree: $(BIN)/.dev
	$(BIN)/pip-licenses --summary --order=count
	$(BIN)/pytest -q tests/architecture tests/deploy/test_compose.py
# The types of the console are checked by its build.
check-console: frontend/dist/index.html
	$(NODE) npm --prefix frontend run lint
	@cp $(API_TYPES) $(BIN)/.schema.d.ts && $(NODE) npm --prefix frontend run --silent generate >/dev/null \
	  && cmp $(API_TYPES) $(BIN)/.schema.d.ts || { echo "The console's API types were stale; run: make openapi"; exit 1; }
