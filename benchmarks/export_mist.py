"""Exports the test sets of MIST (mist-statinf): its own generator, its own two configurations.

    python benchmarks/export_mist.py [--reduced] [--seed S ...]

Makes an environment of its own and runs there; mizzle never imports MIST. Files that are there and
intact are left alone.
"""

import argparse
import random
import sys
from collections.abc import Callable
from functools import cache, partial
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType
from typing import Any

import environments
import numpy as np
from exports import CACHE, Case, intact, write_export

PACKAGES = ["mist-statinf", "benchmark-mi", "jax", "jaxlib", "numpy", "scipy"]
SEEDS = (90, 91)
CONFIGS = {"seen": "test_imd.yaml", "unseen": "test_oomd.yaml"}


def main() -> None:
    """Writes one file per split and seed."""
    options = _options()
    if not environments.inside("mist"):
        raise SystemExit(environments.run_inside("mist", __file__, sys.argv[1:]))
    for seed in options.seed or ((90,) if options.reduced else SEEDS):
        for split in CONFIGS:
            export(options.out / f"mist-{split}-seed{seed}.safetensors", split, seed)


def export(path: Path, split: str, seed: int) -> None:
    """Writes one split at one seed, unless the file is there already."""
    if intact(path):
        print(f"{path.name}: there already")
        return
    config = CONFIGS[split]
    cases = generate(config, seed)
    distinct = len({c.seed for c in cases})
    write_export(
        path, "mist", split, cases, PACKAGES,
        config=config, seed=seed, distinct_seeds=distinct,
    )  # fmt: skip
    print(f"{path.name}: {len(cases)} data sets from {distinct} distinct seeds", flush=True)


@cache
def shallow_mist() -> Path:
    """Makes `mist_statinf.data` importable without the package's `__init__`; gives its folder.

    The `__init__` imports the networks and with them lightning, optuna and more, none of which the
    generator touches.
    """
    spec = find_spec("mist_statinf")
    if spec is None or not spec.submodule_search_locations:
        raise SystemExit("mist-statinf is not installed here: run this program by mizzle's Python")
    package = ModuleType("mist_statinf")
    package.__path__ = list(spec.submodule_search_locations)
    sys.modules["mist_statinf"] = package
    return Path(package.__path__[0])


def generate(config: str, seed: int) -> list[Case]:
    """The data sets of one configuration, in MIST's order."""
    run, data_sets = generator(config)
    import mist_statinf.data.meta_dataset as meta  # type: ignore[import-not-found]

    draw = meta.generate_mi_dataset
    seeds: list[int] = []

    def noted(**arguments: Any) -> Any:
        # MIST drops the seed of each data set; it is wanted here because it comes from 10,000.
        result = draw(**arguments)
        seeds.append(result["parameters"]["sample_seed"])
        return result

    meta.generate_mi_dataset = noted
    set_seed(seed)
    run()
    meta.generate_mi_dataset = draw
    return [_case(*pair) for pair in zip(data_sets, seeds, strict=True)]


def generator(config: str, count: int | None = None) -> tuple[Callable[[], Any], list[dict[str, Any]]]:
    """What runs MIST's generator under one of its configurations, and the list that the run fills.

    `count` replaces the configuration's number of data sets (of each family and n, on a grid).
    """
    folder = shallow_mist() / "configs" / "data_generation"
    import mist_statinf.data.meta_dataset as meta
    from omegaconf import OmegaConf  # type: ignore[import-not-found]

    data_sets: list[dict[str, Any]] = []

    class InMemory(meta.MIRegressionGenerator):  # type: ignore[misc]
        """MIST's generator, keeping the data sets instead of pickling them."""

        def _save_meta_data(self, data: list[dict[str, Any]], info: dict[str, Any]) -> None:
            data_sets.extend(data)

    cfg = OmegaConf.to_container(OmegaConf.load(folder / config))
    count = count or cfg["number_meta_datapoints"]
    rows, families = tuple(cfg["n_row_range"]), cfg["meta_distribution"]
    memory = InMemory(count, rows, families, cfg["n_dim"], output_folder=".")
    return partial(memory.generate, cfg["grid_params"] if cfg["grid"] else None), data_sets


def set_seed(seed: int) -> None:
    """As MIST's set_seed, which also seeds torch; its generator draws nothing from torch."""
    random.seed(seed)
    np.random.seed(seed)  # noqa: NPY002


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--out", type=Path, default=CACHE)
    parser.add_argument("--reduced", action="store_true", help="only what the reduced benchmark needs")
    parser.add_argument("--seed", type=int, nargs="+", help="default: 90, which MIST's configs say, and 91")
    return parser.parse_args()


def _case(item: dict[str, Any], seed: int) -> Case:
    """MIST stacks x and y side by side with equally many columns each."""
    table, dim = item["source"], item["dimension"]
    x, y = table[:, :dim], table[:, dim:]
    assert x.shape == y.shape
    label = str(item["distribution"])
    return Case(x, y, float(item["target"][0]), label, f"{label} {dim}+{dim}", seed)


if __name__ == "__main__":
    main()
