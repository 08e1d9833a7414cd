"""Laws over the list of all statistics: each gives the channels it declares, and all else follows from it."""

import json
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors import safe_open

from mizzle.model import torch_weights, weights
from mizzle.model.batch import Batch, collate
from mizzle.model.preprocess import prepare
from mizzle.model.statistics import registry
from mizzle.model.statistics.__main__ import with_table
from mizzle.model.statistics.moments import linear
from mizzle.model.statistics.statistic import EVERY, Context, Statistic
from mizzle.model.statistics.tokens import tokenise

PAGE = Path(__file__).parents[3] / "docs" / "method.md"
SHAPES = [(10, 1, 1), (30, 2, 5), (70, 1, 3), (200, 6, 6)]
TOKENS = (*registry.kinds(), registry.OVERALL)


def batch(*shapes: tuple[int, int, int]) -> Batch:
    """Normal samples of these n, dx and dy."""
    rng = np.random.default_rng(0)
    return collate([prepare(rng.normal(size=(n, dx)), rng.normal(size=(n, dy))) for n, dx, dy in shapes])


@pytest.fixture(params=[*[[shape] for shape in SHAPES], SHAPES], ids=["10", "30", "70", "200", "together"])
def context(request: pytest.FixtureRequest) -> Context:
    """A data set of each shape, and all of them padded in one batch."""
    return Context(batch(*request.param))


@pytest.mark.parametrize("statistic", registry.STATISTICS, ids=lambda entry: entry.name)
def test_a_statistic_gives_the_channels_that_it_declares(statistic: Statistic, context: Context) -> None:
    count = len(context.batch.n)
    masks = {kind.name: kind.mask(context) for kind in registry.KINDS}
    if statistic.compute:
        values = statistic.compute(context)
        lengths = {1} if statistic.token == EVERY else {masks[statistic.token].shape[1]}
        assert values.shape[0] == count
        assert values.shape[1] in lengths
        assert values.shape[2] == sum(statistic.channels.values())
    if statistic.pool:
        assert statistic.pool(context).shape == (count, sum(statistic.pooled.values()))


@pytest.mark.parametrize("statistic", registry.STATISTICS, ids=lambda entry: entry.name)
def test_an_entry_is_whole(statistic: Statistic) -> None:
    assert statistic.name
    assert statistic.about
    assert bool(statistic.token) == bool(statistic.channels) == bool(statistic.compute)
    assert bool(statistic.pooled) == bool(statistic.pool)
    assert statistic.compute or statistic.pool
    assert statistic.token in ("", EVERY, *registry.kinds())
    assert json.loads(json.dumps(dict(statistic.settings))) == statistic.settings, "JSON must give it back"


def test_names_are_unique() -> None:
    names = [entry.name for entry in registry.STATISTICS]
    assert len(set(names)) == len(names)
    settings = [name for entry in registry.STATISTICS for name in entry.settings]
    assert len(set(settings)) == len(settings)
    assert set(registry.settings()) == set(settings)
    assert not {EVERY, registry.OVERALL, ""} & set(registry.kinds())


def test_tokens_have_the_channels_and_the_masks_of_the_list(context: Context) -> None:
    tokens = tokenise(context.batch)
    assert tuple(tokens.kinds) == registry.kinds()
    assert tokens.overall.shape[-1] == registry.channels(registry.OVERALL)
    for name, (values, mask) in tokens.kinds.items():
        assert values.shape == (*mask.shape, registry.channels(name))


@pytest.mark.parametrize("token", TOKENS)
def test_places_follow_one_another(token: str) -> None:
    places = list(registry.places(token).values())
    assert (places[0].start, places[-1].stop) == (0, registry.channels(token))
    assert all(left.stop == right.start for left, right in pairwise(places))


@pytest.mark.parametrize("token", TOKENS)
def test_channels_lie_where_their_place_is(token: str, context: Context) -> None:
    tokens = tokenise(context.batch)
    values = tokens.overall[:, None] if token == registry.OVERALL else tokens.kinds[token].values
    for entry in registry.STATISTICS:
        if entry.name in registry.places(token):
            compute = entry.pool if token == registry.OVERALL else entry.compute
            assert compute is not None
            own = compute(context)
            own = own[:, None] if token == registry.OVERALL else own.expand(-1, values.shape[1], -1)
            assert torch.equal(values[..., registry.places(token)[entry.name]], own)


def test_what_several_share_is_computed_once(context: Context) -> None:
    calls = []

    def compute(shared: Context) -> int:
        calls.append(shared)
        return len(calls)

    assert [context.once(compute), context.once(compute)] == [1, 1]
    assert calls == [context]
    assert context.once(linear) is context.once(linear)


def test_the_header_is_the_one_of_the_shipped_weights() -> None:
    """To the byte, so that what reads headers by other means sees no change."""
    with safe_open(weights.SHIPPED, framework="pt") as file:
        about = json.loads(file.metadata()["mizzle"])
    code = torch_weights.code()
    assert json.dumps({name: about[name] for name in code}) == json.dumps(code)


def test_a_new_statistic_comes_last_everywhere(monkeypatch: pytest.MonkeyPatch) -> None:
    before = {token: registry.places(token) for token in TOKENS}
    new = Statistic("new", "", EVERY, {"a": 2}, lambda _: torch.zeros(1), {"b": 3}, settings={"new": 1})
    monkeypatch.setattr(registry, "STATISTICS", (*registry.STATISTICS, new))
    for token, places in before.items():
        start, width = registry.channels(token) - registry.widths(token)["new"], registry.widths(token)["new"]
        assert registry.places(token) == {**places, "new": slice(start, start + width)}
    assert list(registry.settings())[-1] == "new"


def test_the_page_shows_the_list() -> None:
    text = PAGE.read_text()
    assert with_table(text) == text, "run: python -m mizzle.model.statistics docs/method.md"
