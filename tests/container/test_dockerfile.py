"""What the Dockerfile must say; that it builds and runs is shown by `make container`."""

import fnmatch
import io
import json
import re
import subprocess
import sysconfig
import tomllib
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from dockerfile_parse import DockerfileParser
from packaging.requirements import Requirement

from mizzle.service.settings import Settings


class Step(NamedTuple):
    name: str
    value: str


@pytest.fixture(scope="module")
def stages(root: Path) -> list[list[Step]]:
    """What comes before the first FROM, and the steps of each stage from its FROM on."""
    # Not by path: the parser writes to the file that it is given when asked to change something.
    parser = DockerfileParser(fileobj=io.BytesIO((root / "Dockerfile").read_bytes()), env_replace=False)
    found: list[list[Step]] = [[]]
    for line in parser.structure:
        if line["instruction"] == "FROM":
            found.append([])
        if line["instruction"] != "COMMENT":
            found[-1].append(Step(line["instruction"], line["value"]))
    return found


@pytest.fixture(scope="module")
def final(stages: list[list[Step]]) -> list[Step]:
    return stages[-1]


@pytest.fixture(scope="module")
def project(root: Path) -> dict[str, Any]:
    found: dict[str, Any] = tomllib.loads((root / "pyproject.toml").read_text())["project"]
    return found


def _all(steps: list[Step], name: str) -> list[str]:
    return [step.value for step in steps if step.name == name]


def _defaults(stages: list[list[Step]]) -> dict[str, str]:
    """The build arguments; "" for those without a default. A stage that names one again takes what it was."""
    pairs = [value.partition("=") for steps in stages for value in _all(steps, "ARG")]
    return {name: default for name, _, default in sorted(pairs)}


def _environment(steps: list[Step]) -> dict[str, str]:
    words = " ".join(_all(steps, "ENV")).split()
    return dict(word.split("=", 1) for word in words)


