# Two commands: `make demo` and `make test`. Both set up everything they need in .venv; the rest is for those who work on the project.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
CODE := klaviyo_sql tests tools benchmarks

.PHONY: demo test check format docs bench clean

demo: $(VENV)/installed
	@$(BIN)/klaviyo-sql demo

# Two processes, each with whole files of tests: what a file sets up is set up once.
test: $(VENV)/installed-dev check
	$(BIN)/pytest -n 2 --dist loadfile

# Everything that is no test: format, lint, types, import contracts, and documents that are out of date.
check: $(VENV)/installed-dev
	$(BIN)/ruff format --check $(CODE)
	$(BIN)/ruff check $(CODE)
	$(BIN)/mypy
	$(BIN)/lint-imports --no-logo
	$(BIN)/python tools/generate_docs.py --check
	$(BIN)/python tools/generate_extension_names.py --check

format: $(VENV)/installed-dev
	$(BIN)/ruff format $(CODE)
	$(BIN)/ruff check --fix $(CODE)

docs: $(VENV)/installed-dev
	$(BIN)/python tools/generate_docs.py
	$(BIN)/python tools/generate_extension_names.py

bench: $(VENV)/installed-dev
	$(BIN)/python benchmarks/scan.py
	$(BIN)/python benchmarks/latency.py
	$(BIN)/python benchmarks/bursts.py
	$(BIN)/python benchmarks/limits.py
	$(BIN)/python benchmarks/joins.py
	$(BIN)/python benchmarks/counts.py
	$(BIN)/python benchmarks/copies.py
	$(BIN)/python benchmarks/writes.py
	$(BIN)/python benchmarks/extension.py

clean:
	rm -rf $(VENV) .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "klaviyo-sql needs Python 3.11 or newer; name one with: make PYTHON=python3.11")'
	@$(PYTHON) -m venv $(VENV)

# Installed again when the dependencies change; the code itself is used where it lies.
$(VENV)/installed: $(BIN)/python pyproject.toml
	@echo "Setting up $(VENV) …"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable .
	@touch $@

$(VENV)/installed-dev: $(BIN)/python pyproject.toml
	@echo "Setting up $(VENV) …"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable ".[dev]"
	@touch $@ $(VENV)/installed
