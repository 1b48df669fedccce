# Everything a newcomer needs. `make run` and `make test` do all set-up themselves; Python >= 3.11 and make are enough.
PYTHON ?= $(shell for p in python3.13 python3.12 python3.11 python3; do \
	"$$p" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo "$$p" && break; done)
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.ready

.PHONY: setup run test soak bench lint lock docs clean

setup: $(STAMP)

$(STAMP): requirements.txt pyproject.toml
	@test -n "$(PYTHON)" || { echo "nightdesk needs Python 3.11 or newer: install it, or say make PYTHON=/path/to/python3"; exit 2; }
	@echo "Setting up $(VENV) with $$($(PYTHON) --version)"
	@$(BIN)/python -m pip --version >/dev/null 2>&1 || $(PYTHON) -m venv --clear $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --upgrade "pip>=24" "uv>=0.5"
	@# uv is many times faster; where it cannot reach a registry that pip is configured for, pip does it
	@$(BIN)/uv pip install --quiet --python $(BIN)/python --no-deps -r requirements.txt || \
		$(BIN)/python -m pip install --quiet --no-deps -r requirements.txt
	@$(BIN)/uv pip install --quiet --python $(BIN)/python --no-deps --editable . || \
		$(BIN)/python -m pip install --quiet --no-deps --editable .
	@touch $(STAMP)

run: setup
	@$(BIN)/nightdesk demo

# a file's tests stay in one process: they share what they set up
test: setup
	@$(BIN)/python -m pytest -n logical --maxprocesses 4 --dist loadfile

soak: setup
	@$(BIN)/python -m pytest -m soak

bench: setup
	@$(BIN)/python -m bench

lint: setup
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy

lock: setup
	@$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --all-extras --no-emit-index-url --no-header \
		--no-annotate pyproject.toml -o requirements.txt

docs: setup
	@$(BIN)/python -m tasks.publish.catalogue
	@NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --quiet --strict
	@echo "build/docs/index.html"

clean:
	rm -rf $(VENV) build dist *.egg-info .mypy_cache .ruff_cache .pytest_cache
