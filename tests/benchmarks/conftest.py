"""The programs of `benchmarks/` import one another by their bare names; so do their tests."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent.parent / "benchmarks"))
