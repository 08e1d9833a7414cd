"""What to use when: mizzle beside the estimators that people have at hand, situation by situation.

    python benchmarks/choosing.py [--quick]

Every situation is one law with known mutual information, drawn anew a number of times; the score is the mean
absolute error in nats. scikit-learn and ennemi answer for one column a side, the others for any number.
Prints a table, writes results/choosing-YYYY-MM-DD.json, and rewrites the table of docs/choosing.md.
Needs `pip install ennemi scikit-learn` beside the extra `train`.
"""

import argparse
import math
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any, Final, NamedTuple

import numpy as np
from names import METHODS
from numpy.typing import NDArray
from page_tables import number, table
from peers import gaussian_copula, is_discrete, ksg, sklearn_mi
from results import RESULTS, Row, Rows, print_table, read_newest, result_name, write_result
from scipy.integrate import quad  # type: ignore[import-untyped]
from scipy.stats import norm, t  # type: ignore[import-untyped]
from tqdm import tqdm

import mizzle

PAGE: Final = RESULTS.parent.parent / "docs" / "choosing.md"
BEGIN, END = "<!-- choosing:begin -->", "<!-- choosing:end -->"
SEED: Final = 31
SAMPLES: Final = 20

Floats = NDArray[np.float64]
Rng = np.random.Generator
Sampler = Callable[[Rng, int], tuple[Floats, Floats]]


class Situation(NamedTuple):
    """A law, how many rows are drawn of it, and its mutual information in nats."""

    name: str
    rows: int
    truth: float
    sample: Sampler


def normals(rng: Rng, n: int, rhos: tuple[float, ...]) -> tuple[Floats, Floats]:
    """Independent pairs of normal columns; -1/2 sum log(1 - rho^2)."""
    x = rng.normal(size=(n, len(rhos)))
    r = np.array(rhos)
    return x, r * x + np.sqrt(1 - r**2) * rng.normal(size=x.shape)


def of_normals(rhos: tuple[float, ...]) -> float:
    return abs(0.5 * sum(math.log1p(-(r**2)) for r in rhos))


def heavy(rng: Rng, n: int, df: float) -> tuple[Floats, Floats]:
    """Y = X + N, both of Student's law."""
    x = rng.standard_t(df, size=(n, 1))
    return x, x + rng.standard_t(df, size=(n, 1))


def of_heavy(df: float) -> float:
    """h(Y) - h(N); two Cauchy variables add up to one of twice the width, hence log 2."""
    if df == 1:
        return math.log(2.0)
    grid = np.linspace(-400.0, 400.0, 2**19)
    step = grid[1] - grid[0]
    density = t.pdf(grid, df)
    spectrum = np.fft.rfft(np.fft.ifftshift(density)) * step
    total = np.fft.fftshift(np.fft.irfft(spectrum**2, len(grid))) / step
    of_sum = -float(np.sum(total * np.log(np.maximum(total, 1e-300))) * step)
    return of_sum - float(t.entropy(df))


def wave(rng: Rng, n: int, noise: float) -> tuple[Floats, Floats]:
    """Y = sin(4 X) + noise, X uniform on (-pi, pi)."""
    x = rng.uniform(-np.pi, np.pi, size=(n, 1))
    return x, np.sin(4 * x) + noise * rng.normal(size=x.shape)


def of_wave(noise: float) -> float:
    """h(Y) - h(N): the law of Y is that of the sine of a uniform angle, blurred."""
    angles = (np.arange(4000) + 0.5) / 4000 * np.pi - np.pi / 2

    def density(y: float) -> float:
        return float(norm.pdf(y, np.sin(angles), noise).mean())

    return entropy(density, -1 - 8 * noise, 1 + 8 * noise) - float(norm.entropy(scale=noise))


def powers(rng: Rng, n: int, rho: float) -> tuple[Floats, Floats]:
    """(U, U^2, U^3) and (V, V^2): columns derived from others tell nothing new."""
    u, v = normals(rng, n, (rho,))
    return np.hstack([u, u**2, u**3]), np.hstack([v, v**2])


def classes(rng: Rng, n: int, share: float, shift: float) -> tuple[Floats, Floats]:
    """A class of the given share, and a number shifted by it."""
    label = (rng.random((n, 1)) < share).astype(float)
    return label, shift * label + rng.normal(size=(n, 1))


def of_classes(share: float, shift: float) -> float:
    """h(Y) - h(Y | label) of a mixture of two normals."""

    def density(y: float) -> float:
        return float((1 - share) * norm.pdf(y) + share * norm.pdf(y - shift))

    return entropy(density, -12.0, 12.0 + shift) - float(norm.entropy())


def entropy(density: Callable[[float], float], low: float, high: float) -> float:
    """-integral of p log p, nats."""

    def surprise(y: float) -> float:
        return -density(y) * math.log(max(density(y), 1e-300))

    return float(quad(surprise, low, high, limit=400)[0])


LABELS: Final = np.array([[0.20, 0.05, 0.05], [0.05, 0.25, 0.05], [0.02, 0.08, 0.25]])


def labels(rng: Rng, n: int) -> tuple[Floats, Floats]:
    """Two variables of three values."""
    cells = rng.choice(LABELS.size, size=n, p=LABELS.ravel())
    x, y = np.divmod(cells, LABELS.shape[1])
    return x[:, None].astype(float), y[:, None].astype(float)


def of_labels() -> float:
    independent = LABELS.sum(1, keepdims=True) * LABELS.sum(0)
    return float((LABELS * np.log(LABELS / independent)).sum())


