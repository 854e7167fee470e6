# Every target works on a fresh checkout with Python >= 3.11, cargo, make and a C compiler.

PYTHON ?= python3
VENV := .venv
OLDEST := .venv-oldest
BIN := $(VENV)/bin
PIP_INSTALL := -m pip install --quiet --disable-pip-version-check --require-hashes -r

DATA ?=
MODEL ?= schreiner-pk-2009
ROWS ?= 1000000

# What the extension is made of; its tables are compiled in.
RUST := $(shell find rust -name '*.rs' -o -name Cargo.toml) Cargo.toml Cargo.lock \
  $(wildcard python/nser_pmt/data/cnic/* python/nser_pmt/data/names/*)
OLDEST_TESTS := tests/unit tests/property

.DEFAULT_GOAL := help
.PHONY: help demo test bench lint docs format lock build clean

help: ## Show this list
	@grep -E '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

demo: $(VENV)/built ## From 1,000,000 synthetic forms to a payment list (ROWS=n; DATA=file.parquet MODEL=id: score yours)
	@$(BIN)/python demo/demo.py --model $(MODEL) --rows $(ROWS) $(if $(DATA),--data $(DATA))

test: $(VENV)/built $(VENV)/dev $(OLDEST)/installed ## Run every test: Rust, doctests, pytest, stubs, README, oldest Polars
	cargo test --locked --quiet -p nser_core
	$(BIN)/python -m pytest tests
	$(BIN)/python -m pytest --doctest-modules python/nser_pmt
	$(BIN)/python -m mypy.stubtest nser_pmt._native
	PYTHONPATH=python $(OLDEST)/bin/python -m pytest $(OLDEST_TESTS)

bench: $(VENV)/built $(VENV)/bench ## Measure against the peers; prints ratios
	$(BIN)/python benches/run.py

lint: $(VENV)/dev $(VENV)/built ## rustfmt, clippy, ruff, mypy: any warning is an error
	cargo fmt --all --check
	cargo clippy --locked --quiet --workspace --all-targets -- -D warnings
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/mypy tests/typing

docs: $(VENV)/built $(VENV)/docs ## Write the reference to build/docs: docstrings and docs/*.md
	$(BIN)/sphinx-build -W --keep-going --quiet -E -d build/doctrees docs build/docs
	@echo "build/docs/index.html"

format: $(VENV)/dev ## Format the sources
	cargo fmt --all
	$(BIN)/ruff check --fix-only .
	$(BIN)/ruff format .

lock: $(VENV)/dev ## Pin the newest versions of everything
	$(BIN)/python -m pip install --quiet uv
	cd requirements && for list in base dev bench docs oldest; do \
	  ../$(BIN)/uv pip compile $$list.in --upgrade --universal --python-version 3.11 \
	    $$(test ! -f $$list.overrides || echo --override $$list.overrides) \
	    --generate-hashes --no-header --no-emit-index-url --quiet -o $$list.txt; done
	cargo update

build: $(VENV)/built ## Build the extension into the virtual environment

clean: ## Remove everything that was made
	rm -rf target build dist $(VENV) $(OLDEST) python/nser_pmt/_native*.so

$(VENV)/base: requirements/base.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed")'
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@echo "installing what the library needs ..."
	@$(BIN)/python $(PIP_INSTALL) requirements/base.txt
	@touch $@

$(VENV)/dev: requirements/dev.txt $(VENV)/base
	@echo "installing what the tests need ..."
	@$(BIN)/python $(PIP_INSTALL) requirements/dev.txt
	@touch $@

$(VENV)/bench: requirements/bench.txt $(VENV)/dev
	@echo "installing the peers of the benches ..."
	@$(BIN)/python $(PIP_INSTALL) requirements/bench.txt --no-deps # the list is whole; see bench.overrides
	@touch $@

$(VENV)/docs: requirements/docs.txt $(VENV)/base
	@echo "installing what the reference is made with ..."
	@$(BIN)/python $(PIP_INSTALL) requirements/docs.txt
	@touch $@

$(VENV)/built: $(RUST) pyproject.toml $(VENV)/base
	@echo "building the extension (a minute the first time) ..."
	@VIRTUAL_ENV=$(abspath $(VENV)) $(BIN)/maturin develop --release --locked --quiet
	@touch $@

$(OLDEST)/installed: requirements/oldest.txt
	@test -x $(OLDEST)/bin/python || $(PYTHON) -m venv $(OLDEST)
	@echo "installing the oldest supported Polars ..."
	@$(OLDEST)/bin/python $(PIP_INSTALL) requirements/oldest.txt
	@touch $@
