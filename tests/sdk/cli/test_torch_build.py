"""What the doctor says about torch: its build, its size, and what to do where that is more than needed."""

import json
from pathlib import Path

import commanded
import pytest
from fakes import FakeEstimator

from mizzle import estimator as estimators
from mizzle.cli import doctor

CPU = "cuda: Optional[str] = None\nhip: Optional[str] = None\n"
CUDA = "from typing import Optional\ncuda: Optional[str] = '12.8'\nhip: Optional[str] = None\n"
ROCM = "cuda = None\nhip = '6.3.42'\n"
# Distributions by name: bytes, and what they need.
NEEDS = {
    "torch": (3_000_000_000, ["cuda-toolkit[cublas,cudart]==13", "triton==3; platform_system == 'Linux'"]),
    "cuda-toolkit": (1000, ["nvidia-cublas; extra == 'cublas'", 'nvidia-npp; extra == "npp"', "absent"]),
    "nvidia-cublas": (2_000_000_000, ["torch"]),
    "nvidia-npp": (7_000_000_000, []),
    "triton": (500_000_000, []),
    "unrelated": (9_000_000_000, []),
}


@pytest.fixture
def install(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    """Installs a torch of which `version.py` has this text, None for no such file."""

    def into(text, needs=NEEDS) -> None:
        for name, (size, requirements) in needs.items():
            folder = tmp_path / f"{name.replace('-', '_')}-2.0.dist-info"
            folder.mkdir()
            lines = [f"Name: {name}", "Version: 2.0", *(f"Requires-Dist: {r}" for r in requirements)]
            (folder / "METADATA").write_text("\n".join(lines))
            if size:
                (folder / "RECORD").write_text(f"{name}/a.so,sha256=x,{size - 10}\nb,,10\nRECORD,,\n")
        if text is not None:
            (tmp_path / "torch").mkdir()
            (tmp_path / "torch" / "version.py").write_text(text)
        monkeypatch.syspath_prepend(str(tmp_path))

    return into


@pytest.mark.parametrize(
    ("text", "platform"), [(CPU, "CPUs"), (CUDA, "CUDA 12.8"), (ROCM, "ROCm 6.3.42"), (None, "an unknown")]
)
def test_the_build_and_all_that_it_brought_are_said(install, text, platform: str) -> None:
    install(text)
    said = doctor.torch_build("cuda")
    assert said.startswith(f"2.0, a build for {platform}")
    assert said.endswith("; 5.5 GB on disk with the 3 packages that it needs")


@pytest.mark.parametrize(
    ("text", "device", "advised"),
    [
        (CUDA, "cpu", True),
        (CUDA, "cuda", False),
        (CUDA, None, False),
        (CPU, "cpu", False),
        (None, "cpu", False),
    ],
)
def test_a_build_for_gpus_without_a_gpu_has_a_remedy(
    install, text, device: str | None, advised: bool
) -> None:
    install(text)
    assert ("pip install torch --index-url" in doctor.torch_build(device)) is advised


def test_sizes_that_nobody_noted_are_not_made_up(install) -> None:
    install(CPU, {"torch": (0, [])})
    assert doctor.torch_build("cpu") == "2.0, a build for CPUs"


def test_the_doctor_says_it_and_is_content(
    install, fake: FakeEstimator, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    install(CUDA)
    commanded.shared(fake, monkeypatch)
    run = commanded.runner(capsys)
    code, out, _ = run("doctor")
    [line] = [line for line in out.splitlines() if line.split()[1] == "torch"]
    assert code == 0
    assert line.startswith("ok ")
    assert "CUDA 12.8; 5.5 GB on disk" in line
    assert "no GPU here" in line
    checks = json.loads(run("doctor", "--json")[1])["checks"]
    assert [check["said"] in line for check in checks if check["name"] == "torch"] == [True]


def test_it_is_said_of_a_torch_that_does_not_work_too(
    install, fake: FakeEstimator, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def load(**_) -> None:
        raise OSError("libcudart.so")

    install(CUDA)
    commanded.shared(fake, monkeypatch)
    monkeypatch.setattr(estimators, "load", load)
    code, out, _ = commanded.runner(capsys)("doctor")
    assert code == 1
    assert "ok      torch           2.0, a build for CUDA 12.8" in out
