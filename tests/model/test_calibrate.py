"""Recalibration repairs a net that is wrong by cell, and leaves a right one alone."""

import torch
from small_model import identity

from mizzle.model.calibrate import SHAPES, Calibration, placement, shape_cell, stratum
from mizzle.model.quantiles import LEVELS

_LEVEL = torch.tensor(LEVELS)
_LOW, _HIGH = LEVELS.index(0.05), LEVELS.index(0.95)


def _answers(count: int, width: float) -> tuple[torch.Tensor, torch.Tensor]:
    """Truths from N(3, 1) and the quantiles of N(3, width)."""
    generator = torch.Generator().manual_seed(0)
    truth = 3 + torch.randn(count, generator=generator)
    normal = torch.distributions.Normal(3.0, width)
    return normal.icdf(_LEVEL).expand(count, -1), truth


def _coverage(values: torch.Tensor, truth: torch.Tensor) -> float:
    return float(((values[:, _LOW] <= truth) & (truth <= values[:, _HIGH])).float().mean())


def test_coverage_is_repaired_in_the_cell_that_needs_it() -> None:
    """90 % intervals of a net that is too narrow by a third, on draws of their own."""
    count = 4000
    n, columns = torch.full((count,), 100), torch.full((count,), 2)
    values, truth = _answers(2 * count, width=0.65)
    calibration = Calibration.fit(values[:count], truth[:count], n, columns)
    repaired = calibration.apply(values[count:], n, columns)
    margin = 4 * (0.9 * 0.1 / count * 2) ** 0.5  # fitting and measuring each add binomial noise
    assert _coverage(values, truth) < 0.9 - 5 * margin
    assert abs(_coverage(repaired, truth[count:]) - 0.9) < margin


def test_a_share_of_exact_zeros_does_not_move_the_others() -> None:
    """The posterior of z ~ N(I, 1/2) with I = 0 in 30 % and I ~ U(0, 3) else, by Bayes' rule on a grid.

    Its quantiles are right, so the fitted map must stay at the nominal levels within 5 binomial errors.
    """
    count, generator = 6000, torch.Generator().manual_seed(2)
    truth = 3 * torch.rand(count, generator=generator)
    truth = truth.where(torch.rand(count, generator=generator) > 0.3, 0)
    seen = truth + 0.5 * torch.randn(count, generator=generator)
    grid = torch.linspace(0, 3, 601)
    prior = torch.full((601,), 0.7 / 601).index_fill(0, torch.tensor([0]), 0.3 + 0.7 / 601)
    weight = prior * torch.exp(-2 * (seen[:, None] - grid).square())
    below = (weight / weight.sum(1, keepdim=True)).cumsum(1)
    values = grid[torch.searchsorted(below, _LEVEL.repeat(count, 1)).clamp_max(600)]
    n, columns = torch.full((count,), 100), torch.full((count,), 2)
    fitted = Calibration.fit(values, truth, n, columns)
    assert (truth == 0).float().mean() > 0.25
    where = stratum(values, n, columns)
    for own in where.unique().tolist():
        size = int((where == own).sum())
        slack = 5 * (_LEVEL * (1 - _LEVEL) / size).sqrt() + 0.01
        assert ((fitted.levels[own] - _LEVEL).abs() < slack).all()


def test_half_of_a_shift_is_made_and_all_of_one_from_a_start() -> None:
    """Of a net half a deviation too low, whose widths are right."""
    count = 20_000
    values, truth = _answers(count, width=1.0)
    values = values - 0.5
    n, columns = torch.full((count,), 100), torch.full((count,), 2)
    found = placement(values, truth).median()
    for start, share in ((None, 0.5), (identity(), 1.0)):
        out = Calibration.fit(values, truth, n, columns, start).apply(values, n, columns)
        middle = placement(values[:1], out[:1, LEVELS.index(0.5)])
        slack = 4 * 0.5 / count**0.5 + 0.03 * (found - 0.5)  # and what the nominal levels count for
        assert abs(middle - 0.5 - share * (found - 0.5)) < slack


