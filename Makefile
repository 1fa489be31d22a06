# Needs Python 3.11 or newer (make install PYTHON=python3.13), make and a package index.
PYTHON ?= python3
JOBS ?= auto
BIN := .venv/bin
INSTALLED := .venv/.installed
LOCK := $(BIN)/pip-compile --quiet --generate-hashes --allow-unsafe --strip-extras --no-header \
	--no-annotate --no-emit-index-url --no-emit-trusted-host --no-emit-find-links

.PHONY: install demo serve test lint bench soak lock

install: $(INSTALLED)

$(INSTALLED): requirements.txt tests/requirements.txt pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "capi-bridge needs Python 3.11 or newer: make install PYTHON=python3.13" >&2; exit 1; }
	test -x $(BIN)/python || $(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --require-hashes --requirement requirements.txt
	$(BIN)/python -m pip install --quiet --require-hashes --requirement tests/requirements.txt
	PYTHONWARNINGS=ignore:Editable $(BIN)/python -m pip install --quiet --no-deps \
		--no-build-isolation --editable .
	@touch $(INSTALLED)

demo: install
	$(BIN)/capi-bridge demo $(ARGS)

serve: install
	$(BIN)/capi-bridge serve $(ARGS)

lint: install
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

# REQUIRE_ALL=1 makes a test fail that would be skipped for want of a tool.
test: lint
	$(BIN)/pytest -n $(JOBS) --dist worksteal $(ARGS)

bench: install
	$(BIN)/python -m benchmarks --json $(ARGS)

# A backlog of a million events: make soak, or fewer: make soak ARGS=50000
soak: install
	$(BIN)/python -m benchmarks.soak $(ARGS)

# Writes both lock files anew from pyproject.toml: runtime, and runtime plus tools.
lock: install
	$(LOCK) --output-file requirements.txt pyproject.toml
	$(LOCK) --extra dev --constraint requirements.txt --output-file tests/requirements.txt pyproject.toml
