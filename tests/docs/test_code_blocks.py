"""Every block of code in the documentation runs as it stands, with the shipped weights."""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx2
import pytest
from blocks import DOCS, SERVICE, Block, blocks, pages_with

from mizzle import estimator as estimators
from mizzle.service.settings import Settings

ROOT = DOCS.parent
SHELL = [block for page in pages_with("sh") for block in blocks(page, "sh")]


@pytest.fixture(scope="module")
def service(serve_here: Callable[..., Any]) -> Iterator[str]:
    """The real service on some port."""
    with serve_here(Settings(), estimators.load()) as url:
        yield url


def runnable(block: Block, service: str) -> str:
    return block.code.replace(SERVICE, service)


@pytest.mark.parametrize("page", pages_with("python"), ids=lambda page: page.name)
def test_python_blocks_run_one_after_another(
    page: Path, service: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(ROOT)
    names: dict[str, Any] = {"__name__": "page"}
    for block in blocks(page, "python"):
        lines = "\n" * block.line  # so that a traceback names the page's own line
        exec(compile(lines + runnable(block, service), str(page), "exec"), names)
        assert ("print(" in block.code) is bool(capsys.readouterr().out)


@pytest.mark.parametrize("block", SHELL, ids=lambda block: f"{block.page.name}:{block.line}")
def test_shell_blocks_succeed_and_say_something(block: Block, service: str) -> None:
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    unset = {name: value for name, value in os.environ.items() if not name.startswith("MIZZLE_")}
    command = ["bash", "-euo", "pipefail", "-c", runnable(block, service)]
    done = subprocess.run(
        command, cwd=ROOT, env={**unset, "PATH": path}, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip()


def test_the_page_is_at_the_address_that_the_start_page_names(service: str) -> None:
    assert f"{SERVICE}/." in (DOCS / "index.md").read_text("utf-8")
    with httpx2.Client(base_url=service, trust_env=False) as http:
        answer = http.get("/")
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/html")


def test_all_four_doors_are_tried() -> None:
    start = (DOCS / "index.md").read_text("utf-8")
    assert all(f"## {door}\n" in start for door in ("Python", "Shell", "HTTP", "Page"))
    assert len(blocks(DOCS / "index.md", "python")) == 2
    assert len(blocks(DOCS / "index.md", "sh")) == 3
