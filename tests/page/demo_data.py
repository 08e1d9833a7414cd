"""How the page's drawn tables were made: `python tests/page/demo_data.py` writes them again.

known.csv: what each column says about x is known. For normal columns of correlation r it is -ln(1 - r^2) / 2,
and a map of one side changes nothing. zigzag is (2 F(x) + 0.35 u) mod 1 with u uniform: ln(1 / 0.35). quarter
names the quarter of the distribution that x lies in: ln 4. blocks.csv: three blocks of equal correlation.
"""

import math
from collections.abc import Mapping
from pathlib import Path

import numpy as np

FOLDER = Path(__file__).resolve().parents[2] / "service" / "page" / "data"
BLOCKS = {"a": (5, 0.8), "b": (4, 0.5), "c": (3, 0.25)}
QUARTERS = np.array(["lowest", "low", "high", "highest"])


def known(rng: np.random.Generator, n: int = 600) -> dict[str, np.ndarray]:
    """Columns of which one is x."""
    x = rng.standard_normal(n)
    found = {"x": x} | {f"normal_{r}": _beside(rng, x, r) for r in (0.3, 0.6, 0.9)}
    found["cube_of_0.6"] = _beside(rng, x, 0.6) ** 3
    rank = np.array([0.5 * (1 + math.erf(value / math.sqrt(2))) for value in x])
    found["zigzag"] = (2 * rank + 0.35 * rng.random(n)) % 1.0
    found["quarter"] = QUARTERS[(4 * rank).astype(int)]
    found["independent"] = rng.standard_normal(n)
    complete = _beside(rng, x, 0.6)
    found["with_gaps_0.6"] = np.where(rng.random(n) < 0.1, np.nan, complete)
    return found


def blocks(rng: np.random.Generator, n: int = 400) -> dict[str, np.ndarray]:
    """Blocks of columns, their columns dealt out in turn."""
    found = {}
    for name, (columns, r) in BLOCKS.items():
        common = rng.standard_normal(n)
        for i in range(1, columns + 1):
            found[f"{name}{i}"] = math.sqrt(r) * common + math.sqrt(1 - r) * rng.standard_normal(n)
    return {name: found[name] for name in sorted(found, key=lambda name: (name[1], name[0]))}


def _beside(rng: np.random.Generator, x: np.ndarray, r: float) -> np.ndarray:
    return r * x + math.sqrt(1 - r * r) * rng.standard_normal(len(x))


def text(columns: Mapping[str, np.ndarray]) -> str:
    """A table as CSV."""
    lines = [list(columns), *([_cell(v) for v in row] for row in zip(*columns.values(), strict=True))]
    return "".join(",".join(line) + "\n" for line in lines)


def _cell(value: str | float) -> str:
    if isinstance(value, str):
        return str(value)
    return "" if math.isnan(value) else f"{value:.5f}"


def tables() -> dict[str, str]:
    """The files by name."""
    rng = np.random.default_rng(20261125)
    return {"known.csv": text(known(rng)), "blocks.csv": text(blocks(rng))}


if __name__ == "__main__":
    for name, content in tables().items():
        (FOLDER / name).write_text(content)
