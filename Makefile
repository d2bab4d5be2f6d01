# The commands of this house. `make help` lists them.
PY ?= python3
V := .venv
B := $(V)/bin
ARGS ?=
UV ?= uv
COMPILE := $(UV) pip compile --quiet --universal --python-version 3.11 --generate-hashes \
	--no-emit-index-url --no-emit-find-links --no-header --no-annotate --group build

# Without compiled modules kept, each of the hundreds of processes that the tests begin would compile the house anew.
unexport PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := help
.PHONY: help setup run test check bench faults listservers screenshots lock clean

help: ## Show this list
	@grep -E '^[a-z]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z]+):.*## (.*)/  make \1|\2/' | column -t -s '|' 2>/dev/null \
	|| grep -E '^[a-z]+:.*## ' $(MAKEFILE_LIST)

setup: $(V)/.run ## Make .venv with everything the service needs, and .venv/bin/outreach

run: $(V)/.run ## Run the demo on the sandbox (ARGS="--exit-when-idle --json" passes options)
	@$(B)/outreach demo $(ARGS)

test: $(V)/.dev .cache/browser/.ready .cache/mailman/.ready ## Run every test (ARGS="-k name" passes options)
	@$(B)/python -m tests.warm
	$(B)/python -m pytest -q $(ARGS)

check: $(V)/.dev ## Check style, types and the direction of imports
	$(B)/ruff check .
	$(B)/ruff format --check .
	$(B)/mypy
	$(B)/lint-imports --no-cache

bench: $(V)/.dev ## Measure speed and memory against raw sqlite3 in the same run
	$(B)/python -m tests.bench $(ARGS)

faults: $(V)/.dev ## Prove the publishing protocol under faults (ARGS="--seed 7 --only 8 --posts 500 --json")
	@$(B)/python -m tests.faults $(ARGS)

listservers: $(V)/.dev .cache/mailman/.ready ## Play stories on real list and mail servers (ARGS="--only mlmmj --into DIR")
	@$(B)/python -m tests.listservers --fetch $(ARGS)

screenshots: $(V)/.dev .cache/browser/.ready ## Draw the pictures of the docs anew
	@$(B)/python -m tests.browser.screenshots

lock: ## Resolve both lock files again (needs uv; only a maintainer does this)
	$(COMPILE) pyproject.toml -o requirements.lock
	$(UV) pip compile --quiet --python-version 3.11 --generate-hashes --no-emit-index-url --no-emit-find-links \
		--no-header --no-annotate tests/listservers/mailman.in -o tests/listservers/mailman.lock
	$(COMPILE) --group dev --extra postgres --extra more-channels --extra dkim pyproject.toml -c requirements.lock -o requirements-dev.lock

clean: ## Remove what the other commands made
	rm -rf $(V) .cache .pytest_cache .mypy_cache .ruff_cache .hypothesis

$(V)/.venv:
	@echo "Setting up .venv (about a quarter of a minute) ..." >&2
	@$(PY) -m venv $(V) || { echo "Python could not make a virtual environment. On Debian: apt install python3-venv" >&2; exit 1; }
	@$(B)/python -m pip install --quiet --disable-pip-version-check pip==26.3
	@touch $@

$(V)/.run: requirements.lock pyproject.toml | $(V)/.venv
	@$(B)/python -m pip install --quiet --require-hashes -r requirements.lock
	@$(B)/python -m pip install --quiet --no-deps --no-build-isolation -e .
	@touch $@

.cache/browser/.ready: tests/browser/package-lock.json $(V)/.dev
	@$(B)/python -m tests.browser.fetch
	@mkdir -p $(@D) && touch $@

.cache/mailman/.ready: tests/listservers/mailman.lock $(V)/.dev
	@$(B)/python -m tests.listservers.fetch
	@touch $@

$(V)/.dev: requirements-dev.lock $(V)/.run
	@echo "Installing what the tests need ..." >&2
	@$(B)/python -m pip install --quiet --require-hashes -r requirements-dev.lock
	@touch $@
