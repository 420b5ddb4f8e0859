# The two commands: `make demo` shows cloudscan at work, `make test` runs every check. Both set up what they need.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
WORKERS ?= 3
# Behind a company's proxy only the machine's own certificates are of use; uv brings others unless told.
export UV_SYSTEM_CERTS ?= true
# Tests start dozens of processes. Where none may keep bytecode, each of them compiles everything again.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: help demo test format lint types rules unit campaign docs wheel release lock clean
.DEFAULT_GOAL := help

help:  ## Show this list
	@sed -n 's/^\([a-z]*\):.*## /\1\t/p' $(MAKEFILE_LIST) | expand -t 12

demo: $(VENV)/.demo  ## Scan a small company in an emulator and name the report
	@$(BIN)/cloudscan demo

test: $(VENV)/.dev $(VENV)/.system  ## Run every check: format, lint, types, rule examples, tests
	@$(MAKE) --no-print-directory --jobs=2 --keep-going --output-sync=line unit format lint types rules

format: $(VENV)/.dev
	$(BIN)/ruff format --check --quiet .

lint: $(VENV)/.dev
	$(BIN)/ruff check --quiet .
	@$(BIN)/oxlint --silent reports >/dev/null || $(BIN)/oxlint reports
	@$(BIN)/lint-imports --no-logo >/dev/null || $(BIN)/lint-imports --no-logo
	@$(BIN)/codespell

types: $(VENV)/.dev
	$(BIN)/mypy --no-error-summary

rules: $(VENV)/.dev
	$(BIN)/cloudscan rules lint
	$(BIN)/cloudscan rules test

unit: $(VENV)/.dev $(VENV)/.system
	$(BIN)/pytest --numprocesses $(WORKERS) --dist worksteal --quiet

campaign: $(VENV)/.dev $(VENV)/.system  ## Try random histories, properties and kills at length: hours
	$(BIN)/pytest --numprocesses $(WORKERS) --dist worksteal --hypothesis-profile campaign -m "hypothesis or campaign"
	PYTHONPATH=.:connectors:reports $(BIN)/python tests/bench/kill_campaign.py --twice

docs: $(VENV)/.dev  ## Build the site of the documentation into dist/docs; a link that leads nowhere fails
	$(BIN)/sphinx-build --quiet --fail-on-warning --keep-going --fresh-env -c docs . dist/docs
	@echo dist/docs/docs/index.html

wheel: $(VENV)/.dev  ## Build wheel and sdist into dist/, with the pins to install the wheel by
	$(BIN)/python -m build --no-isolation --outdir dist .
	$(BIN)/python tools/bundle.py dist

release: $(VENV)/.dev  ## Check, date the changelog, build, commit and tag: make release VERSION=0.2.0
	@$(BIN)/python tools/release.py $(VERSION)

lock: $(VENV)/.uv  ## Pin the newest versions that pyproject.toml allows
	sh tools/lock $(BIN)/uv

clean:  ## Remove everything that the commands above made
	rm -rf $(VENV) dist cloudscan-demo .mypy_cache .ruff_cache .pytest_cache .hypothesis

$(VENV)/.uv: requirements-uv.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "cloudscan needs Python 3.11 or newer; try: make PYTHON=python3.11 $(MAKECMDGOALS)" >&2; exit 1; }
	@$(PYTHON) -m venv $(VENV) || { echo "Python's venv module is missing; on Debian: apt-get install python3-venv" >&2; exit 1; }
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-uv.txt
	@touch $@

$(VENV)/.demo: $(VENV)/.uv requirements-demo.txt pyproject.toml
	@$(BIN)/uv pip install --quiet --python $(BIN)/python --require-hashes -r requirements-demo.txt
	@$(BIN)/uv pip install --quiet --python $(BIN)/python --no-deps --no-build-isolation --editable .
	@touch $@

$(VENV)/.dev: $(VENV)/.uv requirements.txt pyproject.toml
	@$(BIN)/uv pip install --quiet --python $(BIN)/python --require-hashes -r requirements.txt
	@$(BIN)/uv pip install --quiet --python $(BIN)/python --no-deps --no-build-isolation --editable .
	@touch $@ $(VENV)/.demo

$(VENV)/.system: tools/system-packages
	@sh tools/system-packages && touch $@
