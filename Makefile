# Everything a newcomer needs: `make demo`, `make test`. Python ≥ 3.11 is the only thing that must be there.

PYTHON ?= python3
VENV   ?= .venv
BIN    := $(VENV)/bin
OUT    ?= demo-out

.PHONY: demo test lint docs dist bench clean

demo: $(VENV)/.demo  ## the main job on the shipped networks and photograph, no download
	$(BIN)/srlens demo --out $(OUT)

test: $(VENV)/.dev  ## the whole suite; tests that need the reference data are skipped and counted where it is absent
	$(BIN)/python -m pytest -n auto --dist worksteal

lint: $(VENV)/.dev  ## style, types, layers
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

docs: $(VENV)/.dev  ## the site in docs/build/html: the gallery is executed, a warning is an error, a browser walks every page
	OMP_NUM_THREADS=2 $(BIN)/python -m sphinx -W --keep-going -q -b html docs docs/build/html
	$(BIN)/python -m pytest -q tests/docs/test_site.py

dist: $(VENV)/.dev  ## sdist and wheel in dist/, each tried in an empty environment
	rm -rf dist
	$(BIN)/python -m build --outdir dist
	$(BIN)/python -m twine check --strict dist/*
	$(BIN)/python tests/packaging/try_dist.py dist

bench: $(VENV)/.dev  ## speed and error against the authors' loop and Captum, and of fields
	$(BIN)/python benchmarks/bench.py
	$(BIN)/python benchmarks/field.py

clean:
	rm -rf $(VENV) $(OUT) build dist docs/build docs/api docs/gallery .mypy_cache .ruff_cache .pytest_cache .hypothesis

$(VENV)/bin/python:
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "srlens needs Python 3.11 or later")'
	$(PYTHON) -m venv $(VENV)

$(VENV)/.demo: $(VENV)/bin/python pyproject.toml
	$(BIN)/pip install --quiet --editable '.[study]'
	touch $@

$(VENV)/.dev: $(VENV)/bin/python pyproject.toml
	$(BIN)/pip install --quiet --editable '.[dev]'
	touch $@ $(VENV)/.demo
