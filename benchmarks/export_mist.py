"""Exports the test sets of MIST (mist-statinf): its own generator, its own two configurations.

Runs in an environment of its own (README.md beside this file); mizzle never imports MIST.
"""

import argparse
import random
import sys
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
from exports import CACHE, Case, write_export

PACKAGES = ["mist-statinf", "benchmark-mi", "jax", "jaxlib", "numpy", "scipy"]
CONFIGS = {"seen": "test_imd.yaml", "unseen": "test_oomd.yaml"}


def main() -> None:
    """Writes one file per split and seed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=CACHE)
    parser.add_argument("--seed", type=int, nargs="+", default=[90], help="the configs say 90")
    options = parser.parse_args()
    folder = shallow_mist()
    for seed in options.seed:
        for split, config in CONFIGS.items():
            cases = generate(folder / "configs" / "data_generation" / config, seed)
            path = options.out / f"mist-{split}-seed{seed}.safetensors"
            distinct = len({c.seed for c in cases})
            write_export(
                path, "mist", split, cases, PACKAGES,
                config=config, seed=seed, distinct_seeds=distinct,
            )  # fmt: skip
            print(f"{path.name}: {len(cases)} data sets from {distinct} distinct seeds")


def shallow_mist() -> Path:
    """Makes `mist_statinf.data` importable without the package's `__init__`; gives its folder.

    The `__init__` imports the networks and with them lightning, optuna and more, none of which the
    generator touches.
    """
    spec = find_spec("mist_statinf")
    if spec is None or not spec.submodule_search_locations:
        raise SystemExit("mist-statinf is not installed here; see benchmarks/README.md")
    package = ModuleType("mist_statinf")
    package.__path__ = list(spec.submodule_search_locations)
    sys.modules["mist_statinf"] = package
    return Path(package.__path__[0])


def generate(config: Path, seed: int) -> list[Case]:
    """The data sets of one configuration, in MIST's order."""
    import mist_statinf.data.meta_dataset as meta  # type: ignore[import-not-found]
    from omegaconf import OmegaConf  # type: ignore[import-not-found]

    draw = meta.generate_mi_dataset
    made: list[dict[str, Any]] = []
    seeds: list[int] = []

    class InMemory(meta.MIRegressionGenerator):  # type: ignore[misc]
        """MIST's generator, keeping the data sets instead of pickling them."""

        def _save_meta_data(self, data: list[dict[str, Any]], info: dict[str, Any]) -> None:
            made.extend(data)

    def noted(**arguments: Any) -> Any:
        # MIST drops the seed of each data set; it is wanted here because it comes from 10,000.
        result = draw(**arguments)
        seeds.append(result["parameters"]["sample_seed"])
        return result

    cfg = OmegaConf.to_container(OmegaConf.load(config))
    generator = InMemory(
        cfg["number_meta_datapoints"], tuple(cfg["n_row_range"]), cfg["meta_distribution"],
        cfg["n_dim"], output_folder=".",
    )  # fmt: skip
    meta.generate_mi_dataset = noted
    # As MIST's set_seed, which also seeds torch; its generator draws nothing from torch.
    random.seed(seed)
    np.random.seed(seed)  # noqa: NPY002
    generator.generate(cfg["grid_params"])
    meta.generate_mi_dataset = draw
    return [_case(*pair) for pair in zip(made, seeds, strict=True)]


def _case(item: dict[str, Any], seed: int) -> Case:
    """MIST stacks x and y side by side with equally many columns each."""
    table, dim = item["source"], item["dimension"]
    x, y = table[:, :dim], table[:, dim:]
    assert x.shape == y.shape
    label = str(item["distribution"])
    return Case(x, y, float(item["target"][0]), label, f"{label} {dim}+{dim}", seed)


if __name__ == "__main__":
    main()
