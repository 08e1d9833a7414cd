"""An estimator for worker processes that stops in the middle of a job, until somebody lets it go on."""

import os
from pathlib import Path

from estimators import FakeEstimator

LOG, GATE = "GATED_LOG", "GATED_GATE"  # variables of the environment, each the path of a file
ROWS = 41  # of samples that count, those of a job
STOP = 5  # the batch that waits at the gate


class Gated(FakeEstimator):
    """Writes down what it is asked, a line for every batch; reads the gate, a pipe, to its end before one."""

    def __init__(self):
        super().__init__()
        self._asked = 0

    def run(self, tables):
        names = [f"{x[0, 0]!r},{y[0, 0]!r}" for x, y in tables if len(x) == ROWS]
        if names:
            self._note(" ".join(names))
        return super().run(tables)

    def _note(self, line):
        with open(os.environ[LOG], "a") as log:
            log.write(line + "\n")
        self._asked += 1
        if self._asked == STOP and GATE in os.environ:
            Path(os.environ[GATE]).read_bytes()


def gated(path=None, device="cpu", threads=1):
    """The fake with a gate."""
    return Gated()
