"""`mizzle adapt`, `mizzle assess`, `mizzle estimate --weights`, and clients on such weights."""

import asyncio
import json
from pathlib import Path

import numpy as np
import pytest
from commanded import Run, runner

import mizzle
from mizzle import errors
from mizzle.service import server
from mizzle.service.settings import Settings


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Run:
    monkeypatch.delenv("MIZZLE_BASE_URL", raising=False)
    return runner(capsys)


@pytest.fixture(scope="module")
def table(tmp_path_factory: pytest.TempPathFactory) -> Path:
    a, b, c = np.random.default_rng(0).standard_normal((3, 240))
    path = tmp_path_factory.mktemp("table") / "table.csv"
    lines = (f"{u},{u + v},{'north' if w > 0 else 'south'},{w}" for u, v, w in zip(a, b, c, strict=True))
    path.write_text("\n".join(["a,b,where,d", *lines]))
    return path


@pytest.fixture(scope="module")
def weights(table: Path) -> Path:
    frame = np.loadtxt(table, delimiter=",", skiprows=1, usecols=(0, 1, 3))
    sides = {"a": frame[:, 0], "b": frame[:, 1]}, {"d": frame[:, 2]}
    return mizzle.adapt(*sides, minutes=8, rng=3).save(table.with_name("python.safetensors"))


def test_adapt_writes_weights_and_prints_the_report(run: Run, table: Path, weights: Path) -> None:
    out = table.with_name("shell.safetensors")
    words = ("adapt", table, "--x", "a,b", "--y", "d", "--minutes", 8, "--seed", 3, "--out", out)
    code, printed, said = run(*words, "--json")
    assert code == 0
    assert "shell.safetensors" in said
    assert json.loads(printed)["x"]["names"] == ["a", "b"]
    assert out.read_bytes() == weights.read_bytes()  # the same by either door
    code, _, said = run(*words)
    assert code == 2
    assert "--force" in said


def test_assess_prints_the_report_alone(run: Run, table: Path) -> None:
    code, printed, said = run("assess", table, "--x", "a,b", "--y", "where")
    assert code == 0
    assert "before" in printed
    assert "after" not in printed
    assert "where" in said  # labels became numbers


def test_estimate_with_weights(run: Run, table: Path, weights: Path) -> None:
    code, printed, _ = run("estimate", table, "--x", "a", "--y", "b", "--weights", weights, "--json")
    assert code == 0
    answer = json.loads(printed)
    assert answer["model"]["sha256"] == mizzle.load(weights).info.sha256
    frame = np.loadtxt(table, delimiter=",", skiprows=1, usecols=(0, 1))
    with mizzle.Client.local(weights=weights) as client:
        assert client.estimate(frame[:, 0], frame[:, 1]).mi == pytest.approx(answer["mi"])


def test_clients_take_weights_or_an_estimator(weights: Path) -> None:
    adapted = mizzle.load(weights)
    x, y = np.random.default_rng(5).standard_normal((2, 100))

    async def ask() -> mizzle.Estimate:
        async with mizzle.AsyncClient.local(weights=str(weights)) as client:
            return await client.estimate(x, y)

    assert asyncio.run(ask()) == adapted.estimate(x, y)
    for client in (mizzle.Client, mizzle.AsyncClient):
        with pytest.raises(errors.InvalidInput, match="give one of them"):
            client.local(adapted.estimator, weights=weights)
        with pytest.raises(errors.ModelUnavailable, match="no weights"):
            client.local(weights=weights.with_name("none.safetensors"))


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("--out", "own.npz"), "must end in .safetensors"),
        (("--out", "nowhere/own.safetensors"), "does not exist"),
        (("--out", "{folder}/own.safetensors", "--minutes", "-1"), "0, which only calibrates"),
        (("--out", "{folder}/own.safetensors", "--seed", "-1"), "seed"),
    ],
)
def test_wrong_options_of_adapt(run: Run, table: Path, words: tuple[str, ...], message: str) -> None:
    words = tuple(word.format(folder=table.parent) for word in words)
    code, printed, said = run("adapt", table, "--x", "a", "--y", "b", *words)
    assert (code, printed) == (2, "")
    assert message in " ".join(said.split())


def test_weights_are_not_for_a_service(run: Run, table: Path, weights: Path) -> None:
    words = ("estimate", table, "--x", "a", "--y", "b", "--weights", weights)
    code, _, said = run(*words, "--url", "http://127.0.0.1:9")
    assert code == 2
    assert "leave out --url" in said


def test_a_service_can_be_told_its_weights(monkeypatch: pytest.MonkeyPatch, run: Run) -> None:
    chosen: list[Settings] = []
    monkeypatch.setattr(server, "serve", lambda settings: chosen.append(settings) or 0)
    assert run("serve", "--weights", "own.safetensors")[0] == run("serve")[0] == 0
    assert [settings.weights for settings in chosen] == [Path("own.safetensors"), None]


def test_further_weights_have_no_comma_in_their_paths(run: Run) -> None:
    code, printed, said = run("serve", "--weights", "a.safetensors", "--weights", "b,c.safetensors")
    assert (code, printed) == (2, "")
    assert "'b,c.safetensors' has a comma, which separates paths in MIZZLE_MODELS" in " ".join(said.split())
