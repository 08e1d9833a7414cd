"""Rows with dependence, among which some rows are independent."""

import math
from functools import cached_property
from typing import Final

import numpy as np

from mizzle.errors import InvalidInput
from mizzle.metadata_gen.families.montecarlo import SEED, tolerance
from mizzle.metadata_gen.family import Array, Family, Rng, Truth

FIRST: Final = 1024  # rows of the first pass, which tells how many the next one needs
MAX_ROWS: Final = 2**16


class Contaminated(Family):
    """With probability `share` a row's Y is an independent draw: (1 - share) p(x,y) + share p(x) p(y).

    The marginals stay, and with r the base's pmi I = (1 - share) E_joint log w(r) + share E_product log w(r)
    nats, w(r) = (1 - share) exp(r) + share. Either mean is taken over rows of the base, with control variates
    (Owen 2013, Monte Carlo theory, ch. 8): E_joint r = I_base where that has a closed form, and E_joint f(r)
    = E_product exp(r) f(r) for f = 1/w and f = log w / w. That takes a hundred times fewer rows than the mean
    of pmi does.

    Args:
        base: a family whose pmi is cheap.
        share: in (0, 1).

    Raises:
        InvalidInput: the share is outside (0, 1).
    """

    def __init__(self, base: Family, share: float) -> None:
        super().__init__("contaminated", base.dim_x, base.dim_y)
        if not 0.0 < share < 1.0:
            raise InvalidInput(f"share is {share}; it must be in (0, 1)")
        self.base, self.share = base, share

    @property
    def continuous(self) -> bool:
        return self.base.continuous

    def sample(self, rng: Rng, n: int) -> tuple[Array, Array]:
        x, y, other = self._with_other(rng, n)
        return x, np.where(rng.random((n, 1)) < self.share, other, y)

    def mi(self) -> Truth:
        return self._truth

    def pmi(self, x: Array, y: Array) -> Array:
        """log((1 - share) exp(r) + share), r the pmi of the base."""
        return self._log_w(self.base.pmi(x, y))

    def _with_other(self, rng: Rng, n: int) -> tuple[Array, Array, Array]:
        """Rows of the base, and a Y that is independent of them."""
        x, y = self.base.sample(rng, n)
        return x, y, self.base.sample(rng, n)[1]

    def _log_w(self, r: Array) -> Array:
        return np.logaddexp(math.log1p(-self.share) + r, math.log(self.share))

    @cached_property
    def _truth(self) -> Truth:
        rng, rows = np.random.default_rng(SEED), FIRST
        while True:
            truth = self._regressed(rng, rows)
            excess = truth.stderr / tolerance(truth.nats)
            if excess <= 1.0 or rows >= MAX_ROWS:
                return truth
            rows = min(MAX_ROWS, int(1.3 * excess**2 * rows) + FIRST)

    def _regressed(self, rng: Rng, rows: int) -> Truth:
        """The terms of I regressed on the controls, which are centred: the intercept is their mean."""
        x, y, other = self._with_other(rng, rows)
        r, r_other, base = self.base.pmi(x, y), self.base.pmi(x, other), self.base.mi()
        log_w, log_w_other = self._log_w(r), self._log_w(r_other)
        joint, product = np.exp(-log_w), np.exp(r_other - log_w_other)  # f and exp(r) f for f = 1/w
        controls = [np.ones(rows), joint - product, joint * log_w - product * log_w_other]
        if base.stderr == 0.0:
            controls.append(r - base.nats)
        design, terms = np.column_stack(controls), (1.0 - self.share) * log_w + self.share * log_w_other
        weights = np.linalg.lstsq(design, terms)[0]
        residual = terms - design @ weights
        return Truth(max(0.0, float(weights[0])), float(residual.std()) / math.sqrt(rows - len(controls)))
