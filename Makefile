# Everything that is done with this tree. `make help` lists it.

PYTHON ?= python3
VENV := .venv
PY := $(VENV)/bin/python

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:

.PHONY: help
help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-13s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

.PHONY: venv
venv: $(VENV)/installed ## the Python environment .venv, from requirements/dev.txt

$(VENV)/installed: requirements/dev.txt
	@echo "== venv: Python packages, pinned by hash"
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed, this is " + sys.version)'
	$(PYTHON) -m venv $(VENV)
	$(PY) -m pip install --disable-pip-version-check --require-hashes --no-deps --only-binary :all: --progress-bar off -r requirements/dev.txt
	@touch $@

# Maintainers only, when requirements/dev.in changed: UV is any uv.
UV ?= uv
.PHONY: requirements
requirements: ## pin requirements/dev.in anew into dev.txt (needs uv)
	$(UV) pip compile --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header --no-config -q -o requirements/dev.txt requirements/dev.in
