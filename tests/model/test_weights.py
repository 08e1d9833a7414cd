"""One file is the whole model: it comes back as it was, or not at all."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors import safe_open
from safetensors.torch import load_file, save_file
from small_model import HEADER, all_familiar, identity

from mizzle.errors import ModelUnavailable
from mizzle.model import Estimator, native, torch_weights, weights
from mizzle.model.net import Net
from mizzle.model.preprocess import prepare
from mizzle.model.statistics import registry
from mizzle.model.statistics.statistic import EVERY, Context, Statistic
from mizzle.model.statistics.tokens import Tokens, repad, summarise

not_built = pytest.mark.skipif(not native.available(), reason=str(native.reason()))
ENGINES = ["torch", pytest.param("native", marks=not_built)]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A small weights file."""
    torch.manual_seed(0)
    file = tmp_path / "small.safetensors"
    familiar = all_familiar(registry.channels(registry.OVERALL))
    torch_weights.save(file, Net(HEADER.net), identity(), familiar, HEADER)
    return file


def test_round_trip(path: Path) -> None:
    net, calibration, novelty, header, info = torch_weights.load(path)
    assert header == HEADER
    assert info[:2] == ("test", f"0.{weights.METHOD}")
    assert len(info.sha256) == 64
    assert not net.training
    torch.testing.assert_close(calibration.levels, identity().levels)
    assert torch.equal(novelty.whitening, torch.eye(registry.channels(registry.OVERALL)))


def test_no_partial_file_is_left(path: Path) -> None:
    assert [p.name for p in path.parent.iterdir()] == [path.name]


def _truncate(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-100])


def _garbage(path: Path) -> None:
    path.write_bytes(b"not a model" * 100)


def _another_format(path: Path) -> None:
    _rewrite(path, format=99)


def _missing_tensor(path: Path) -> None:
    _rewrite(path, drop="head.bias")


def _not_finite(path: Path) -> None:
    _rewrite(path, spoil="head.bias")


def _spoilt_calibration(path: Path) -> None:
    _rewrite(path, spoil="calibration.levels")


def _wrong_calibration(path: Path) -> None:
    tensors = load_file(path)
    tensors["calibration.levels"] = tensors["calibration.levels"].flip(1)
    _save(path, tensors)


def _spoilt_novelty(path: Path) -> None:
    _rewrite(path, spoil="novelty.thresholds")


def _novelty_without_a_feature(path: Path) -> None:
    _shorten(path, "novelty.centre")


def _novelty_without_an_axis(path: Path) -> None:
    _shorten(path, "novelty.whitening")


def _novelty_without_a_threshold(path: Path) -> None:
    _shorten(path, "novelty.thresholds")


def _negative_thresholds(path: Path) -> None:
    tensors = load_file(path)
    tensors["novelty.thresholds"] *= -1
    _save(path, tensors)


def _short_calibration(path: Path) -> None:
    _shorten(path, "calibration.levels")


def _short_layer(path: Path) -> None:
    _shorten(path, "embed.weight")


def _no_novelty(path: Path) -> None:
    _rewrite(path, drop="novelty.centre")


def _impossible_net(path: Path) -> None:
    _rewrite(path, net={**HEADER.net.__dict__, "heads": 0})


def _other_tokens(path: Path) -> None:
    _rewrite(path, tokens={"queries": 192})


def _no_header(path: Path) -> None:
    save_file(load_file(path), path)


def _shorten(path: Path, name: str) -> None:
    tensors = load_file(path)
    _save(path, {**tensors, name: tensors[name][1:]})


def _save(path: Path, tensors: dict[str, torch.Tensor]) -> None:
    with safe_open(path, framework="pt") as file:
        about = file.metadata()
    save_file(tensors, path, metadata=about)


def _rewrite(path: Path, drop: str = "", spoil: str = "", **changed: object) -> None:
    with safe_open(path, framework="pt") as file:
        text = json.loads(file.metadata()["mizzle"])
    tensors = {name: t for name, t in load_file(path).items() if name != drop}
    if spoil:
        tensors[spoil].view(-1)[0] = torch.nan
    save_file(tensors, path, metadata={"mizzle": json.dumps(text | changed)})


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize(
    "damage",
    [
        _truncate,
        _garbage,
        _another_format,
        _missing_tensor,
        _not_finite,
        _spoilt_calibration,
        _wrong_calibration,
        _spoilt_novelty,
        _novelty_without_a_feature,
        _novelty_without_an_axis,
        _novelty_without_a_threshold,
        _negative_thresholds,
        _no_novelty,
        _short_calibration,
        _short_layer,
        _impossible_net,
        _other_tokens,
        _no_header,
        Path.unlink,
    ],
    ids=lambda f: f.__name__.strip("_"),
)
def test_a_damaged_file_is_refused_in_one_sentence(path: Path, damage: object, engine: str) -> None:
    damage(path)  # type: ignore[operator]
    with pytest.raises(ModelUnavailable) as caught:
        Estimator.load(path, engine=engine)
    refused = f"{path.name} is no weights file of this version of mizzle, or is damaged"
    missing = f"there are no weights at {path.name}; train or reinstall"
    assert str(caught.value) == (refused if path.exists() else missing)


@pytest.mark.parametrize("engine", ENGINES)
def test_estimator_answers_from_the_file(path: Path, engine: str) -> None:
    rng = np.random.default_rng(0)
    estimate = Estimator.load(path, engine=engine).estimate(rng.normal(size=50), rng.normal(size=(50, 2)))
    assert (estimate.n, estimate.dim_x, estimate.dim_y) == (50, 1, 2)
    assert estimate.model.name == "test"