def test_other_cells_keep_the_nets_levels() -> None:
    values, truth = _answers(1000, width=0.5)
    few, many = torch.full((1000,), 20), torch.full((1000,), 900)
    columns = torch.full((1000,), 2)
    calibration = Calibration.fit(values, truth, few, columns)
    torch.testing.assert_close(calibration.apply(values, many, columns), values)


def test_identity_changes_nothing() -> None:
    values, _ = _answers(5, width=1.0)
    n = torch.tensor([10, 60, 200, 600, 3000])
    out = identity().apply(values, n, 3 * n)
    torch.testing.assert_close(out, values)


def test_recalibrated_quantiles_stay_ordered_and_non_negative() -> None:
    values, truth = _answers(3000, width=0.4)
    values, truth = (values - 3).clamp_min(0), (truth - 3).clamp_min(0)
    n, columns = torch.full((3000,), 100), torch.full((3000,), 30)
    out = Calibration.fit(values, truth, n, columns).apply(values, n, columns)
    assert (out.diff(dim=1) >= 0).all()
    assert (out >= 0).all()


def test_placement_inverts_the_quantile_function() -> None:
    values = _LEVEL[None].expand(4, -1)
    found = placement(values, torch.tensor([0.001, 0.3, 0.42, 0.999]))
    torch.testing.assert_close(found, torch.tensor([0.0, 0.3, 0.42, 1.0]))


def test_cells_cover_every_shape_once() -> None:
    n = torch.tensor([10, 49, 50, 149, 150, 499, 500, 1999, 2000, 10_000]).repeat_interleave(3)
    columns = torch.tensor([2, 5, 100]).repeat(10)
    cells = shape_cell(n, columns)
    assert sorted(set(cells.tolist())) == list(range(SHAPES))


def test_strata_divide_a_cell_by_the_answer() -> None:
    """The net's median in nats, next to .02, .2, 1 or 4 in log(1 + nats)."""
    nats = torch.tensor([0.0, 0.04, 0.15, 0.4, 0.7, 1.9, 2.5, 30.0])
    values = nats.log1p()[:, None].expand(-1, len(LEVELS))
    n, columns = torch.full((8,), 100), torch.full((8,), 2)
    cell = int(shape_cell(n, columns)[0])
    assert (stratum(values, n, columns) - 4 * cell).tolist() == [0, 0, 1, 1, 2, 2, 3, 3]


def test_levels_are_interpolated_between_answers() -> None:
    """A rounding error must not move an answer from one table to another."""
    levels = torch.tensor(LEVELS).repeat(4 * SHAPES, 1)
    levels[1::4] = 0.5  # next to 0.2 nats every quantile is the median
    medians = torch.linspace(0.0, 2.0, 400)
    values = medians[:, None] + torch.linspace(-1.0, 1.0, len(LEVELS))
    n, columns = torch.full((400,), 100), torch.full((400,), 2)
    width = Calibration(levels).apply(values, n, columns) - medians[:, None]
    steps = (width[1:] - width[:-1]).abs().max()
    assert width[:, -1].min() < 0.1
    assert steps < 0.2


def test_a_stratum_of_its_own_is_repaired() -> None:
    """Too narrow for large answers alone: the small ones of the same shape keep their levels."""
    count = 8000
    values, truth = _answers(count, width=1.0)
    large = torch.arange(count) % 2 == 0
    small = values / 20 + 0.032, truth / 20 + 0.032  # a median of 0.182 = log 1.2
    values = torch.where(large[:, None], 3 + 0.7 * (values - 3), small[0])
    truth = truth.where(large, small[1])
    n, columns = torch.full((count,), 100), torch.full((count,), 2)
    repaired = Calibration.fit(values, truth, n, columns).apply(values, n, columns)
    for own in (large, ~large):
        margin = 4 * (0.9 * 0.1 / (count / 2)) ** 0.5
        assert abs(_coverage(repaired[own], truth[own]) - 0.9) < margin + 0.01  # drawn to the shape's levels
    assert _coverage(values[large], truth[large]) < 0.8
