"""Query rows, whose neighbourhoods are looked at: chosen by what rows hold and not by their order."""

from typing import NamedTuple

import torch
from jaxtyping import Bool, Int64
from torch import Tensor

from mizzle.model.batch import Batch
from mizzle.model.statistics.statistic import Context

POOLED = (256, 1024)  # query rows whose neighbours are counted: n / 8, but within these
QUERIES = (128, 256)  # n / 8 within these, evenly spaced among them: what costs more than counting
FEW_COLUMNS = 10  # of dx + dy; beyond, neighbours are far for any k, and `QUERIES` rows tell as much
ROWS = 64  # of these, the rows that become tokens


class QueryRows(NamedTuple):
    """Rows whose neighbours are looked up."""

    places: Int64[Tensor, "b m"]
    valid: Bool[Tensor, "b m"]


def all_queries(context: Context) -> QueryRows:
    """Evenly spaced rows in the order of their content; all of them where n is small."""
    batch = context.batch
    narrow = batch.dims.sum(-1, keepdim=True) <= FEW_COLUMNS
    count = torch.where(narrow, _count(batch, POOLED), _count(batch, QUERIES))
    place, valid = evenly(batch.rows, count)
    return QueryRows(context.once(content_order).gather(1, place), valid)


def fewer_queries(context: Context) -> QueryRows:
    """As many of them as `QUERIES` says."""
    rows = context.once(all_queries)
    place, valid = evenly(rows.valid, _count(context.batch, QUERIES))
    return QueryRows(rows.places.gather(1, place), valid)


def _count(batch: Batch, limits: tuple[int, int]) -> Int64[Tensor, "b 1"]:
    """n / 8 within limits, and at most n."""
    n = batch.n[:, None]
    return (n // 8).clamp(*limits).minimum(n)


def evenly(
    valid: Bool[Tensor, "b m"], count: int | Int64[Tensor, "b 1"]
) -> tuple[Int64[Tensor, "b c"], Bool[Tensor, "b c"]]:
    """Places of at most `count` evenly spaced ones of the valid rows, and which of the places exist."""
    own = valid.sum(-1, keepdim=True)
    count = torch.as_tensor(count).expand_as(own).minimum(own)
    slot = torch.arange(int(count.max()))[None]
    place = torch.where(own > count, (2 * slot + 1) * own // (2 * count), slot.expand(len(own), -1))
    return place.clamp_max(valid.shape[1] - 1), slot < count


def content_order(context: Context) -> Int64[Tensor, "b n"]:
    """The rows in an order that their content decides; padding comes last."""
    key = _content_key(context.batch).masked_fill(~context.batch.rows, torch.iinfo(torch.int64).max)
    return key.argsort(dim=-1, stable=True)


def canonical_order(batch: Batch) -> Int64[Tensor, "b n"]:
    """The same, and rows that tie there in the order of their ranks: mirror images, and equal ones."""
    columns = batch.ranks.transpose(2, 3).flatten(1, 2).flip(1).unbind(1)
    key = _content_key(batch).masked_fill(~batch.rows, torch.iinfo(torch.int64).max)
    order = torch.arange(key.shape[1]).expand_as(key)
    for values in (*columns, key):  # the last decides
        order = order.gather(1, values.gather(1, order).argsort(dim=-1, stable=True))
    return order


def _content_key(batch: Batch) -> Int64[Tensor, "b n"]:
    """A hash of each row that ignores row order, column order, side names and column signs.

    Integer arithmetic wraps and is exact, so the order of summation does not matter. A column is oriented by
    an odd moment, so that reversing it changes nothing, and marked by an even one, so that two rows that
    exchange their values still differ. The second pass orients columns that only the signs of others can
    orient. What then still ties is the mirror image of another row in a data set that is its own mirror
    image.
    """
    a, cells = batch.ranks, batch.cells
    size = _mix(a * a).masked_fill(~cells, 0)
    key = size.sum((1, 3))
    mark = (size * _mix(key)[:, None, :, None]).sum(2, keepdim=True)
    for _ in range(2):
        sign = (a * (key & 0xFFFF)[:, None, :, None]).sum(2, keepdim=True).sign()
        oriented = torch.where(sign == 0, a.abs(), a * sign)
        key = _mix(oriented + mark).masked_fill(~cells, 0).sum((1, 3))
    return key


def _mix(v: Tensor) -> Tensor:
    """Scatter integers over 64 bits (the finaliser of splitmix64, Steele et al. 2014)."""
    v = (v ^ (v >> 30)) * -4658895280553007687
    v = (v ^ (v >> 27)) * -7723592293110705685
    return v ^ (v >> 31)
