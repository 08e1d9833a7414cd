"""The page `docs/torch.md`: gradients, how they are made, what they were seen to train, and how to be gamed.

`readme.py` writes it, from the newest full result of `gradients.py`; `figures.py` draws its pictures.
"""

from collections.abc import Callable, Iterator
from itertools import groupby
from typing import Final

import numpy as np
from page_tables import table
from results import Row, Rows


def page(result: Row) -> str:
    """The whole page."""
    measured = [part for name, write in PARTS.items() if result.get(name) for part in write(result[name])]
    head = ["## What was trained by it", _provenance(result)] if measured else []
    return "\n\n".join([_INTRODUCTION, *head, *measured, _GAMING]) + "\n"


def _provenance(result: Row) -> str:
    return (
        f"Measured on {result['date']} by `python benchmarks/gradients.py` "
        f"([all figures](../benchmarks/results/{result['file']})). Nothing was left out."
    )


def _projections(rows: Rows) -> Iterator[str]:
    yield "### A direction of ten"
    yield (
        "`I(w.X; Y)` of ten independent normal columns is maximised over w, with 400 fresh rows "
        "of 10,000 in each of 200 steps of Adam. Y is linear in a hidden direction, or its "
        "absolute value, or the product of its sign with a second variable s, of which neither "
        "tells anything alone (there the information is that of (w.X, s) with Y). |cos| between w "
        "and the hidden direction, worst and median of the starts:"
    )
    lines = []
    for kind, group in groupby(rows, key=lambda row: row["kind"]):
        own = list(group)
        final = [row["final"] for row in own]
        reached = sum(row["final"] >= row["goal"] for row in own)
        lines.append(
            [
                kind.replace("|", "\\|"),
                f"{min(final):.3f}",
                f"{np.median(final):.3f}",
                f"{own[0]['goal']:g}",
                f"{reached} of {len(own)}",
            ]
        )
    yield table(["response", "worst", "median", "goal", "reached"], lines)
    yield "![|cos| against steps, a line a start](figures/projections.png)"


def _components(rows: Rows) -> Iterator[str]:
    yield "### Independent components"
    yield (
        "Mixtures of 1,000 rows of a uniform, a Laplace, a two-humped and an exponential source "
        "(the first two where there are two) are whitened, and the rotation is found that makes "
        "the sum of the information of all pairs least. Amari error, 0 for perfect, beside "
        "FastICA on the same rows:"
    )
    lines = [
        [
            str(row["sources"]),
            str(row["draw"] + 1),
            f"{row['mizzle']:.3f}",
            f"{row['fastica']:.3f}",
            "yes" if row["mizzle"] <= row["fastica"] + row["allowed"] else "**no**",
        ]
        for row in rows
    ]
    yield table(["sources", "draw", "mizzle", "FastICA", f"at most {rows[0]['allowed']:g} more"], lines)


def _digits(rows: Rows) -> Iterator[str]:
    yield "### Digits"
    labelled = [row for row in rows if row["task"] == "labels"]
    if labelled:
        yield (
            "Twenty principal components of scikit-learn's digits to two, by maximising what they "
            "tell of the label; LDA from the same rows. Accuracy of the five nearest neighbours on a "
            "third of the images that neither has seen, and the information of two columns with the "
            "label there, in nats:"
        )
        lines = [
            [
                str(row["start"] + 1),
                *(f"{row[key]:.3f}" for key in ("mizzle", "lda", "nats_of_unseen", "nats_of_lda")),
            ]
            for row in labelled
        ]
        yield table(["split", "mizzle", "LDA", "nats (mizzle)", "nats (LDA)"], lines)
    halves = [row for row in rows if row["task"] == "halves"]
    if halves:
        yield (
            "Without labels: a small network for each half of the image, four numbers a half, trained "
            "so that the halves' codes share much, by three losses at equal steps and batches. "
            "Accuracy of the nearest neighbours among the eight numbers, on unseen images:"
        )
        starts = sorted({row["start"] for row in halves})
        lines = [
            [name, *(f"{row['accuracy']:.3f}" for row in group)]
            for name, group in groupby(halves, key=lambda row: row["loss"])
        ]
        yield table(["loss", *(f"start {start + 1}" for start in starts)], lines)