ADDED = 5  # channels that the older weights do not know, of the global token and of the spectrum
READERS = {
    **{f"standardise.{part}": 0 for part in ("mean", "scale")},
    **{f"axes.spectrum.standardise.{part}": 0 for part in ("mean", "scale")},
    "embed.weight": 1,
    "axes.spectrum.embed.0.weight": 1,
    "shortcut.weight": 1,
    "gate.weight": 0,
    "gate.bias": 0,
}


def test_weights_that_know_fewer_statistics_can_be_trained_on(path: Path) -> None:
    """They answer as those that know all and ignore the new ones, and only the new get input scales."""
    torch.manual_seed(3)
    whole = Net(HEADER.net).eval()
    for parameter in whole.parameters():
        torch.nn.init.normal_(parameter, std=0.1)
    state = whole.state_dict()
    for name, axis in READERS.items():
        if name.endswith(("weight", "bias")):
            state[name].narrow(axis, state[name].shape[axis] - ADDED, ADDED).zero_()
    _save_older(path, state)
    with pytest.raises(ModelUnavailable):
        torch_weights.load(path)

    extended, tokens = torch_weights.extended(path), samples()
    assert not extended.has_input_scales
    extended.fit_inputs(tokens, only_new=True)
    assert extended.has_input_scales
    assert (extended.standardise.scale[:-ADDED] == 1).all()
    assert torch.equal(extended(tokens), whole(tokens))


def samples() -> Tokens:
    """Tokens of four samples of different sizes."""
    rng = np.random.default_rng(2)
    return repad(summarise([prepare(*rng.standard_normal((2, n, 2))) for n in (40, 50, 60, 70)]))


def _save_older(path: Path, state: dict[str, torch.Tensor]) -> None:
    """As a file of code that had no nonlinear correlations."""
    older = {
        name: t.narrow(READERS[name], 0, t.shape[READERS[name]] - ADDED)
        for name, t in state.items()
        if name in READERS
    }
    tensors = {**load_file(path), **state, **{name: t.clone() for name, t in older.items()}}
    tokens = {name: value for name, value in torch_weights.code()["tokens"].items() if name != "functions"}
    with safe_open(path, framework="pt") as file:
        about = json.loads(file.metadata()["mizzle"])
    save_file(tensors, path, metadata={"mizzle": json.dumps(about | {"tokens": tokens})})


def test_weights_of_other_statistics_cannot_be_trained_on(path: Path) -> None:
    _rewrite(path, tokens={"rows": 32})
    with pytest.raises(ModelUnavailable, match="this version"):
        torch_weights.extended(path)


def test_weights_of_fewer_query_rows_can_be_trained_on(path: Path) -> None:
    """A mean over more rows is more precise and means the same."""
    with safe_open(path, framework="pt") as file:
        tokens = json.loads(file.metadata()["mizzle"])["tokens"]
    _rewrite(path, tokens=tokens | {"queries": 128, "pooled": [256, 512]})
    assert torch_weights.extended(path).has_input_scales
    with pytest.raises(ModelUnavailable, match="this version"):
        torch_weights.load(path)


def toy(token: str) -> Statistic:
    """Two channels for this kind of token, or for the global one alone, whose totals are pooled."""
    compute = registry.of_kind(token or "columns")[0].compute if token != EVERY else None

    def values(context: Context) -> torch.Tensor:
        tokens = compute(context) if compute else context.batch.n.float().log()[:, None, None].repeat(1, 1, 2)
        return tokens[..., :2] + 1.0

    def total(context: Context) -> torch.Tensor:
        return context.once(values).sum(1)

    own: dict[str, Any] = (
        {"token": token, "channels": {"first": 1, "second": 1}, "compute": values} if token else {}
    )
    return Statistic("toy", "nothing new", **own, pooled={"total": 2}, pool=total)


@pytest.mark.parametrize("token", [*registry.kinds(), EVERY, ""])
def test_the_shipped_weights_answer_as_before_when_a_statistic_is_added(
    token: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Up to rounding: sums over more channels, of which the new ones count 0. But they can be learnt from."""
    before = torch_weights.load(weights.SHIPPED)[0](samples())
    monkeypatch.setattr(registry, "STATISTICS", (*registry.STATISTICS, toy(token)))
    with pytest.raises(ModelUnavailable):
        torch_weights.load(weights.SHIPPED)
    net, tokens = torch_weights.extended(weights.SHIPPED).eval(), samples()
    assert not net.has_input_scales
    net.fit_inputs(tokens, only_new=True)
    assert net.has_input_scales
    torch.testing.assert_close(net(tokens), before, atol=1e-5, rtol=0)

    net(tokens).sum().backward()
    readers = [net.embed, *(net.axes[kind].embed[0] for kind in registry.kinds() if token in (kind, EVERY))]
    for reader in readers:
        assert not reader.weight[:, -2:].any()
        assert reader.weight.grad[:, -2:].any()


def test_weights_of_more_statistics_are_refused(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Even where the header does not tell, since the missing one has no settings."""
    with monkeypatch.context() as patch:
        patch.setattr(registry, "STATISTICS", (*registry.STATISTICS, toy("rows")))
        familiar = all_familiar(registry.channels(registry.OVERALL))
        torch_weights.save(path, Net(HEADER.net), identity(), familiar, HEADER)
        torch_weights.load(path)
    for read in (torch_weights.load, torch_weights.extended):
        with pytest.raises(ModelUnavailable):
            read(path)
