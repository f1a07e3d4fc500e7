"""`python -m enasdsl`: the same as the command `enasdsl`."""

from __future__ import annotations

import sys

from enasdsl.cli import main

sys.exit(main())
