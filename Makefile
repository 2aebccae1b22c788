# Two commands for a fresh machine: `make demo` and `make test`.
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin

.PHONY: demo test check bench clean

demo: $(VENV)/installed
	$(BIN)/passband fit skimage:astronaut

test: $(VENV)/tested
	$(BIN)/ruff check . && $(BIN)/ruff format --check . && $(BIN)/mypy
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n 2  # one thread per process, in what they start too

check: $(VENV)/tested
	$(BIN)/ruff check --fix . && $(BIN)/ruff format . && $(BIN)/mypy

bench: $(VENV)/tested
	for script in benchmarks/*.py; do $(BIN)/python $$script || exit 1; done

$(VENV)/installed: pyproject.toml constraints.txt
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install -q -c constraints.txt -e .
	@touch $@

$(VENV)/tested: $(VENV)/installed
	$(BIN)/pip install -q -c constraints.txt -e .[test]
	$(BIN)/pip install -q -c constraints.txt --no-deps vocos encodec  # their torchaudio is not needed
	@touch $@

clean:
	rm -rf $(VENV) runs
