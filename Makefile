# What one types here.  Everything runs from .venv, which is made on the first use and made again when a lock changes.

.DEFAULT_GOAL := help
.PHONY: run demo test lint proof bench update sbom reset help
.DELETE_ON_ERROR:

# Everything here starts Python many times; without its bytecode each start would compile the application anew.
unexport PYTHONDONTWRITEBYTECODE

VENV := .venv
BIN := $(VENV)/bin
LOCKS := requirements/app.txt requirements/local.txt
UV_COMPILE = $(BIN)/uv pip compile --quiet --universal --fork-strategy fewest --python-version 3.11 --generate-hashes --no-emit-index-url \
	--no-emit-find-links --no-annotate --no-header pyproject.toml

run: $(VENV)/.installed ## start everything and serve on http://127.0.0.1:5000 (PORT, HOST, WORKERS, TLS=1, SCRIPTORIUM_*)
	@$(BIN)/python -m local run

demo: $(VENV)/.installed ## the same with believable people and texts, their sign-ins printed
	@$(BIN)/python -m local demo

test: $(VENV)/.installed-test ## every check and every test, browser included
	@$(BIN)/python -m local.chromium
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check --quiet .
	@$(BIN)/python -m pytest -n 3 --dist loadgroup -m "not proof"

lint: $(VENV)/.installed-test ## only the quick checks
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check --quiet .
	@$(BIN)/mypy
	@$(BIN)/lint-imports

proof: $(VENV)/.installed-test ## the full-length load, fault and attack suites, with a report
	@$(BIN)/python -m local.chromium
	@$(BIN)/python -m pytest -m proof

bench: $(VENV)/.installed-test ## the benchmarks with their peers, and the search among 200,000 documents
	@$(BIN)/python -m bench
	@$(BIN)/python -m bench.search

update: $(VENV)/.installed-test ## resolve the dependencies anew and lock them
	$(UV_COMPILE) --upgrade --output-file requirements/app.txt
	$(UV_COMPILE) --upgrade --extra local --constraint requirements/app.txt --output-file requirements/local.txt
	$(UV_COMPILE) --upgrade --extra local --extra test --constraint requirements/local.txt \
		--output-file requirements/test.txt
	@$(BIN)/python -m local.locks

sbom: $(VENV)/.installed ## the list of parts (CycloneDX JSON) in dist/sbom.json
	@$(BIN)/python -m local.sbom dist/sbom.json

reset: $(VENV)/.installed ## remove the local state after asking (YES=1: without)
	@$(BIN)/python -m local reset

$(VENV)/.installed: $(LOCKS) pyproject.toml requirements/install.sh
	@sh requirements/install.sh $(VENV) requirements/local.txt
	@touch $@

$(VENV)/.installed-test: requirements/test.txt pyproject.toml requirements/install.sh
	@sh requirements/install.sh $(VENV) requirements/test.txt
	@touch $(VENV)/.installed $@

help: ## this list
	@grep -hE '^[a-z]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z]+):.*## /  make \1\t/' | expand -t 16
