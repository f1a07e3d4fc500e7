"""`python -m tests.fuzz --files 100000 --seed 0`, from the top of a checkout."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from fuzz.run import main

sys.exit(main())
