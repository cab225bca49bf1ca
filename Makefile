# Everything is done by these names. `make help` says them.
PYTHON ?= python3
BIN := .venv/bin
.DEFAULT_GOAL := help
# The tests start hundreds of interpreters: each reads what was compiled, whatever the machine's habit.
unexport PYTHONDONTWRITEBYTECODE
# So many processes run the tests.
WORKERS ?= 2
# Of the pages of the demonstration, on this machine: `make run PORT=8001`.
PORT ?= $(or $(ABRI_PORT),8000)

.PHONY: help run demo-reset tour test engines lint bench assets screenshots requirements vectors clean

help: ## this list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## (.*)/  make \1|\2/' | column -t -s '|'

.venv/.run: requirements/run.txt pyproject.toml tools/environment
	@PYTHON=$(PYTHON) tools/environment run
	@touch $@

.venv/.test: .venv/.run requirements/test.txt
	@PYTHON=$(PYTHON) tools/environment test
	@touch $@

run: .venv/.run assets ## start the whole service with a demonstration structure, and print how to enter
	@$(BIN)/abri demo --port $(PORT)

demo-reset: .venv/.run assets ## make the demonstration anew
	@$(BIN)/abri demo --reset --only-reset

assets: .venv/.run ## fonts, icons and sounds, taken from packages
	@$(BIN)/python -m vault.assets.build

lint: .venv/.test ## style, types and walls
	@$(BIN)/ruff check . && $(BIN)/ruff format --check . && $(BIN)/mypy && $(BIN)/lint-imports

engines: ## PostgreSQL, an S3 server and a browser, for the tests
	@tools/engines

test: .venv/.run ## install what the tests need, then run everything
	@$(MAKE) --no-print-directory -j3 --output-sync=target .venv/.test assets engines lint
	@$(BIN)/python -m pytest -n $(WORKERS) --dist loadgroup

tour: .venv/.test assets engines ## walk the demonstration from end to end in a browser
	@$(BIN)/python -m pytest -q tests/journeys/test_tour.py

bench: .venv/.test assets engines ## ratios of speed, measured in one run
	@$(BIN)/python -m bench
	@$(BIN)/python -m bench.sharing
	@$(BIN)/python -m bench.leaving
	@$(BIN)/python -m bench.trace
	@$(BIN)/python -m bench.unlocking
	@$(BIN)/python -m bench.screens
	@$(BIN)/python -m bench.pages

screenshots: .venv/.test assets engines ## the pictures of the README and of docs/
	@$(BIN)/python -m tools.screenshots

requirements: ## compile requirements/*.in into pinned and hashed lists without any index address
	@uv pip compile -q --python-version 3.11 --generate-hashes --no-emit-index-url --no-annotate --no-header requirements/run.in -o requirements/run.txt
	@uv pip compile -q --python-version 3.11 --generate-hashes --no-emit-index-url --no-annotate --no-header requirements/test.in -c requirements/run.txt -o requirements/test.txt

vectors: .venv/.test ## compute the published vectors of docs/formats.md again
	@$(BIN)/python -m tests.vectors.make

clean: ## remove what was built and the demonstration
	@rm -rf .venv demo node_modules vault/web/static/built vault/assets/node_modules .mypy_cache .ruff_cache .pytest_cache .hypothesis
