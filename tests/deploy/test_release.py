"""The release workflow: valid, of pinned parts, and with no more permissions than it needs."""

import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).parents[2]
WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.y*ml"))
RELEASE: dict[str, Any] = yaml.safe_load((ROOT / ".github/workflows/release.yml").read_text())
JOBS: dict[str, dict[str, Any]] = RELEASE["jobs"]
COMMANDS = [step["run"] for job in JOBS.values() for step in job["steps"] if "run" in step]
BY_TAG: dict[str, str] = {}  # actions that are not named by commit, with the reason


def test_workflows_are_valid() -> None:
    command = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", "vendor.github-workflows"]
    done = subprocess.run([*command, *map(str, WORKFLOWS)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize("workflow", WORKFLOWS, ids=lambda path: path.name)
def test_actions_are_named_by_commit_with_their_version(workflow: Path) -> None:
    uses = re.findall(r"^\s*(?:- )?uses: (.*)$", workflow.read_text(), re.MULTILINE)
    assert uses
    for action in uses:
        pinned = re.fullmatch(r"[\w.-]+/[\w./-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+", action)
        assert pinned or action in BY_TAG, action


def test_one_commit_for_each_action() -> None:
    uses = {step["uses"] for job in JOBS.values() for step in job["steps"] if "uses" in step}
    names = [action.partition("@")[0] for action in uses]
    assert len(names) == len(set(names))


def test_what_is_installed_is_locked_by_hash() -> None:
    assert "--require-hashes" in RELEASE["env"]["INSTALL"]
    installs = [
        line.strip() for command in COMMANDS for line in command.splitlines() if "pip install" in line
    ]
    assert installs == [
        "fresh/bin/pip install dist/*.tar.gz"
    ]  # as a user does, and its result is thrown away
    for command in COMMANDS:
        for file in re.findall(r"-r (deploy/\S+)", command):
            assert (ROOT / file).exists()


def test_jobs_have_the_permissions_that_they_need() -> None:
    assert RELEASE["permissions"] == {"contents": "read"}
    written = {
        name: {scope for scope, access in job.get("permissions", {}).items() if access == "write"}
        for name, job in JOBS.items()
    }
    assert written == {
        "checks": set(),
        "wheels": set(),
        "source": set(),
        "image": {"packages", "id-token", "attestations"},
        "sign": {"id-token", "attestations"},
        "publish": {"id-token"},
        "assets": {"contents"},
    }
    checkouts = [step for job in JOBS.values() for step in job["steps"] if "checkout" in step.get("uses", "")]
    assert all(step["with"] == {"persist-credentials": False} for step in checkouts)


def test_only_a_tag_publishes() -> None:
    tag = "startsWith(github.ref, 'refs/tags/v')"
    assert all(JOBS[name]["if"] == tag for name in ("sign", "publish", "assets"))
    steps = JOBS["image"]["steps"]
    first = next(i for i, step in enumerate(steps) if "login" in step.get("run", ""))
    assert all(step["if"] == tag for step in steps[first:])
    assert not any("push" in step.get("run", "") for step in steps[:first])


def test_nothing_is_published_unchecked_or_unsigned() -> None:
    assert set(JOBS["sign"]["needs"]) == {"checks", "wheels", "source", "image"}
    assert JOBS["publish"]["needs"] == ["sign"]
    assert JOBS["assets"]["needs"] == ["publish"]
    assert JOBS["image"]["needs"] == ["checks"]
    checks = "\n".join(step.get("run", "") for step in JOBS["checks"]["steps"])
    assert "deploy/audit.py --online" in checks
    assert "deploy/secret_scan.py" in checks


def test_wheels_sdist_weights_and_image_have_provenance() -> None:
    attested = [
        step["with"] for job in JOBS.values() for step in job["steps"] if "attest-" in step.get("uses", "")
    ]
    assert [sorted(options) for options in attested] == [
        ["push-to-registry", "subject-digest", "subject-name"],
        ["subject-path"],
    ]
    sign = "\n".join(step.get("run", "") for step in JOBS["sign"]["steps"])
    assert "model/weights/*.safetensors assets/" in sign
    assert "sigstore sign --output-directory signatures assets/*" in sign
    (publish,) = (step for step in JOBS["publish"]["steps"] if "pypi-publish" in step["uses"])
    assert publish["with"]["attestations"] is True


def test_the_image_is_built_from_a_digest() -> None:
    (build,) = (step["run"] for step in JOBS["image"]["steps"] if "docker build" in step.get("run", ""))
    assert '--build-arg "PYTHON_IMAGE=$base"' in build
    assert "@${digest#*@}" in build
    assert "$(sed -n 's/^ARG PYTHON_IMAGE=//p' Dockerfile)" in build
    assert re.search(r"^ARG PYTHON_IMAGE=\S+$", (ROOT / "Dockerfile").read_text(), re.MULTILINE)


@pytest.mark.parametrize("command", COMMANDS)
def test_commands_are_valid_shell(command: str) -> None:
    done = subprocess.run(["bash", "-n"], input=command, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
