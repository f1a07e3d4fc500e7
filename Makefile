# `make demo` and `make test` work in a fresh clone: both make the environment first.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
WORKERS ?= auto

.PHONY: demo test quick lint types check venv clean
venv: $(READY)

$(READY): pyproject.toml .ci/constraints.txt
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c .ci/constraints.txt -e '.[dev]'
	touch $(READY)

# A search, its best architecture trained from scratch, and the figures: minutes on two cores.
# One thread: on matrices as small as these a second one costs more than it gives.
DEMO := runs/demo
demo: export OMP_NUM_THREADS := 1
demo: $(READY)
	@rm -rf $(DEMO)
	@echo "1 of 4: searches the paper's space of recurrent cells for one that models the prose of"
	@echo "        Python's manual; shared weights and a controller learn in turn, 2 minutes at most"
	$(BIN)/enasdsl search rnn --data pydocs --recipe quick --budget 2m --out $(DEMO)
	@echo "2 of 4: draws cells from the trained controller and ranks them by their shared weights"
	$(BIN)/enasdsl derive $(DEMO)
	@echo "3 of 4: trains the best cell from scratch, 1 minute at most"
	$(BIN)/enasdsl train $(DEMO) --budget 1m
	@echo "4 of 4: its perplexity on text that it has not seen; all of it is kept in $(DEMO)"
	$(BIN)/enasdsl eval $(DEMO)

test: lint types check

lint: $(READY)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(READY)
	$(BIN)/mypy

# One thread for each worker: small tensors do not gain from more, and workers would fight for cores.
check: $(READY)
	OMP_NUM_THREADS=1 $(BIN)/pytest -n $(WORKERS)

# What needs no torch, in half a minute: for every save, where `test` is for every commit.
quick: $(READY)
	$(BIN)/pytest -n $(WORKERS) --quick -m 'not trains'

clean:
	rm -rf $(VENV) dist .mypy_cache .ruff_cache .pytest_cache .hypothesis
