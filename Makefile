# Everything here needs Python 3.11 or newer, make, and the package index that pip is set up with. Nothing else.
# Another interpreter: make setup PYTHON=/path/to/python3.12    Another environment: make test VENV=/path/to/venv

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
SHELL := /bin/sh
VENV ?= .venv
PYTHON ?=
UV ?= uv
ARGS ?=

BIN := $(VENV)/bin
REQUIREMENTS_STAMP := $(VENV)/.requirements-installed
PACKAGE_STAMP := $(VENV)/.package-installed
PIP := $(BIN)/python -m pip --disable-pip-version-check --no-input
PINS := pip compile -q --universal --python-version 3.11 --generate-hashes --no-header \
	--no-emit-index-url --no-emit-find-links

.PHONY: help setup demo phone-demo test lint types imports format pins demo-model clean

help: ## show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-11s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

setup: $(PACKAGE_STAMP) ## make .venv with the pinned requirements and the package itself

demo: setup ## play the demonstration calls; ARGS=--once ends by itself, ARGS='--calls FOLDER' plays your own
	@$(BIN)/callcenter demo $(ARGS)

# Where tests/asterisk/get-asterisk.sh has put one; without it the system's own is taken.
phone-demo: export ASTERISK_ROOT := $(or $(ASTERISK_ROOT),$(wildcard /var/cache/callcenter/asterisk))
phone-demo: setup ## six real calls on loopback with Asterisk and SIPp, in real time; ARGS as for demo
	@$(BIN)/callcenter demo --phones $(ARGS)

test: setup ## run the tests on SQLite; ARGS go to pytest
	$(BIN)/python -m pytest $(ARGS)

lint: setup ## ruff: rules and format
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: setup ## mypy, strict
	$(BIN)/mypy

imports: setup ## import-linter: imports point down only
	$(BIN)/lint-imports

format: setup ## let ruff write the format
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

pins: ## resolve requirements/*.txt anew with uv (ARGS=--upgrade takes newer versions); for every platform, with hashes
	@command -v $(UV) >/dev/null || { echo "make pins needs uv: install it (pip install uv) or say make pins UV=/path/to/uv" >&2; exit 1; }
	$(UV) $(PINS) $(ARGS) requirements/build.in -o requirements/build.txt
	$(UV) $(PINS) $(ARGS) pyproject.toml -o requirements/base.txt
	$(UV) $(PINS) $(ARGS) pyproject.toml --extra dev -c requirements/base.txt -c requirements/build.txt -o requirements/dev.txt

RECIPE := models/demo-zh/recipe
RECIPE_VENV ?= var/demo-model/venv
RECIPE_STAMP := $(RECIPE_VENV)/.requirements-installed

demo-model: $(RECIPE_STAMP) ## make the demo speech model anew in var/demo-model (hours); ARGS=--smoke tries every step in a minute
	$(RECIPE_VENV)/bin/python $(RECIPE)/build.py var/demo-model$(if $(findstring --smoke,$(ARGS)),/smoke) $(ARGS)

$(RECIPE_STAMP): $(RECIPE)/requirements.txt $(RECIPE)/requirements-voice.txt
	python3 -m venv $(RECIPE_VENV)
	$(RECIPE_VENV)/bin/python -m pip install -q -r $(RECIPE)/requirements.txt
	$(RECIPE_VENV)/bin/python -m pip install -q --no-deps -r $(RECIPE)/requirements-voice.txt
	@touch $@

clean: ## remove .venv and every cache
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache dist build

# The interpreters tried, in this order; the first that is 3.11 or newer and can make an environment is taken.
CANDIDATES := python3 python3.13 python3.12 python3.11 python3.14 python
CHECK := import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))

$(REQUIREMENTS_STAMP): requirements/build.txt requirements/dev.txt
	@if ! $(BIN)/python -m pip --version >/dev/null 2>&1; then \
		found=; \
		for candidate in $(or $(PYTHON),$(CANDIDATES)); do \
			if "$$candidate" -c '$(CHECK)' >/dev/null 2>&1; then found=$$candidate; break; fi; \
		done; \
		if [ -z "$$found" ]; then \
			echo "No usable Python found (tried: $(or $(PYTHON),$(CANDIDATES)))." >&2; \
			echo "Python 3.11 or newer with its venv and ensurepip modules is needed; name one: make setup PYTHON=/path/to/python3.11" >&2; \
			exit 1; \
		fi; \
		echo "making $(VENV) with $$found ($$("$$found" -c 'import platform; print(platform.python_version())'))"; \
		"$$found" -m venv --clear $(VENV); \
	fi
	$(PIP) install -q --require-hashes -r requirements/build.txt
	$(PIP) install -q --require-hashes --no-build-isolation --use-pep517 -r requirements/dev.txt
	@touch $@

$(PACKAGE_STAMP): $(REQUIREMENTS_STAMP) pyproject.toml
	$(PIP) install -q --no-deps --no-build-isolation --no-index -e .
	@touch $@
