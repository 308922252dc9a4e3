# Each target makes .venv from the project's own files first. Another Python: make PYTHON=python3.12
PYTHON ?= python3
BIN := .venv/bin

.PHONY: help demo test test-live corpus bench fuzz sanitize lint types lock clean
.DEFAULT_GOAL := help

help: ## What can be made
	@sed -n 's/^\([a-z-]*\):.*## /  make \1\t/p' Makefile

demo: ## Two live audits of a tiny model, and a saved capture: one verdict of each kind
	@PYTHON="$(PYTHON)" sh scripts/venv.sh run
	@sh scripts/demo.sh

test: ## All tests
	@PYTHON="$(PYTHON)" sh scripts/venv.sh test
	@$(BIN)/python -m pytest -n auto

test-live: ## Real libraries with tiny models, run in sandboxes (goes online to install them)
	@PYTHON="$(PYTHON)" sh scripts/venv.sh test
	@sh scripts/live.sh docs/live.md

corpus: ## Flows and names held to the captures and truth below EGRESS_AUDIT_SHARED/corpus
	@PYTHON="$(PYTHON)" sh scripts/venv.sh test
	@$(BIN)/python scripts/corpus.py "$${EGRESS_AUDIT_SHARED:?names the folder that holds corpus/}/corpus"

BENCH ?= bench/out
bench: ## CPU and memory of a replay beside other programs; BENCH=FOLDER for 13 GB of captures
	@PYTHON="$(PYTHON)" sh scripts/venv.sh run
	@$(BIN)/python bench/replay.py "$(BENCH)"

SECONDS_EACH ?= 60
fuzz: ## Search for inputs that are too much for us, SECONDS_EACH=60 for each reader (goes online)
	@PYTHON="$(PYTHON)" sh scripts/venv.sh test
	@$(BIN)/python -m pip --disable-pip-version-check install -qq --require-hashes \
		--only-binary :all: -r requirements/fuzz.txt
	@$(BIN)/python -m fuzz.run --seconds $(SECONDS_EACH)

sanitize: ## The compiled hot path under the compiler's sanitizers, beside numpy
	@PYTHON="$(PYTHON)" sh scripts/venv.sh test
	@sh scripts/sanitize.sh

lint: ## Style, format, and which room may import which
	@PYTHON="$(PYTHON)" sh scripts/venv.sh test
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/lint-imports

types: ## Types
	@PYTHON="$(PYTHON)" sh scripts/venv.sh test
	@$(BIN)/mypy

lock: ## Pin the newest versions with their hashes (goes online)
	@PYTHON="$(PYTHON)" sh scripts/lock.sh

clean: ## Remove what was made
	rm -rf .venv build dist .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
