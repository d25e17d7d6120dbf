# Everything the project does, one word each. All set-up happens in .venv, once; a stamp remembers it.

HOST ?= 127.0.0.1
PORT ?= 8000
RECIPE ?= mnist-vae-2d
PYTHON ?= python3
TORCH_INDEX ?= $(shell $(PYTHON) tools/torch_index.py)

VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip install --disable-pip-version-check --constraint constraints.txt
NODE := $(BIN)/python -m tools.node
TWO_AT_A_TIME := $(MAKE) --no-print-directory --keep-going -j2 $(and $(filter output-sync,$(.FEATURES)),--output-sync=target)
FAST := -p no:schemathesis -m 'not browser and not deploy and not server and not slow and not training'
OPTIONS :=
CLIENTS := build/clients
# typescript: openapi-ts takes the newest too, whose version 7 has not the functions that it calls
MAKERS := @hey-api/openapi-ts@0.95.0 typescript@5.9.3 @redocly/cli@2.77.0 @stoplight/spectral-cli@6.16.3

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help setup serve test test-fast test-web test-model test-app test-browser test-browsers test-exports test-deploy test-image test-ray check fix train bench audit release-check

help: ## list these commands
	@echo "Latent Explorer. Commands:"
	@sed -n 's/^\([a-z-]*\):.*## /  make \1\t/p' Makefile | expand -t 21
	@echo "Variables: HOST=$(HOST) PORT=$(PORT) (serve), RECIPE=$(RECIPE) (train), PYTHON=$(PYTHON),"
	@echo "  TORCH_INDEX= for PyTorch with CUDA, or the address of an index to take it from"

setup: $(VENV)/.dev node_modules/.package-lock.json ## make .venv and node_modules, with every tool
	$(BIN)/python -m tools.chromium

serve: $(VENV)/.serve ## run the explorer on http://HOST:PORT
	exec $(BIN)/python -m app --host $(HOST) --port $(PORT)

test: $(VENV)/.dev ## run the JavaScript, Python and browser tests, two at a time
	@$(BIN)/python -m tools.chromium
	@$(BIN)/python -m tools.programs
	@$(TWO_AT_A_TIME) test-browser test-app test-model test-web

test-fast: $(VENV)/.dev ## run the quick tests: no browser, no training, nothing slow
	@$(TWO_AT_A_TIME) test-app test-model test-web OPTIONS="$(FAST)"

test-web: $(VENV)/.dev
	$(NODE) node --test --test-reporter dot tests/web/*.test.js tests/web/*/*.test.js

test-model: $(VENV)/.dev
	$(BIN)/python -m pytest -q $(OPTIONS) tests/architecture tests/benchmarks tests/model

test-app: $(VENV)/.dev
	$(BIN)/python -m pytest -q $(OPTIONS) tests/app tests/deploy

test-browser: $(VENV)/.dev
	$(BIN)/python -m pytest -q $(OPTIONS) tests/browser

test-deploy: $(VENV)/.dev $(VENV)/.deploy $(CLIENTS)/.installed ## hold manifests to their published shapes, make clients, try a Jupyter proxy
	@$(BIN)/python -m tools.chromium
	$(BIN)/python -m pytest tests/deploy --ignore tests/deploy/test_ray.py

test-image: $(VENV)/.dev ## build the image without a daemon and try it: root, buildah, minutes
	@$(BIN)/python -m tools.chromium
	$(BIN)/python -m pytest tests/image/image.py

test-browsers: $(VENV)/.dev ## try the page in Firefox and WebKit: root on Debian, or both installed
	@$(BIN)/python -m tools.webdriver
	$(BIN)/python -m pytest tests/browsers/page.py

test-exports: $(VENV)/.dev ## try examples/export with each library: some gigabytes, once
	$(BIN)/python -m pytest tests/exports/exports.py

test-ray: $(VENV)/.dev $(VENV)/.ray ## try a Ray cluster of two nodes on this machine: docs/scaling.md
	$(BIN)/python -m pytest tests/deploy/test_ray.py

check: $(VENV)/.dev node_modules/.package-lock.json ## lint, check formats, types, arrows and API types
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/mypy --platform win32 --cache-dir .mypy_cache/win32 app model tools
	$(BIN)/mypy --platform darwin --cache-dir .mypy_cache/darwin app model tools
	$(BIN)/lint-imports
	$(NODE) tsc --project jsconfig.json
	$(NODE) node tools/oldest_browsers.js --check
	$(BIN)/python -m tools.api_types --check
	$(BIN)/python -m tools.recipe_fields --check

fix: $(VENV)/.dev node_modules/.package-lock.json ## mend what can be mended by itself
	$(BIN)/ruff check --fix
	$(BIN)/ruff format
	$(BIN)/python -m tools.api_types
	$(BIN)/python -m tools.recipe_fields

train: $(VENV)/.train ## fetch the data and train RECIPE; OPTIONS=--replace in the place of what ships
	$(BIN)/python -m model data
	$(BIN)/python -m model train $(RECIPE) $(OPTIONS)

bench: $(VENV)/.dev ## run every benchmark, one after the other
	@$(BIN)/python -m tools.chromium
	@for file in $$(grep -l __main__ benchmarks/*.py); do name=$${file%.py}; \
		echo "== $$name"; $(BIN)/python -m "benchmarks.$${name#benchmarks/}" || exit 1; done
	@echo "Against other servers (installs a gigabyte): $(BIN)/python -m benchmarks.peers"

audit: $(VENV)/.serve $(VENV)/.audit ## look for known faults and odd licences; write build/sbom.cdx.json
	$(BIN)/python -m tools.audit

release-check: $(VENV)/.dev $(VENV)/.release ## try the last commit as a stranger would, in a clone of its own
	$(BIN)/python -m tools.release_check

# --- set-up ---------------------------------------------------------------------------------------

$(VENV)/.pip: constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and \
		"Python 3.11 or newer is needed; this is " + sys.version + ". Say which: make PYTHON=python3.11")'
	@$(BIN)/python -m pip --version >/dev/null 2>&1 || $(PYTHON) -m venv --clear $(VENV)
	$(PIP) --quiet pip
	@touch $@

$(VENV)/.serve $(VENV)/.train $(VENV)/.dev $(VENV)/.audit $(VENV)/.deploy $(VENV)/.ray $(VENV)/.release: \
		$(VENV)/.pip pyproject.toml
	$(PIP) $(addprefix --extra-index-url ,$(TORCH_INDEX)) --group $(@:$(VENV)/.%=%)
	@touch $@

$(CLIENTS)/.installed: Makefile $(VENV)/.dev
	@mkdir -p $(CLIENTS)
	$(NODE) npm install --prefix $(CLIENTS) --no-save --no-fund --no-audit --ignore-scripts $(MAKERS)
	@touch $@

node_modules/.package-lock.json: package-lock.json package.json $(VENV)/.dev
	$(NODE) npm ci --no-fund --no-audit
	@touch $@
