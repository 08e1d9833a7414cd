"""What can be trained by the gradients of `mizzle.torch`, beside what others reach: dated JSON.

    python benchmarks/gradients.py [--quick] [--only projections ...]

Parts that are not run are taken over from the newest result.
"""

import argparse
from collections.abc import Callable
from importlib import import_module
from typing import Final

import torch
from results import Row, Rows, print_table, read_newest, result_name, write_result

PARTS: Final = ("projections", "components", "digits", "nuisance", "bottleneck", "plane")


def main() -> None:
    """Runs the experiments, each a module of `differentiable`."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--quick", action="store_true", help="one draw or start of each")
    parser.add_argument("--only", nargs="+", choices=PARTS, default=PARTS)
    options = parser.parse_args()
    torch.set_num_threads(1)
    kind = result_name("gradients", options.quick)
    before = read_newest(kind)
    parts: Row = {name: before[name] for name in PARTS if name in before}
    for name in options.only:
        parts[name] = _rows(name, options.quick)
        print_table(name, [{k: v for k, v in row.items() if not isinstance(v, list)} for row in parts[name]])
        print(write_result(kind, parts), flush=True)


def _rows(name: str, quick: bool) -> Rows:
    rows: Callable[..., Rows] = import_module(f"differentiable.{name}").rows
    return rows(1) if quick else rows()


if __name__ == "__main__":
    main()
