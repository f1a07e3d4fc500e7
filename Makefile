# `make demo` and `make test` work in a fresh clone: both make the environment first.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
WORKERS ?= auto

.PHONY: demo test quick lint types check bench venv clean
venv: $(READY)

$(READY): pyproject.toml .ci/constraints.txt $(wildcard enasdsl/nn/native/*pp)
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c .ci/constraints.txt -e '.[dev]'
	touch $(READY)

# A search, chance beside it, the best architecture trained from scratch, and the figures: minutes
# on two cores, as the budgets see to it on busy ones.
# One thread: on matrices as small as these a second one costs more than it gives.
DEMO := runs/demo
CHANCE := runs/demo_chance
SEARCH := $(BIN)/enasdsl search rnn --data pydocs --recipe quick --budget 80s
demo: export OMP_NUM_THREADS := 1
demo: $(READY)
	@rm -rf $(DEMO) $(CHANCE)
	@echo "1 of 5: searches the paper's space of recurrent cells for one that models the prose of"
	@echo "        Python's manual; shared weights and a controller learn in turn, 80 s at most"
	$(SEARCH) --out $(DEMO)
	@echo "2 of 5: draws cells from the trained controller and ranks them by their shared weights"
	$(BIN)/enasdsl derive $(DEMO)
	@echo "3 of 5: the same by chance, without a controller, to compare with"
	$(SEARCH) --strategy random --out $(CHANCE)
	$(BIN)/enasdsl derive $(CHANCE)
	@echo "4 of 5: trains the best cell of the search from scratch, 1 minute at most"
	$(BIN)/enasdsl train $(DEMO) --budget 1m
	@echo "5 of 5: its perplexity on text that it has not seen; all of it is kept in $(DEMO)"
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

# What needs no torch and is not slow, in half a minute: for every save, where `test` is for every commit.
quick: $(READY)
	$(BIN)/pytest -n $(WORKERS) --quick -m 'not trains'

# On an idle machine: ratios to goals and to rivals, and what was lost since they were stored.
bench: $(READY)
	$(BIN)/python -m tests.benchmarks --compare

clean:
	rm -rf $(VENV) dist .mypy_cache .ruff_cache .pytest_cache .hypothesis
