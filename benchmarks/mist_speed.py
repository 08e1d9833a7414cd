"""Seconds that one answer of MIST's network takes: its architecture with random weights.

    python benchmarks/mist_speed.py [--quick] [ROWSxCOLUMNS ...]

Makes MIST's environment and runs there, on one core, in inference mode, one problem at a time. The weights
have no part in the time, so this says nothing about accuracy. The sizes are those of MIST's configuration
for inference (`configs/inference/quickstart.yaml` in mist-statinf). Prints JSON.
"""

import argparse
import json
import os
import sys
import time
from typing import Any

import environments

# Its attention between all rows takes 3 GiB at 5,000 rows and 13 at 10,000.
MAX_ROWS = 5000
SIZES = ("100x2", "500x5", "2000x5", "2000x16")
# Of one side; MIST drops what lies beyond the width of its network, which is 64.
MAX_COLUMNS = 32


def main() -> None:
    """Times every size and prints the medians."""
    options = _options()
    if not environments.inside("mist"):
        raise SystemExit(environments.run_inside("mist", __file__, sys.argv[1:]))
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    import torch

    torch.set_num_threads(1)
    network = build()
    budget = 0.3 if options.quick else 3.0
    times = [_row(network, size, budget) for size in options.sizes or SIZES]
    parameters = sum(tensor.numel() for tensor in network.parameters())
    print(json.dumps({"torch": torch.__version__, "parameters": parameters, "times": times}))


def build() -> Any:
    """MIST's network at its published sizes, for inference."""
    from export_mist import shallow_mist
    from omegaconf import OmegaConf  # type: ignore[import-not-found]

    config = OmegaConf.load(shallow_mist() / "configs" / "inference" / "quickstart.yaml")
    from mist_statinf.model.estimator import MISTModel  # type: ignore[import-not-found]

    return MISTModel(**OmegaConf.to_container(config.architecture)).eval()


def seconds(network: Any, rows: int, columns: int, budget: float) -> list[float]:
    """Seconds of each answer to a sample of `rows` with `columns` on either side, for about `budget`."""
    import torch

    width = network.phi.embedding_mlp[0].in_features
    # As MIST lays it out: the columns of x, those of y, zeros up to the width.
    source = torch.zeros(1, rows, width)
    source[:, :, : 2 * columns] = torch.randn(1, rows, 2 * columns)
    times: list[float] = []
    with torch.inference_mode():
        network({"source": source})
        while sum(times) < budget and len(times) < 100:
            start = time.perf_counter()
            network({"source": source})
            times.append(time.perf_counter() - start)
    return times


def _row(network: Any, size: str, budget: float) -> dict[str, Any]:
    rows, columns = map(int, size.split("x"))
    if columns > MAX_COLUMNS or rows > MAX_ROWS:
        raise SystemExit(f"{rows}x{columns} is beyond {MAX_ROWS} rows or {MAX_COLUMNS} columns a side")
    times = seconds(network, rows, columns, budget)
    return {"n": rows, "dim": columns, "seconds": sorted(times)[len(times) // 2], "repeats": len(times)}


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--quick", action="store_true", help="fewer repeats")
    parser.add_argument("sizes", nargs="*", help=f"rows x columns of a side; default: {' '.join(SIZES)}")
    return parser.parse_args()


if __name__ == "__main__":
    main()
