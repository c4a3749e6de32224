# Everything that a person or a CI system runs here, by name; hooks and CI call these and nothing else.
# A fresh machine needs Python 3.11 or newer, a Rust toolchain, git and make; `make test` needs strace.

SHELL := /bin/sh
.DEFAULT_GOAL := help

# The first interpreter that is new enough; `make PYTHON=…` decides otherwise. A name on PATH may be
# a shim with nothing behind it, so each one is asked.
PYTHON ?= $(shell for name in python3 python3.13 python3.12 python3.11 python; do \
	if "$$name" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then \
	echo "$$name"; break; fi; done)

VENV := .venv
BIN := $(VENV)/bin
TOOLS := $(VENV)/.tools-installed
NATIVE := $(VENV)/.pipec-installed
PYTEST_WORKERS ?= auto

# What the native module is made of: when one of them changes, it is built again. Installing it with uv
# resolves nothing anew: what it needs is there, and an old pip does not know dependency groups.
NATIVE_SOURCES := Cargo.toml Cargo.lock pyproject.toml \
	$(shell find rust -name target -prune -o \( -name '*.rs' -o -name Cargo.toml \) -print)

.PHONY: help demo test test-quick test-rust fuzz fuzz-seeds bench bench-quick check check-python check-types \
	check-layers check-rust check-lock fix develop lock clean

help:  ## Lists the targets.
	@sed -n 's/^\([a-z-]*\):.*  ## /\1\t/p' Makefile | expand -t 14

demo: $(NATIVE)  ## Builds pipec and runs the `verify` job of examples/web-app.
	cd examples/web-app && PATH="$(abspath $(BIN)):$$PATH" pipec run verify

# The tests of a file share what one of them built: a process gets them all.
test: $(NATIVE) test-rust  ## Runs every test.
	$(BIN)/pytest -n $(PYTEST_WORKERS) --dist loadfile

test-quick: $(NATIVE)  ## Runs the Python tests that take no more than a few seconds each.
	$(BIN)/pytest -n $(PYTEST_WORKERS) -m "not real and not slow"

test-rust:
	cargo test --package pipec-core --locked --quiet
	cargo test --manifest-path fuzz/Cargo.toml --target-dir target --locked --quiet

# CONTRIBUTING.md says what for, and how to go on from a failure.
FUZZ_TARGETS ?= $(patsubst fuzz/fuzz_targets/%.rs,%,$(wildcard fuzz/fuzz_targets/*.rs))
FUZZ_SECONDS ?= 120

fuzz: fuzz-seeds  ## Feeds the core with made-up bytes, each target for FUZZ_SECONDS; needs cargo-fuzz.
	@for target in $(FUZZ_TARGETS); do echo "fuzzing $$target"; \
		cargo fuzz run --sanitizer none --features fuzzer "$$target" -- -max_total_time=$(FUZZ_SECONDS) \
		-max_len=4096 -timeout=10 -rss_limit_mb=1024 || exit 1; done

fuzz-seeds:
	cargo run --quiet --locked --manifest-path fuzz/Cargo.toml --example seeds

# Measures a release that it builds itself; benches/README.md says what the rows mean.
bench: $(TOOLS)  ## Measures pipec against the machine and other tools: an hour or more, on an idle machine.
	$(BIN)/python -m benches.run
	$(BIN)/python -m benches.overhead --keep
	$(BIN)/python -m benches.planning --keep
	$(BIN)/python -m benches.editor --keep

bench-quick: $(TOOLS)  ## Measures on small trees, in under two minutes.
	$(BIN)/python -m benches.run --quick

check: check-python check-types check-layers check-rust check-lock  ## Runs every linter and type checker.

check-python: $(TOOLS)
	$(BIN)/ruff check
	$(BIN)/ruff format --check

check-types: $(NATIVE)
	$(BIN)/mypy
	$(BIN)/python -m mypy.stubtest pipec._core

check-layers: $(NATIVE)
	$(BIN)/lint-imports

check-rust: $(TOOLS)
	cargo fmt --check
	PYO3_PYTHON="$(abspath $(BIN)/python)" cargo clippy --workspace --all-targets --locked --quiet -- -D warnings

check-lock: $(TOOLS)
	$(BIN)/python requirements/check.py

fix: $(TOOLS)  ## Repairs what the linters can repair.
	$(BIN)/ruff check --fix
	$(BIN)/ruff format
	cargo fmt

develop: $(TOOLS)  ## Builds the native module without optimisation, for a short edit-and-test loop.
	$(BIN)/maturin develop --locked --uv
	@touch $(NATIVE)

lock: $(TOOLS)  ## Writes the locked requirements anew from pyproject.toml, moving only what has to move.
	$(BIN)/uv pip compile --quiet --universal --generate-hashes --no-emit-index-url --python-version 3.11 \
		--custom-compile-command "make lock" --group dev pyproject.toml examples/web-app/requirements.txt \
		--output-file requirements/dev.txt
	$(BIN)/uv pip compile --quiet --universal --generate-hashes --no-emit-index-url --python-version 3.11 \
		--custom-compile-command "make lock" tests/real/requirements.in --output-file tests/real/requirements.txt
	cargo update --workspace

clean:  ## Removes everything that these targets made.
	rm -rf $(VENV) target build dist python/pipec/_core*.so examples/web-app/build examples/web-app/.pipec
	cargo clean --quiet --manifest-path examples/web-app/search/Cargo.toml

$(TOOLS): requirements/dev.txt
	@test -n "$(PYTHON)" || { echo "pipec needs Python 3.11 or newer on PATH" >&2; exit 2; }
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes --requirement requirements/dev.txt
	@touch $@

$(NATIVE): $(TOOLS) $(NATIVE_SOURCES)
	$(BIN)/maturin develop --release --locked --uv
	@touch $@
