"""One file is the whole model: it comes back as it was, or not at all."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors import safe_open
from safetensors.torch import load_file, save_file

from mizzle.errors import ModelUnavailable
from mizzle.model import Estimator, weights
from mizzle.model.calibrate import Calibration
from mizzle.model.net import Net, NetConfig
from mizzle.model.novelty import Novelty
from mizzle.model.preprocess import prepare
from mizzle.model.statistics.tokens import GLOBAL_CHANNELS, repad, summarise

HEADER = weights.Header(
    name="test",
    version="0",
    net=NetConfig(width=16, channels=8, heads=2, rounds=1, blocks=2),
    rows=(10, 100),
    columns=(1, 4),
    prior={"a": [1, 2]},
    training={"seed": 3},
)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A small weights file."""
    torch.manual_seed(0)
    file = tmp_path / "small.safetensors"
    weights.save(file, Net(HEADER.net), Calibration.identity(), Novelty.nothing(GLOBAL_CHANNELS), HEADER)
    return file


def test_round_trip(path: Path) -> None:
    net, calibration, novelty, header, info = weights.load(path)
    assert header == HEADER
    assert info[:2] == ("test", "0")
    assert len(info.sha256) == 64
    assert not net.training
    torch.testing.assert_close(calibration.levels, Calibration.identity().levels)
    assert torch.equal(novelty.whitening, torch.eye(GLOBAL_CHANNELS))


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
    with safe_open(path, framework="pt") as file:
        save_file(tensors, path, metadata=file.metadata())


def _spoilt_novelty(path: Path) -> None:
    _rewrite(path, spoil="novelty.thresholds")


def _no_novelty(path: Path) -> None:
    _rewrite(path, drop="novelty.centre")


def _impossible_net(path: Path) -> None:
    _rewrite(path, net={**HEADER.net.__dict__, "heads": 0})


def _other_tokens(path: Path) -> None:
    _rewrite(path, tokens={"queries": 192})


def _no_header(path: Path) -> None:
    save_file(load_file(path), path)


def _rewrite(path: Path, drop: str = "", spoil: str = "", **changed: object) -> None:
    with safe_open(path, framework="pt") as file:
        text = json.loads(file.metadata()["mizzle"])
    tensors = {name: t for name, t in load_file(path).items() if name != drop}
    if spoil:
        tensors[spoil].view(-1)[0] = torch.nan
    save_file(tensors, path, metadata={"mizzle": json.dumps(text | changed)})


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
        _no_novelty,
        _impossible_net,
        _other_tokens,
        _no_header,
        Path.unlink,
    ],
    ids=lambda f: f.__name__.strip("_"),
)
def test_a_damaged_file_is_refused_in_one_sentence(path: Path, damage: object) -> None:
    damage(path)  # type: ignore[operator]
    with pytest.raises(ModelUnavailable) as caught:
        weights.load(path)
    assert path.name in str(caught.value)
    assert str(path.parent) not in str(caught.value)


def test_estimator_answers_from_the_file(path: Path) -> None:
    rng = np.random.default_rng(0)
    estimate = Estimator.load(path).estimate(rng.normal(size=50), rng.normal(size=(50, 2)))
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
        weights.load(path)

    grown = weights.grown(path)
    rng = np.random.default_rng(2)
    tokens = repad(summarise([prepare(*rng.standard_normal((2, 50, 2))) for _ in range(4)]))
    assert not grown.scaled
    grown.fit_inputs(tokens, grown=True)
    assert grown.scaled
    assert (grown.standardise.scale[:-ADDED] == 1).all()
    assert torch.equal(grown(tokens), whole(tokens))


def _save_older(path: Path, state: dict[str, torch.Tensor]) -> None:
    """As a file of code that had no nonlinear correlations."""
    older = {
        name: t.narrow(READERS[name], 0, t.shape[READERS[name]] - ADDED)
        for name, t in state.items()
        if name in READERS
    }
    tensors = {**load_file(path), **state, **{name: t.clone() for name, t in older.items()}}
    tokens = {name: value for name, value in weights.CODE["tokens"].items() if name != "functions"}
    with safe_open(path, framework="pt") as file:
        about = json.loads(file.metadata()["mizzle"])
    save_file(tensors, path, metadata={"mizzle": json.dumps(about | {"tokens": tokens})})


def test_weights_of_other_statistics_cannot_be_trained_on(path: Path) -> None:
    _rewrite(path, tokens={"queries": 192})
    with pytest.raises(ModelUnavailable, match="this version"):
        weights.grown(path)