def test_hadolint_has_nothing_to_say(root: Path) -> None:
    hadolint = Path(sysconfig.get_path("scripts")) / "hadolint"
    done = subprocess.run([hadolint, root / "Dockerfile"], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_two_stages_on_the_same_pinned_base(stages: list[list[Step]]) -> None:
    assert [steps[0].value for steps in stages[1:]] == ["${PYTHON_IMAGE} AS builder", "${PYTHON_IMAGE}"]
    _, _, tag = _defaults(stages)["PYTHON_IMAGE"].partition(":")
    assert re.match(r"3\.\d+-slim-[a-z]+(@sha256:[0-9a-f]{64})?$", tag)


def test_the_last_stage_holds_what_was_built_and_nothing_besides(final: list[Step]) -> None:
    assert _all(final, "COPY") == ["--from=builder /opt/mizzle /opt/mizzle"]
    assert not _all(final, "ADD") + _all(final, "RUN")


def test_it_runs_as_a_number_that_is_not_root(final: list[Step]) -> None:
    (user,) = _all(final, "USER")
    assert re.fullmatch(r"[1-9]\d*:[1-9]\d*", user)


def test_commands_need_no_shell(final: list[Step], project: dict[str, Any]) -> None:
    (entry,), (command,) = _all(final, "ENTRYPOINT"), _all(final, "CMD")
    assert json.loads(entry) == ["mizzle"]
    assert json.loads(command) == ["serve"]
    assert "mizzle" in project["scripts"]


def test_its_health_is_asked_by_its_own_command(final: list[Step]) -> None:
    (health,) = _all(final, "HEALTHCHECK")
    assert json.loads(health.partition(" CMD ")[2]) == ["mizzle", "healthcheck"]


def test_the_port_is_the_services_default(final: list[Step]) -> None:
    assert _all(final, "EXPOSE") == [str(Settings.model_fields["port"].default)]
    assert "MIZZLE_PORT" not in _environment(final)


def test_every_setting_is_one_of_the_services(final: list[Step]) -> None:
    ours = {name for name in _environment(final) if name.startswith("MIZZLE_")}
    assert ours <= {f"MIZZLE_{name.upper()}" for name in Settings.model_fields}


def test_it_listens_to_others_and_is_not_open_to_them(final: list[Step]) -> None:
    """An address beyond this machine needs keys, unless the environment waives them: it must not."""
    environment = _environment(final)
    assert environment["MIZZLE_HOST"] == "0.0.0.0"
    assert not {"MIZZLE_INSECURE", "MIZZLE_METRICS_OPEN"} & set(environment)


def test_sigterm_stops_it(final: list[Step]) -> None:
    assert _all(final, "STOPSIGNAL") == ["SIGTERM"]


def test_the_labels_name_this_version(stages: list[list[Step]], project: dict[str, Any]) -> None:
    (labels,) = _all(stages[-1], "LABEL")
    assert 'org.opencontainers.image.version="${VERSION}"' in labels
    assert _defaults(stages)["VERSION"] == project["version"]


def test_the_labels_name_the_base(final: list[Step]) -> None:
    (labels,) = _all(final, "LABEL")
    assert 'org.opencontainers.image.base.name="${PYTHON_IMAGE}"' in labels
    assert "PYTHON_IMAGE" in _all(final, "ARG")  # in a stage it is empty otherwise


def test_what_is_installed_is_locked_by_hash_but_for_torch(stages: list[list[Step]]) -> None:
    commands = [
        part for step in stages[1] if step.name == "RUN" for part in re.split(r"&&|;;|\|\|", step.value)
    ]
    installs = [command for command in commands if "pip install" in command or "pip wheel" in command]
    local = [command for command in installs if "--no-index" in command]
    torch = [command for command in installs if '"$TORCH_SPEC"' in command]
    locked = [command for command in installs if "--require-hashes" in command]
    assert len(local) == len(torch) == len(locked) == 2
    assert len(installs) == 6
    assert all("--only-binary :all:" in command for command in locked)


def test_no_index_is_named(stages: list[list[Step]]) -> None:
    assert not [name for name, default in _defaults(stages).items() if "://" in default]


def test_torch_is_the_one_that_was_tested(stages: list[list[Step]], root: Path) -> None:
    (tested,) = re.findall(r"^TORCH \?= (\S+)$", (root / "Makefile").read_text(), re.MULTILINE)
    assert _defaults(stages)["TORCH_SPEC"] == tested


def test_what_is_copied_exists_and_is_not_ignored(stages: list[list[Step]], root: Path) -> None:
    copied = [value.split() for value in _all(stages[1], "COPY")]
    sources = [name for *names, _ in copied for name in names]
    assert {"pyproject.toml", "sdk", "service", "model", "metadata_gen"} <= set(sources)
    for name in sources:
        assert (root / name).exists(), name
        assert not _ignored(root, name), name
    assert not _ignored(root, "model/weights/mizzle.safetensors")


@pytest.mark.parametrize(
    "path",
    [
        ".git/config",
        ".venv/bin/python",
        "build/lib/x.py",
        "deploy/secrets/keys",
        "runs/base/last.pt",
        "sdk/__pycache__/cli.cpython-312.pyc",
        "tests/conftest.py",
    ],
)
def test_what_is_not_needed_is_ignored(root: Path, path: str) -> None:
    assert _ignored(root, path)


@pytest.mark.parametrize(("file", "more"), [("requirements.txt", []), ("requirements-torch.txt", ["local"])])
def test_the_locked_packages_are_those_that_the_service_needs(
    root: Path, project: dict[str, Any], file: str, more: list[str]
) -> None:
    text = (root / "deploy" / file).read_text().replace("\\\n", "")
    lines = [line for line in text.splitlines() if line and not line.startswith("#")]
    locked = [Requirement(line.partition(" --hash=")[0]) for line in lines]
    extras = project["optional-dependencies"]
    wanted = sum((extras[name] for name in (*more, "service", "otel")), project["dependencies"])
    for needed in map(Requirement, wanted):
        found = [one for one in locked if one.name == needed.name]
        assert found or needed.name in ("mizzle", "torch"), f"{needed.name} is not locked: make lock"
        assert all(next(iter(one.specifier)).version in needed.specifier for one in found), needed
    assert all("--hash=sha256:" in line for line in lines)


@pytest.mark.parametrize("group", ["build", "release"])
def test_the_locked_tools_are_those_that_are_named(root: Path, group: str) -> None:
    named = tomllib.loads((root / "pyproject.toml").read_text())["dependency-groups"][group]
    text = (root / "deploy" / f"requirements-{group}.txt").read_text().replace("\\\n", "")
    lines = [line for line in text.splitlines() if line and not line.startswith("#")]
    locked = {req.name: req for req in (Requirement(line.partition(" --hash=")[0]) for line in lines)}
    for needed in map(Requirement, named):
        assert next(iter(locked[needed.name].specifier)).version in needed.specifier, f"{needed}: make lock"
    assert all("--hash=sha256:" in line for line in lines)


def _ignored(root: Path, path: str) -> bool:
    """Whether .dockerignore keeps a path out: the last pattern that fits it or a folder above it decides."""
    ignored = False
    for line in (root / ".dockerignore").read_text().splitlines():
        pattern = line.removeprefix("!")
        if line and not line.startswith("#") and _fits(path, pattern):
            ignored = not line.startswith("!")
    return ignored


def _fits(path: str, pattern: str) -> bool:
    parts = Path(path).parts
    if pattern.startswith("**/"):
        return any(fnmatch.fnmatch(part, pattern[3:]) for part in parts)
    above = ["/".join(parts[: i + 1]) for i in range(len(parts))]
    depth = pattern.count("/")
    return any(name.count("/") == depth and fnmatch.fnmatch(name, pattern) for name in above)
