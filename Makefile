# Everything that is done with this tree. `make help` lists it.
#
# Steps that install or lay out (venv, node, wheels, browsers) are quick when there is nothing to do, so every target
# that needs them asks for them. Two cores are assumed: nothing here runs more than two things at once.

PYTHON ?= python3
NPM ?= npm
VENV := .venv
PY := $(VENV)/bin/python
NODE_MODULES := js_bridge/node_modules
PYTHON_ROOTS := $(wildcard pyodide_runtime wheels tests e2e examples bench)

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
MAKEFLAGS += --no-print-directory

.PHONY: help
help: ## list the targets
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / {printf "  make %-13s %s\n", $$1, $$2}' $(firstword $(MAKEFILE_LIST))

# ---- what the rest needs

.PHONY: venv
venv: $(VENV)/installed ## the Python environment .venv, from requirements/dev.txt

$(VENV)/installed: requirements/dev.txt
	@echo "== venv: Python packages, pinned by hash; this takes a minute or so"
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed; this is " + sys.version)'
	@$(PYTHON) -c 'import ensurepip' || { echo "Python's venv is not installed; on Debian: apt-get install python3-venv"; exit 1; }
	$(PYTHON) -m venv $(VENV)
	$(PY) -m pip install --disable-pip-version-check --require-hashes --no-deps --only-binary :all: --quiet --progress-bar off -r requirements/dev.txt
	@touch $@

.PHONY: node
node: $(NODE_MODULES)/.installed ## the bridge's development tools, from js_bridge/package-lock.json

$(NODE_MODULES)/.installed: js_bridge/package.json js_bridge/package-lock.json
	@echo "== node: the bridge's development tools"
	cd js_bridge && $(NPM) ci --no-audit --no-fund
	@touch $@

.PHONY: wheels
wheels: venv ## what the browser loads, laid out in build/pyodide
	@echo "== wheels"
	$(PY) -m wheels lay-out --out build/pyodide

.PHONY: browsers
browsers: ## Chromium with its driver, and Firefox, from Debian's packages where they are missing
	@scripts/install-browsers

# ---- checks

.PHONY: lint
lint: venv node ## ruff and eslint
	@echo "== lint"
	$(VENV)/bin/ruff check $(PYTHON_ROOTS)
	$(VENV)/bin/ruff format --check --quiet $(PYTHON_ROOTS)
	cd js_bridge && $(NPM) run --silent lint

.PHONY: types
types: venv node ## mypy --strict and tsc
	@echo "== types"
	$(VENV)/bin/mypy $(PYTHON_ROOTS)
	cd js_bridge && $(NPM) run --silent types

.PHONY: unit
unit: venv ## the tests that need neither Pyodide nor a browser
	@echo "== unit"
	$(PY) -m pytest tests --ignore tests/pyodide -n 2 --dist worksteal

.PHONY: bridge
bridge: node ## the bridge's own tests
	@echo "== bridge"
	cd js_bridge && $(NPM) test --silent

.PHONY: pyodide
pyodide: wheels browsers ## the tests inside Pyodide, under Node and in Chromium
	@echo "== pyodide"
	$(PY) -m pytest tests/pyodide

.PHONY: e2e
e2e: wheels browsers ## the end-to-end tests, in pairs of real browsers
	@echo "== e2e"
	$(PY) -m pytest -p no:hypothesispytest e2e

.PHONY: test
test: ## everything: installs what is missing, then all checks in order, and a summary
	@scripts/run-steps venv node browsers wheels -- lint types unit bridge pyodide e2e

# ---- to use

.PHONY: demo
demo: venv wheels ## serve the Overcooked example, for two tabs
	$(PY) -m pyodide_runtime serve examples/overcooked.py

.PHONY: bench
bench: wheels browsers ## measure what a frame, a snapshot and a rollback cost: a table, and bench.json
	$(PY) -m bench

# As in `make soak SOAK="--minutes 60 --jobs 2"`.
SOAK ?=
.PHONY: soak
soak: venv ## many seeded sessions over bad virtual networks, each compared with a run without a network
	$(PY) -m bench.soak $(SOAK)

.PHONY: clean
clean: ## remove what the other targets made, the download cache included
	rm -rf $(VENV) build $(NODE_MODULES) .pytest_cache .mypy_cache .ruff_cache .hypothesis e2e/artifacts bench.json
	find $(PYTHON_ROOTS) -name __pycache__ -type d -prune -exec rm -rf {} +

# Only when requirements/dev.in changed: UV is any uv.
UV ?= uv
.PHONY: requirements
requirements: ## pin requirements/dev.in anew into dev.txt (needs uv)
	$(UV) pip compile --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header --no-config -q -o requirements/dev.txt requirements/dev.in