def _nuisance(rows: Rows) -> Iterator[str]:
    yield "### A nuisance removed"
    yield (
        "A network's code of two numbers is trained for a task, and `I(code; s)` of a nuisance s, "
        "which shifts the same columns, is added to the loss (the .9 quantile: what is to be "
        "removed should not hide in the doubt). On rows that no gradient saw: accuracy of the "
        "task; nats of s in the code by KSG, by mizzle, and nats of its sign that a random forest "
        "finds. Goals: below .02 by KSG and by the forest, and an accuracy within two points:"
    )
    lines = [
        [
            str(row["draw"] + 1),
            "yes" if row["weight"] else "no",
            f"{100 * row['accuracy']:.1f} %",
            f"{row['ksg']:.3f}",
            f"{row['mizzle']:.3f}",
            f"{row['classifier']:.3f}",
        ]
        for row in rows
    ]
    yield table(["draw", "removed", "accuracy", "KSG", "mizzle", "forest"], lines)


def _bottleneck(rows: Rows) -> Iterator[str]:
    yield "### An information bottleneck"
    yield (
        "Z = A X + noise of five normal columns X is to tell much of Y and little of X: `I(Z;Y) - I(X;Z) / "
        "beta` is maximised over A, with 1,000 fresh rows in each of 150 steps. All is normal, so what A "
        "reaches is known exactly, and so is the most that can be told of Y at that I(X;Z) (Chechik et al. "
        "2005); means of the starts in nats, and the largest distance from the best:"
    )
    lines = []
    for beta, group in groupby(rows, key=lambda row: row["beta"]):
        own = list(group)
        means = [float(np.mean([row[key] for row in own])) for key in ("of_x", "of_y", "most")]
        worst = max(row["most"] - row["of_y"] for row in own)
        lines.append([f"{beta:g}", *(f"{mean:.3f}" for mean in means), f"{worst:.3f}"])
    yield table(["beta", "I(X;Z)", "I(Z;Y)", "at most", "largest gap"], lines)


def _plane(rows: Rows) -> Iterator[str]:
    yield "### The information plane, and what it cannot say"
    yield (
        "A network of three layers of tanh (16, 8 and 4 wide) learns 1,000 digits. A layer T is a function "
        "of the image X, so that I(X;T) is infinite for continuous images, or the entropy of those there "
        "are, log 1,000 = 6.9 nats, for every layer and epoch in which no two images become the same. What "
        "curves of it show is made by the estimator: here T has noise of .1 added, where others sort it "
        "into bins (Saxe et al. 2018). X are 16 principal components; the mean and 90 % interval of mizzle, "
        "beside T in 30 bins a column and mixed KSG:"
    )
    last = max(row["epoch"] for row in rows)
    shown = [row for row in rows if row["start"] == 0 and row["epoch"] in (0, 2, 8, last)]
    yield table(
        ["epoch", "layer", "accuracy", "I(X;T)", "in bins", "KSG", "I(T;Y)", "in bins", "KSG"],
        [
            [
                str(row["epoch"]),
                str(row["layer"]),
                f"{row['accuracy']:.2f}",
                *(
                    cell
                    for i, key in enumerate(("of_x", "of_y"))
                    for cell in (
                        "{:.2f} [{:.2f}, {:.2f}]".format(*row[key]),
                        f"{row['binned'][i]:.2f}",
                        f"{row['ksg'][i]:.2f}",
                    )
                ),
            ]
            for row in shown
        ],
    )
    yield "![I(X;T) against I(T;Y), a line a layer](figures/plane.png)"
    yield (
        "Bins say log 1,000 for I(X;T) and log 10 for I(T;Y) as soon as every image has a bin of its own, "
        "before anything was learnt. Neighbours see a few nats at most among 16 columns. An answer for "
        "I(T;Y) can be checked: a label that is read off T with an accuracy near 1 has almost log 10 = 2.30 "
        "nats, and where the last layer is saturated, so that its columns are signs with noise, **mizzle "
        "falls short of that, and its interval with it**: what signs tell together is lost to it. So: never "
        "read a curve of I(X;T) as compression without naming the noise, and put a classifier beside "
        "I(T;Y)."
    )


