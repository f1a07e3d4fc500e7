"""How fast the program is, as ratios to a rival or to a goal: `python -m tests.benchmarks`."""
