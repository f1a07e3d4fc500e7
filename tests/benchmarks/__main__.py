"""`python -m tests.benchmarks [NAME...] [--quick]`, from the top of a checkout."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from benchmarks.run import main

sys.exit(main())
