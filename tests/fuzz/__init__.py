"""Files that nobody would write, and what must hold for each of them: `python -m tests.fuzz`."""
