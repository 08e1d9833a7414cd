"""Tools of development: commits are checked as `make lint` checks, and what comes from npm is pinned."""

import json
import re
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).parent.parent


def _json(name: str) -> dict[str, Any]:
    read: dict[str, Any] = json.loads((ROOT / name).read_text())
    return read


def test_commits_are_checked_as_make_lint_checks() -> None:
    rule = re.search(r"^lint: (.*)$", (ROOT / "Makefile").read_text(), re.MULTILINE)
    assert rule
    config = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text())
    hooks = [hook for repo in config["repos"] for hook in repo["hooks"]]
    assert [hook["entry"] for hook in hooks] == [f"make {target}" for target in rule[1].split()]
    assert {repo["repo"] for repo in config["repos"]} == {"local"}


def test_the_lock_is_of_the_tools_that_are_named_and_names_no_registry() -> None:
    named, lock = _json("package.json"), _json("package-lock.json")
    assert lock["packages"][""]["devDependencies"] == named["devDependencies"]
    assert not any(re.search(r"[\^~*<>x ]", version) for version in named["devDependencies"].values())
    packages = [package for path, package in lock["packages"].items() if path]
    assert all(package["integrity"].startswith("sha512-") for package in packages)
    assert not any("resolved" in package for package in packages)
