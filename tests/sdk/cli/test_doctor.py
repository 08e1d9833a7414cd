"""The doctor: what is well is said to be, and each thing that is not has a line that says what to do."""

import dataclasses
import json
from pathlib import Path

import commanded
import pytest
from fakes import FakeEstimator

from mizzle import errors
from mizzle import estimator as estimators
from mizzle.cli import doctor
from mizzle.service.settings import Settings
from mizzle.types import Notice


@pytest.fixture
def model(fake: FakeEstimator, monkeypatch: pytest.MonkeyPatch):
    return commanded.shared(fake, monkeypatch)


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str], model):
    return commanded.runner(capsys)


def bad(out):
    return [line for line in out.splitlines() if line.startswith("failed")]


def test_all_is_well(run, served: str) -> None:
    code, out, err = run("doctor", "--url", served)
    assert (code, err) == (0, "")
    assert all(line.startswith("ok ") for line in out.splitlines())
    for name in (
        "numpy",
        "extra local",
        "weights",
        "device",
        "known answer",
        "service ready",
        "service answer",
    ):
        assert f"ok      {name}" in out
    assert "as here" in out


def test_json_is_one_object(run) -> None:
    code, out, _ = run("doctor", "--json")
    result = json.loads(out)
    assert (code, result["ok"]) == (0, True)
    assert all(set(check) == {"name", "good", "said"} for check in result["checks"])


def test_a_wrong_answer_is_found(run, model) -> None:
    model.distort = lambda estimate: dataclasses.replace(estimate, mi=2.0, warnings=(Notice("a", "b"),))
    code, out, _ = run("doctor")
    assert code == 1
    [line] = bad(out)
    assert "known answer" in line
    assert "cannot be trusted" in line


@pytest.mark.parametrize(
    "error", [errors.ModelUnavailable("the weights are missing"), OSError("libtorch.so")]
)
def test_weights_that_do_not_load_are_found(run, monkeypatch: pytest.MonkeyPatch, error) -> None:
    def load(**_) -> None:
        raise error

    monkeypatch.setattr(estimators, "load", load)
    code, out, _ = run("doctor")
    assert code == 1
    [line] = bad(out)
    assert "weights" in line


def test_other_weights_than_were_installed_are_found(run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor, "_noted", lambda: "1" * 64)
    code, out, _ = run("doctor")
    assert code == 1
    assert "reinstall the package" in bad(out)[0]
    monkeypatch.setattr(doctor, "_noted", lambda: "0" * 64)
    assert "as installed" in run("doctor")[1]


def test_the_noted_hash_is_that_of_the_installers_list(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """As a wheel's RECORD has it: unpadded base64 of the digest.

    The file is there, too: importlib_metadata, which dask brings and which takes the place of Python's own
    finder once anything imports it, lists only what exists.
    """
    (tmp_path / "mizzle-1.dist-info").mkdir()
    (tmp_path / "mizzle" / "model" / "weights").mkdir(parents=True)
    (tmp_path / "mizzle" / "model" / "weights" / "mizzle.safetensors").write_bytes(b"9 letters")
    line = "mizzle/model/weights/mizzle.safetensors,sha256=" + "A" * 43 + ",9\n"
    (tmp_path / "mizzle-1.dist-info" / "RECORD").write_text(line)
    (tmp_path / "mizzle-1.dist-info" / "METADATA").write_text("Name: mizzle\nVersion: 1\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    assert doctor._noted() == "0" * 64


def test_no_service_is_found(run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("time.sleep", lambda _: None)
    code, out, _ = run("doctor", "--url=http://127.0.0.1:9")
    assert code == 1
    [line] = bad(out)
    assert "mizzle serve" in line
    code, out, _ = run("doctor", "--url=mizzle")
    assert code == 1
    assert "address" in bad(out)[0]


def test_a_service_that_is_not_ready_is_found(
    run, model, serve_here, settings: Settings, new_fake: type[FakeEstimator]
) -> None:
    there = new_fake()
    with serve_here(settings, there) as url:
        there.distort = lambda estimate: dataclasses.replace(estimate, mi=2.0)
        code, out, _ = run("doctor", "--url", url)
    assert code == 1
    assert [line.split()[1:3] for line in bad(out)] == [["service", "ready"], ["service", "answer"]]


def test_without_an_engine_a_service_is_enough(run, served: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor, "_version", lambda name: None if name == "torch" else "1")
    monkeypatch.setattr(estimators, "compiled", lambda: estimators.Compiled(None, "it was not built"))
    monkeypatch.setattr(estimators, "load", lambda **_: pytest.fail("loaded"))
    code, out, _ = run("doctor", "--url", served)
    assert code == 0
    assert "asking a service needs none" in out


@pytest.mark.parametrize(
    ("answers", "compiled", "text"),
    [
        ("native", ("AVX2", None), "compiled, for AVX2 instructions"),
        ("torch", ("plain", None), "torch; the compiled engine is here, for plain instructions"),
        (
            "torch",
            (None, "it was not built"),
            "torch, which takes its place and several times as long: it",
        ),
        (None, (None, "it was not built"), "unknown; it was not built"),
    ],
)
def test_which_engine_answers_is_said_once(
    run, model, monkeypatch: pytest.MonkeyPatch, answers, compiled, text
) -> None:
    monkeypatch.setattr(model, "card", {**model.card, "engine": answers}, raising=False)
    monkeypatch.setattr(estimators, "compiled", lambda: estimators.Compiled(*compiled))
    [line] = [line for line in run("doctor")[1].splitlines() if "engine" in line or "built" in line]
    assert line.startswith("ok      engine ")
    assert text in line
