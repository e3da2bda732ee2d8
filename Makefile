# Byline. `make chat` and `make test` do all set-up themselves.
# Written for GNU make 3.81 as well, which is the one that macOS has.

SHELL := /bin/sh
.DEFAULT_GOAL := help

# The question must arrive as it was typed. Make would expand every $ in it, and even run what looks like a call of
# its own functions; `value` is the text before expansion, and the shell sees only the name of a variable.
export BYLINE_QUESTION := $(value Q)
unexport Q

# A Python that is new enough: the one that PYTHON names, else the first that is found.
PYTHON ?=
export PYTHON
FIND_PYTHON = python=""; \
	for candidate in $${PYTHON:-python3.11 python3.12 python3.13 python3.14 python3}; do \
	  if "$$candidate" -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1; then \
	    python="$$candidate"; break; \
	  fi; \
	done; \
	if [ -z "$$python" ]; then \
	  if [ -n "$$PYTHON" ]; then echo "Byline needs Python 3.11 or newer; PYTHON=$$PYTHON is not, or does not run." >&2; \
	  else echo "Byline needs Python 3.11 or newer, and none was found. Install one, or name it: make chat PYTHON=/path/to/python3.11" >&2; fi; \
	  exit 1; \
	fi

BIN := .venv/bin
MODELS := default small minilm

.PHONY: help setup chat ask models index eval bench browser check test lock clean

help:  ## Show what can be done
	@grep -E '^[a-z]+:.*##' Makefile | sed -e 's/:.*## /:/' | awk -F: '{ printf "  make %-8s %s\n", $$1, $$2 }'

setup:  ## Make or mend .venv
	@$(FIND_PYTHON); exec "$$python" scripts/bootstrap.py

chat: setup  ## Open the chat in the browser
	@exec $(BIN)/byline chat

ask: setup  ## Answer in the terminal: make ask Q="Who founded Alibaba?"
	@if [ -z "$$BYLINE_QUESTION" ]; then echo 'Ask something: make ask Q="How big was Alibaba at its peak?"' >&2; exit 2; fi
	@exec $(BIN)/byline ask -- "$$BYLINE_QUESTION"

models: setup  ## Fetch and verify all models
	@$(BIN)/byline models fetch $(MODELS)

index: setup  ## Bring the index of seeds/ up to date
	@$(BIN)/byline index add seeds

eval: setup  ## Run the evaluation
	@$(BIN)/byline eval eval/seed_questions.jsonl

bench: models  ## Measure the speed of answers against a plain pipeline and the machine's limits
	@$(BIN)/python scripts/bench.py

browser: setup
	@$(BIN)/python scripts/ensure_browser.py

check: setup  ## Lint, types and import rules
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

test: models browser check  ## Run the whole test suite, set-up included
	$(BIN)/python -m pytest

lock: setup  ## Renew requirements.lock with the newest versions that pyproject.toml allows
	@$(BIN)/python scripts/renew_lock.py

clean:  ## Remove .venv and caches of tools; models and indexes stay
	rm -rf .venv .mypy_cache .pytest_cache .ruff_cache .hypothesis .import_linter_cache byline.egg-info