def _normal(name: str, rows: int, *rhos: float) -> Situation:
    return Situation(name, rows, of_normals(rhos), partial(normals, rhos=rhos))


def situations() -> list[Situation]:
    """In the order of the page's table."""
    uneven = tuple(0.8 * 0.75**i for i in range(16))
    return [
        _normal("independent columns", 1000, 0.0),
        _normal("weak, few rows", 100, 0.3),
        _normal("plain, 1 + 1", 1000, 0.6),
        _normal("plain, 1 + 1", 10_000, 0.6),
        _normal("strong, 1 + 1", 1000, 0.99),
        _normal("several columns, 5 + 5", 1000, *uneven[:5]),
        _normal("many columns, 16 + 16", 1000, *uneven),
        Situation("heavy tails: Cauchy noise", 1000, of_heavy(1), partial(heavy, df=1)),
        Situation("heavy tails: t2 noise", 1000, of_heavy(2), partial(heavy, df=2)),
        Situation("a fast wave", 1000, of_wave(0.2), partial(wave, noise=0.2)),
        Situation("a fast wave", 10_000, of_wave(0.2), partial(wave, noise=0.2)),
        Situation("derived columns, 3 + 2", 1000, of_normals((0.8,)), partial(powers, rho=0.8)),
        Situation("two labels", 1000, of_labels(), labels),
        Situation("a class and a number", 1000, of_classes(0.5, 1.5), partial(classes, share=0.5, shift=1.5)),
        Situation("a rare class", 1000, of_classes(0.02, 2.0), partial(classes, share=0.02, shift=2.0)),
    ]


def ennemi_mi(x: Floats, y: Floats) -> float:
    """ennemi's estimate (k = 3) of two single columns, told which are discrete; NaN for more columns."""
    from ennemi import estimate_mi

    if x.shape[1] > 1 or y.shape[1] > 1:
        return float("nan")
    discrete_x, discrete_y = is_discrete(x), is_discrete(y)
    answer = estimate_mi(y[:, 0], x[:, 0], k=3, discrete_x=discrete_x, discrete_y=discrete_y)
    return max(0.0, float(answer[0, 0]))


PEERS: Final = {"ksg": ksg, "sklearn": sklearn_mi, "ennemi": ennemi_mi, "copula": gaussian_copula}


def measure(situation: Situation, samples: int) -> Row:
    """Mean absolute errors, and how often mizzle's 90 % interval held the truth."""
    rngs = [np.random.default_rng([SEED, situation.rows, i]) for i in range(samples)]
    pairs = [situation.sample(rng, situation.rows) for rng in rngs]
    estimates = mizzle.estimate_many(pairs)
    held = [low <= situation.truth <= high for low, high in (e.interval(0.9) for e in estimates)]
    answers = {"mizzle": [estimate.mi for estimate in estimates]}
    answers |= {name: [peer(x, y) for x, y in pairs] for name, peer in PEERS.items()}
    errors = {name: float(np.mean(np.abs(np.array(a) - situation.truth))) for name, a in answers.items()}
    known = {name: error for name, error in errors.items() if not math.isnan(error)}
    head = {"situation": situation.name, "rows": situation.rows, "truth": situation.truth}
    return {**head, "errors": known, "covered90": float(np.mean(held))}


def rendered(result: Row) -> str:
    """The table of the page, the smallest error of a row in bold."""
    names = ("mizzle", *PEERS)
    head = ["situation", "n", "truth", *(METHODS[name] for name in names), "mizzle's 90 % interval held"]
    return table(head, [list(_line(row, names)) for row in result["situations"]])


def _line(row: Row, names: tuple[str, ...]) -> Iterator[str]:
    yield from (row["situation"], f"{row['rows']:,}", number(row["truth"]))
    least = number(min(row["errors"].values()))
    for name in names:
        text = number(row["errors"][name]) if name in row["errors"] else "-"
        yield f"**{text}**" if text == least else text
    yield f"{100 * row['covered90']:.0f} %"


def page(text: str, result: Row) -> str:
    """The page with the table of a result."""
    before, _, rest = text.partition(BEGIN)
    after = rest.partition(END)[2]
    source = (
        f"Mean absolute errors in nats over {result['samples']} samples of each situation, measured on "
        f"{result['date']} with the weights `{result['model']['sha256'][:12]}` "
        f"([choosing](../benchmarks/results/{result['file']}))."
    )
    return f"{before}{BEGIN}\n{source}\n\n{rendered(result)}\n{END}{after}"


def main() -> None:
    """Measures all situations and rewrites the page."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument(
        "--quick", action="store_true", help="three samples a situation; leaves the page alone"
    )
    parser.add_argument("--out", type=Path, default=RESULTS)
    options = parser.parse_args()
    samples = 3 if options.quick else SAMPLES
    rows: Rows = [measure(situation, samples) for situation in tqdm(situations())]
    model = mizzle.estimate(range(20), range(20)).model._asdict()
    payload: dict[str, Any] = {"seed": SEED, "samples": samples, "quick": options.quick, "model": model}
    flat = [{**{k: v for k, v in row.items() if k != "errors"}, **row["errors"]} for row in rows]
    print_table("mean absolute error, nats", flat)
    path = write_result(result_name("choosing", options.quick), {**payload, "situations": rows}, options.out)
    print(f"\nwritten: {path.name}")
    if not options.quick:
        PAGE.write_text(page(PAGE.read_text(), read_newest("choosing")))


if __name__ == "__main__":
    main()
