# Two commands do all the set-up: `make run` and `make test`. Both build .venv on first use.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
MEMBERS := strangler-gateway strangler-gateway/kit monolith extracted/chassis extracted/catalog benchmarks

export PIP_CONSTRAINT := $(CURDIR)/constraints.txt
export PIP_DISABLE_PIP_VERSION_CHECK := 1
export PATH := $(CURDIR)/$(BIN):$(PATH)

.DEFAULT_GOAL := help
.PHONY: help install run test check isolation bench bench-quick bench-gateway soak clean

help:  ## show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-14s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

install: $(STAMP)  ## create .venv and install every member with exact versions

$(STAMP): constraints.txt pyproject.toml $(addsuffix /pyproject.toml,$(MEMBERS))
	@PYTHON="$(PYTHON)" ci/install $(VENV) $(MEMBERS)
	@touch $(STAMP)

run: $(STAMP)  ## start the shop, the catalog service and the gateway; Ctrl-C ends them all
	@exec strangler up

test: $(STAMP)  ## everything that must hold: style, types, import contracts, all tests
	@ci/test

check: $(STAMP)  ## the quick part of `make test`: style, types, import contracts
	@ci/check

isolation: $(STAMP)  ## each member alone in a fresh environment; ARGS=catalog for one
	@ci/isolation $(ARGS)

bench: $(STAMP)  ## the same endpoints in Flask, Django, FastAPI and a service, a quarter of an hour; ARGS="--database postgresql"
	@python -m yardstick.frameworks $(ARGS)

bench-quick: $(STAMP)  ## the same in three minutes, on three endpoints
	@python -m yardstick.frameworks --quick $(ARGS)

bench-gateway: $(STAMP)  ## CPU per request of the gateway beside its peers; ARGS="--scenario all", idle, streams
	@ci/benchmarks $(ARGS)

soak: $(STAMP)  ## the long versions of the proofs
	@ci/soak

clean:  ## remove .venv, state and caches
	rm -rf $(VENV) .strangler .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis .benchmarks reports
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
