"""The answers of the estimator, and of its peers, to suites of problems."""

import multiprocessing
import os
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial
from typing import NamedTuple

import numpy as np
from exports import Case, Export
from numpy.typing import NDArray
from peers import PEERS, guesses
from results import Rows
from scores import LEVELS, Answers, Floats, Mask, peer_scores, posterior_scores
from tqdm import tqdm

from mizzle.errors import InvalidInput
from mizzle.machine import cores
from mizzle.model import Estimator
from mizzle.types import Estimate

# KSG counts neighbours in time n^2 once the columns are many.
PEER_ROWS = 2000
TOGETHER = 64  # problems that the estimator is handed at once


class Suite(NamedTuple):
    """An export to answer.

    Attributes:
        others: estimates that were made elsewhere, one per case, NaN where there is none.
        peer_every: peers answer every such case up to PEER_ROWS rows.
    """

    export: Export
    others: dict[str, Floats]
    peer_every: int = 1

    @property
    def name(self) -> str:
        """What tables call it: MIST's two halves stay apart."""
        split = self.export.split if self.export.suite in ("mist", "held-out") else ""
        return f"{self.export.suite}-{split}".strip("-")

    def pick(self, chosen: Sequence[int]) -> "Suite":
        """Some of the cases."""
        cases = [self.export.cases[i] for i in chosen]
        others = {name: values[list(chosen)] for name, values in self.others.items()}
        return Suite(self.export._replace(cases=cases), others, self.peer_every)


@dataclass(frozen=True)
class Run:
    """What was answered to the problems of one suite; arrays of shape (b,), one entry a problem.

    Attributes:
        suite: its name; stems: the export each problem comes from.
        labels: family or task; names: a second label; rows: n; columns: dim_x + dim_y; seeds.
        answers: the estimator's posterior; guesses: each peer's point estimates, NaN where none.
        refused: how many problems the estimator refused, by error code.
        warned: how many answers came with a warning, by its code.
    """

    suite: str
    stems: NDArray[np.str_]
    labels: NDArray[np.str_]
    names: NDArray[np.str_]
    rows: NDArray[np.int64]
    columns: NDArray[np.int64]
    seeds: NDArray[np.int64]
    answers: Answers
    guesses: dict[str, Floats]
    refused: Counter[str]
    warned: Counter[str]

    def scores(self, keep: Mask) -> Rows:
        """One row per method over the problems where `keep` holds."""
        picked = self.answers.pick(keep)
        rows = [{"method": "mizzle", **posterior_scores(picked)}]
        for name, guess in self.guesses.items():
            rows.append({"method": name, **peer_scores(picked, guess[keep])})
        return [row for row in rows if row["answered"]]


class Runner:
    """Answers suites; the peers that are named answer in as many processes as there are cores."""

    def __init__(self, estimator: Estimator, names: Sequence[str] = tuple(PEERS)) -> None:
        self.estimator = estimator
        self.names = list(names)

    def run(self, suites: Iterable[Suite]) -> list[Run]:
        """One Run per suite name, in the order of their first exports."""
        # The children read this when numpy loads; two pools of threads would fight over the cores.
        os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
        with ProcessPoolExecutor(cores(), multiprocessing.get_context("spawn")) as pool:
            runs = [self._answer(suite, pool) for suite in suites if suite.export.cases]
        names = dict.fromkeys(run.suite for run in runs)
        return [_joined([run for run in runs if run.suite == name]) for name in names]

    def _answer(self, suite: Suite, pool: ProcessPoolExecutor) -> Run:
        cases, stem = suite.export.cases, suite.export.stem
        refused: Counter[str] = Counter()
        estimates = list(_estimates(self.estimator, cases, stem, refused))
        return Run(
            suite=suite.name,
            stems=np.array([stem] * len(cases)),
            labels=np.array([c.label for c in cases]),
            names=np.array([c.name for c in cases]),
            rows=np.array([len(c.x) for c in cases]),
            columns=np.array([c.x.shape[1] + c.y.shape[1] for c in cases]),
            seeds=np.array([c.seed for c in cases]),
            answers=answers(np.array([c.mi for c in cases]), estimates),
            guesses=self._guesses(suite, pool) | suite.others,
            refused=refused,
            warned=Counter(notice.code for estimate in estimates if estimate for notice in estimate.warnings),
        )

    def _guesses(self, suite: Suite, pool: ProcessPoolExecutor) -> dict[str, Floats]:
        cases = suite.export.cases
        candidates = range(0, len(cases), suite.peer_every) if self.names else ()
        chosen = [i for i in candidates if len(cases[i].x) <= PEER_ROWS]
        table = np.full((len(cases), len(self.names)), np.nan)
        estimates = pool.map(partial(_peers_of, self.names), (cases[i] for i in chosen), chunksize=4)
        progress = tqdm(estimates, desc=f"peers on {suite.export.stem}", total=len(chosen), leave=False)
        for i, values in zip(chosen, progress, strict=True):
            table[i] = values
        return dict(zip(self.names, table.T, strict=True))


def answers(truth: Floats, estimates: Sequence[Estimate | None]) -> Answers:
    """The posteriors as arrays; NaN where an estimate is None."""
    mean = np.array([np.nan if e is None else e.mi for e in estimates])
    quantiles = [
        [np.nan] * len(LEVELS) if e is None else [e.quantile(level) for level in LEVELS] for e in estimates
    ]
    return Answers(truth, mean, np.array(quantiles).reshape(len(estimates), len(LEVELS)))


def _peers_of(names: list[str], case: Case) -> list[float]:
    if len(names) == 1:
        return [PEERS[names[0]](case.x, case.y)]
    # Those by neighbours share their trees.
    by_name = guesses(case.x, case.y)
    return [by_name[name] for name in names]


def _estimates(
    estimator: Estimator, cases: list[Case], stem: str, refused: Counter[str]
) -> Iterator[Estimate | None]:
    for start in tqdm(range(0, len(cases), TOGETHER), desc=f"mizzle on {stem}", leave=False):
        pairs = [(case.x, case.y) for case in cases[start : start + TOGETHER]]
        try:
            yield from estimator.estimate_many(pairs)
        except InvalidInput:
            # One refused problem fails its batch; the others still deserve their answers.
            yield from (_estimate(estimator, *pair, refused) for pair in pairs)


def _estimate(estimator: Estimator, x: object, y: object, refused: Counter[str]) -> Estimate | None:
    try:
        return estimator.estimate(x, y)
    except InvalidInput as error:
        refused[error.code] += 1
        return None


def _joined(runs: list[Run]) -> Run:
    """Runs of one suite as one; a peer that some lack is NaN there."""
    names = dict.fromkeys(name for run in runs for name in run.guesses)
    columns = {key: np.concatenate([getattr(run, key) for run in runs]) for key in _COLUMNS}
    parts = [run.answers for run in runs]
    return Run(
        suite=runs[0].suite,
        **columns,
        answers=Answers(
            np.concatenate([part.truth for part in parts]),
            np.concatenate([part.mean for part in parts]),
            np.concatenate([part.quantiles for part in parts]),
        ),
        guesses={name: np.concatenate([_guess(run, name) for run in runs]) for name in names},
        refused=sum((run.refused for run in runs), Counter()),
        warned=sum((run.warned for run in runs), Counter()),
    )


_COLUMNS = ("stems", "labels", "names", "rows", "columns", "seeds")


def _guess(run: Run, name: str) -> Floats:
    return run.guesses.get(name, np.full(len(run.rows), np.nan))
