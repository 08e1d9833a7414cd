"""`python -m mizzle` is the command `mizzle`."""

import sys

from mizzle.cli import main

if __name__ == "__main__":
    sys.exit(main())
