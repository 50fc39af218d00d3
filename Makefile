# The commands of the project. `make` alone lists them; each makes the environment it needs.
# Works with GNU make 3.81 (macOS) and newer, and in a path with spaces: everything is relative.

TIER     ?= lou-2
PROFILE  ?= smoke
DURATION ?= 60s
SEED     ?= 1
RUN      ?=
OUT      ?=
ARGS     ?=

SHELL := /bin/sh
PALIER := tools/palier.sh
BIN := .venv/bin

# What these point to is not locked: the environment in .venv decides alone.
unexport PYTHONPATH PYTHONHOME

# Ends with 0, or with the sentence on stderr and 1.
SCHEMA_IS_CURRENT := import sys; from palier.model.jsonschema import SCHEMA_FILE, schema_text; \
    current = SCHEMA_FILE.read_text("utf-8") == schema_text(); \
    sys.exit(None if current else "error: tiers.schema.json is not current: make fmt writes it")

.DEFAULT_GOAL := help
.PHONY: help setup check fmt test test-all run show report gate demo bench lock clean
.PHONY: environment-run environment-dev

help: ## list these targets
	@echo 'usage: make TARGET [NAME=value ...]'
	@echo
	@awk -F ':.*## ' '/^[a-z][a-z-]*:.*## / { printf "  %-10s %s\n", $$1, $$2 }' Makefile
	@echo
	@echo 'now: TIER=$(TIER) PROFILE=$(PROFILE) DURATION=$(DURATION) SEED=$(SEED)'
	@echo 'more options of palier, pytest: ARGS="..."; everything else: .venv/bin/palier --help'

environment-run:
	@tools/setup.sh run

environment-dev:
	@tools/setup.sh dev

setup: environment-dev ## make .venv from the lock files (run and test do it themselves)
	@echo 'the environment is ready: .venv/bin/palier --help'

check: environment-dev ## format, lint, types, import contracts, generated files, documents
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/mypy tools benchmarks
	$(BIN)/lint-imports
	@echo 'is tiers.schema.json current?'
	@$(BIN)/python -c '$(SCHEMA_IS_CURRENT)'
	@echo 'has every requirement a test or a reason?'
	@$(BIN)/python tools/coverage_ids.py --check
	$(BIN)/pytest -q -n 0 -m 'not db and not e2e' tests/unit/test_project_*.py

fmt: environment-dev ## format the code, repair what the linter can, write generated files
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .
	$(BIN)/python -m palier.model.jsonschema
	$(BIN)/python tools/coverage_ids.py

test: environment-dev ## tests on real PostgreSQL, in parallel and in random order, without the slow ones
	$(BIN)/pytest -n 2 -m 'not slow' $(ARGS)

test-all: environment-dev ## all tests, the slow ones too
	$(BIN)/pytest -n 2 $(ARGS)

run: environment-run ## one run, from an empty machine to verdict and report: TIER= PROFILE= DURATION= SEED= OUT=
	@$(PALIER) run "$(TIER)" --profile "$(PROFILE)" --duration "$(DURATION)" --seed "$(SEED)" $(if $(OUT),--out "$(OUT)") $(ARGS)

show: environment-run ## what such a run would do, without touching anything: TIER= PROFILE= DURATION=
	@$(PALIER) show "$(TIER)" --profile "$(PROFILE)" --duration "$(DURATION)" --seed "$(SEED)" $(ARGS)

report: environment-run ## draw the reports of a run again from its files: RUN= (default: the newest)
	@run="$(RUN)"; [ -n "$$run" ] || run=$$(tools/newest_run.sh) && $(PALIER) report "$$run" $(ARGS)

gate: environment-run ## judge a run again from its files: RUN= (default: the newest)
	@run="$(RUN)"; [ -n "$$run" ] || run=$$(tools/newest_run.sh) && $(PALIER) gate "$$run" $(ARGS)

demo: environment-run ## the smallest tier for 20 s: the whole loop at a glance
	@$(PALIER) run lou-0 --profile "$(PROFILE)" --duration 20s --seed "$(SEED)" $(ARGS)

bench: environment-run ## what our own instruments cost, as ratios of one run
	@set -e; for file in benchmarks/*.py; do echo "$$file"; $(BIN)/python "$$file"; done

lock: ## write the lock files from pyproject.toml (needs uv): ARGS=--upgrade takes the newest
	tools/lock.sh $(ARGS)

clean: ## remove the environment and caches; runs/ stays
	@tools/clean.sh