PARTS: Final[dict[str, Callable[[Rows], Iterator[str]]]] = {
    "projections": _projections,
    "components": _components,
    "digits": _digits,
    "nuisance": _nuisance,
    "bottleneck": _bottleneck,
    "plane": _plane,
}

_INTRODUCTION: Final = """# Gradients

`mizzle.torch` is the estimator as a module of torch: an information to maximise or to keep small while
something else is trained.

```python
import torch
from mizzle.torch import MutualInformation

x = torch.randn(400, 5)
y = x[:, :1] + 0.5 * torch.randn(400, 1)
encoder = torch.nn.Linear(5, 1)
mi = MutualInformation()
loss = -mi(encoder(x), y)  # nats, what mizzle.estimate says of these rows
loss.backward()  # gradients to the encoder
```

It needs the extra `torch` (`pip install 'mizzle[torch]'`). `MutualInformation(quantile=0.1)` is a
cautious value where information is to be found, `quantile=0.9` where it is to be removed;
`mi.interval(x, y)` gives both ends. Inputs are (n, d) or, for b data sets of one size, (b, n, d), on any
device; labels are whole numbers. The module has no parameters and nothing in its state, goes through
`torch.compile` without breaking the graph, and works in data-parallel training. It computes on the
processor: tensors of a GPU are copied there and back. Warnings of an estimate are not repeated in a
training loop; `mi.audit` and `mizzle.estimate` show them.

## How the gradient is made

The value depends on ranks, and so is a step function of the data, whose derivative is 0. The gradient is
that of a smooth twin:

- **Ranks** are exact forward. Backward, a rank moves as the distribution function does that is smoothed
  over the nearest values (a box over .15 n^.8 of them on either side); moving all values moves none, so
  that gradients know of no shift, and a stretched column has gradients that are shrunk.
- **Bins** are tables of rows that fall into two neighbouring bins by degrees; **neighbour counts** have
  rows inside a radius by degrees, on a logarithmic scale. Correlations, spectra and covariances of
  neighbourhoods are differentiated as they are. Who the nearest neighbours are, which pairs are the
  strongest, and the intrinsic dimension are constants.
- The **network** is differentiated at the exact statistics. **Where the value is cut at 0**, the
  gradient is that of what was cut: learning may begin at independence.
- A **label** beside several columns is read as indicator columns, as the estimate does. Where the
  estimate of a label beside one column comes from its counts, the gradient is that of the network on
  indicator columns.
- Constant columns, and columns that order the rows as an earlier one does, get 0; ties get finite
  gradients.
- Nothing but the raw values is kept between forward and backward; statistics are computed anew on the
  way back. At most 10,000 rows; second derivatives are refused."""

_GAMING: Final = """## How an estimate is gamed

An optimiser looks for whatever raises the value. An amortised estimator is right on average over what it
was trained on, not at every point, and an encoder that is trained long enough against it may arrive
where it errs: where codes look to the network as if they shared much (or nothing), and do not. What this
would look like:

- the value on the training batches goes on rising, and that on fresh rows does not: the encoder has
  learnt the rows;
- the value on fresh rows rises, and another estimator's does not: the encoder has found an error of this
  one;
- an information that is being removed falls to 0 here, and a classifier still finds it.

The habit that guards against it: **judge on rows that no gradient has seen, by another estimator.**

```python
held_out = torch.randn(1000, 5)
response = held_out[:, :1] + 0.5 * torch.randn(1000, 1)
audit = mi.audit(encoder(held_out), response)
audit.mizzle.mi, audit.ksg, audit.agrees
```

`audit` puts the k nearest neighbours of Kraskov et al. beside the estimate, which share nothing with the
network. Their own bias is downwards where there are many columns or much information, so take its word
for few columns: `agrees` being False is a reason to look, and no proof. Where something is to be
removed, train a classifier for it as well."""
