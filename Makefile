# Two commands: `make report` builds the reports, `make test` runs every test.
# Both make the environment in .venv first, from the hashed locks, when it is not there yet.
PYTHON ?= python3
MIRROR ?= ../shared/data
BIN := .venv/bin
COMMA := ,
# An environment names its own folder: one that was moved or copied is made anew.
ELSEWHERE := $(shell test -f .venv/bin/activate && here=$$(cd .venv && pwd) && there=$$(cd .venv && pwd -P) && \
	! grep -qF -e "$$here" -e "$$there" .venv/bin/activate && rm -f .venv/locked-*)
LOCKED := .venv/locked-$(shell cksum < requirements.lock | cut -d ' ' -f 1)
RUN := $(LOCKED)-$(shell cksum < pyproject.toml | cut -d ' ' -f 1)
RUN_TESTS := $(LOCKED)-$(shell cksum < requirements-test.lock | cut -d ' ' -f 1)-tests

.PHONY: help report real check test tests campaign lint demo docs reference lock clean distclean
.DEFAULT_GOAL := help

help: ## Show what can be made
	@grep -hE '^[a-z]+:.*##' Makefile | sed -E 's/:.*## /\t/' | expand -t 12

report: $(RUN) ## Build the reports of the datasets named in config.yaml, or of DATASETS=a,b
	@$(BIN)/rupture-repair report $(subst $(COMMA), ,$(DATASETS))

real: $(RUN) ## Build the reports of four public datasets, from the folder MIRROR
	@if [ -d "$(MIRROR)" ]; then \
		$(BIN)/rupture-repair real --mirror "$(MIRROR)"; \
	elif [ -n "$$CI" ]; then \
		echo "make real: the folder $(MIRROR) with the public datasets is missing; here it must be there."; exit 1; \
	else \
		echo "make real: there is no folder $(MIRROR) with the public datasets, so nothing was built. Name it: make real MIRROR=path"; \
	fi

check: $(RUN) ## List every problem of the datasets, without running anything else
	@$(BIN)/rupture-repair check

test: $(RUN_TESTS) ## Check style and types, and run all tests
	@$(MAKE) --no-print-directory --jobs 2 lint tests

tests: $(RUN_TESTS)
	@$(BIN)/python -m pytest -n auto --dist loadfile --no-loadscope-reorder

campaign: $(RUN_TESTS) ## Try many simulated studies and damaged files, or PARTS of it; see docs/campaign.md
	@$(BIN)/python tests/helpers/campaign.py $(PARTS)

lint: $(RUN_TESTS)
	@$(BIN)/ruff check --quiet
	@$(BIN)/ruff format --check --quiet
	@$(BIN)/snakefmt --check Snakefile workflow/rules
	@$(BIN)/python tests/helpers/rules_lint.py
	@$(BIN)/mypy

demo: $(RUN) ## Write the synthetic demo dataset anew
	@$(BIN)/rupture-repair simulate

docs: $(RUN_TESTS) ## Build the documentation, without a network
	@$(BIN)/rupture-repair docs

reference: $(RUN) ## Write the reference values anew (needs R, see tests/reference/README.md)
	@for script in nested formulas real linear autoregressive logistic large pooling binary markov; do \
		Rscript tests/reference/$$script.R tests/reference "$(MIRROR)" || exit 1; done
	@$(BIN)/python tests/reference/statsmodels_third_opinion.py tests/reference

lock: ## Resolve the requirements anew (needs uv)
	uv pip compile $(LOCK) requirements.in -o requirements.lock
	uv pip compile $(LOCK) -c requirements.lock requirements-test.in -o requirements-test.lock

LOCK := --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
	--no-annotate --no-header

clean: ## Remove everything that the workflow made
	find data/processed reports -mindepth 1 ! -name .gitkeep -delete
	rm -rf logs docs/site .snakemake

distclean: clean ## Remove the environment as well
	rm -rf .venv

# Uses uv where it is installed, pip otherwise. uv does not compile what it installs unless asked;
# without that each step of the workflow takes about two seconds longer to begin.
INSTALL = if command -v uv >/dev/null 2>&1; then \
		uv pip install --quiet --compile-bytecode --python $(BIN)/python --require-hashes -r $(1); \
	else $(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r $(1); fi

$(LOCKED):
	@$(PYTHON) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] < (3, 14))' || \
		{ echo "Python 3.11, 3.12 or 3.13 is needed; found: $$($(PYTHON) --version 2>&1). Name another: make PYTHON=python3.12 report"; exit 1; }
	@echo "Setting up .venv (once, about a minute) ..."
	@rm -rf .venv
	@$(PYTHON) -m venv .venv
	@$(call INSTALL,requirements.lock)
	@touch $@

$(RUN): $(LOCKED)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps \
		--no-build-isolation --editable .
	@touch $@

$(RUN_TESTS): $(RUN)
	@$(call INSTALL,requirements-test.lock)
	@touch $@
