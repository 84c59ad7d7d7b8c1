# Everything a fresh machine needs is installed into .venv by these targets; only python3, git and make are assumed.
# WHEELHOUSE=DIR takes every package from that folder and uses no network at all.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
OFFLINE := $(if $(WHEELHOUSE),--no-index --find-links $(abspath $(WHEELHOUSE)))
SITE := build/site-venv
LOCKS := requirements.lock requirements-setup.lock
# Python keeps what it compiles, as do pytest's rewritten tests: a quarter of a run otherwise.
PYTEST := PYTHONDONTWRITEBYTECODE= $(BIN)/python -m pytest -q

.PHONY: help setup demo test test-all nightly cluster-tools test-cluster fidelity check lint types current golden schema site screenshots bench bench-check lock wheelhouse chart forge-apis clean

help:  ## what each target does
	@sed -nE 's/^([a-z-]+):.*## (.*)/\1\t\2/p' $(MAKEFILE_LIST) | expand -t 14

$(STAMP): $(LOCKS) pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "gen-env needs Python 3.11 or newer; set PYTHON=..." >&2; exit 1; }
	@$(PYTHON) -m venv --clear $(VENV) || { echo "python3 cannot make virtual environments here; install its venv module (Debian: python3-venv)" >&2; exit 1; }
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes $(OFFLINE) -r requirements-setup.lock
	@VIRTUAL_ENV=$(VENV) $(BIN)/uv pip install --quiet --compile-bytecode --require-hashes $(OFFLINE) -r requirements.lock
	@VIRTUAL_ENV=$(VENV) $(BIN)/uv pip install --quiet --no-deps --no-build-isolation $(OFFLINE) --editable .
	@touch $@

setup: $(STAMP)  ## install everything into .venv, hash-checked

demo: $(STAMP)  ## scaffold, validate, render and change two environments under build/demo
	@$(BIN)/python -m tools.demo

test: $(STAMP)  ## run the tests: every behaviour once
	@$(PYTEST) -n auto

test-all: $(STAMP)  ## run all tests that need no built program, with many examples
	@$(PYTEST) -n auto --set all

nightly: $(STAMP)  ## run the rest, part by part: real clusters, real Airflow, long searches for examples
	@.ci/nightly

forge-apis: $(STAMP)  ## fetch the forges' API descriptions and recorded deliveries for the tests (npm, Go; once)
	@$(BIN)/python -m tools.forge_published

cluster-tools: $(STAMP)  ## build the programs of a cluster for the cluster tests (Go; once)
	@$(BIN)/python -m tests.cluster.programs $(if $(WITHIN),--within $(WITHIN))

test-cluster: $(STAMP)  ## run the tests on a real cluster, as far as its programs are built (GEN_ENV_CRDS=DIR)
	@$(PYTEST) --set nightly tests/cluster

fidelity: $(STAMP)  ## score what diff predicts of 200 changes on a real API server, into docs/fidelity.md
	@$(BIN)/python -m tests.cluster.fidelity
	@$(BIN)/python -m tests.cluster.fidelity --engine flux

lint: $(STAMP)  ## ruff: style and formatting
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .

types: $(STAMP)  ## mypy, strict
	@$(BIN)/mypy

current: $(STAMP)  ## README, schemas, samples: up to date with the code
	@$(BIN)/python -m tools.current

check: lint types current test  ## what a change must pass before it is committed

golden: $(STAMP)  ## rewrite golden trees, README blocks, schemas and samples
	@$(BIN)/python -m tools.current --write
	@GEN_ENV_GOLDEN=write $(PYTEST) -n auto --set all -m golden

$(SITE)/.installed: requirements-docs.lock $(STAMP)
	@$(PYTHON) -m venv --clear $(SITE)
	@VIRTUAL_ENV=$(SITE) $(BIN)/uv pip install --quiet --require-hashes $(OFFLINE) -r requirements-docs.lock
	@touch $@

site: $(SITE)/.installed  ## the site of docs/ into build/site; a link that leads nowhere fails
	@NO_MKDOCS_2_WARNING=1 $(SITE)/bin/mkdocs build --strict

screenshots: $(STAMP)  ## take the pictures of the docs again (chromium, the official chart)
	@$(BIN)/python -m tools.screenshots

bench: $(STAMP)  ## measure speed and memory (prints; docs/performance.md records)
	@$(BIN)/python -m tools.bench

bench-check: $(STAMP)  ## whether gen-env got slower beside helm template, on a small repository
	@$(BIN)/python -m tools.bench --small --check

lock: $(STAMP)  ## renew the locked dependencies
	@$(BIN)/uv pip compile --quiet --universal --upgrade --generate-hashes --no-annotate --no-header --group dev pyproject.toml -o requirements.lock
	@$(BIN)/uv pip compile --quiet --universal --upgrade --generate-hashes --no-annotate --no-header --group docs -o requirements-docs.lock
	@printf 'uv\n' | $(BIN)/uv pip compile --quiet --universal --upgrade --generate-hashes --no-annotate --no-header - -o requirements-setup.lock

wheelhouse: $(STAMP)  ## fill WHEELHOUSE (default build/wheelhouse) for machines without a network
	@mkdir -p $(or $(WHEELHOUSE),build/wheelhouse)
	@$(BIN)/python -m pip download --quiet --require-hashes -d $(or $(WHEELHOUSE),build/wheelhouse) -r requirements-setup.lock
	@$(BIN)/python -m pip download --quiet --require-hashes -d $(or $(WHEELHOUSE),build/wheelhouse) -r requirements.lock
	@$(BIN)/python -m pip download --quiet --require-hashes -d $(or $(WHEELHOUSE),build/wheelhouse) -r requirements-docs.lock

clean:  ## remove what make made
	rm -rf $(VENV) build .pytest_cache .mypy_cache .ruff_cache .hypothesis
