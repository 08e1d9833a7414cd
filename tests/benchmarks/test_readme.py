"""What the README and the pages say about measurements is what the results in the tree say."""

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import measurements_page
import names
import pytest
from names import SuiteEntry
from readme import BEGIN, END, MEASUREMENTS, README, TORCH, pages, section, updated
from results import newest, read_newest

from mizzle.metadata_gen.prior.ranges import MAX_DIM, ROWS
from mizzle.model import Estimator
from mizzle.model.weights import SHIPPED

ROOT = README.parent
KINDS = ("accuracy", "real-data", "consistency", "speed")
# A number with the word that follows it: "64 minutes", "10.2 MiB", "90 %".
NUMBER = re.compile(r"(?<![\w.])\.?\d[\d,]*(?:\.\d+)*(?:\s?(?:%|[A-Za-z]+))?")
UNITS = {"%", "ms", "s", "MiB", "GiB", "nats", "bits", "seconds", "minutes", "hours", "times"}
# Numbers outside the markers that nothing measures. A measured one belongs between the markers.
CONSTANTS = {
    "569 real",  # the data set of the picture
    "50 %",  # the intervals of the picture
    "90 %",
    "3.11 or",  # Python
}


def constants() -> set[str]:
    """CONSTANTS, and what the code and the header of the weights say: limits, and how training went."""
    header = Estimator.load().header
    training: dict[str, Any] | None = header.training
    sides = {f"{header.rows[0]:,}", f"{header.rows[1]:,}", f"{ROWS[0]:,}", f"{ROWS[1]:,}", str(MAX_DIM)}
    trained = set()
    while training:
        trained |= {f"{training['data_sets']:,} fresh", f"{training['minutes']:.0f} minutes"}
        trained |= {str(training["seed"])}
        training = training.get("started_from")
    return CONSTANTS | sides | trained | {f"{SHIPPED.stat().st_size / 2**20:.1f} MiB"}


def prose(text: str) -> str:
    """Without what is made by `readme.py`, code, link targets and pictures."""
    before, _, rest = text.partition(BEGIN)
    text = before + rest.partition(END)[2]
    for pattern in (r"```.*?```", r"`[^`]*`", r"\]\([^)]*\)", r"<!--.*?-->"):
        text = re.sub(pattern, " ", text, flags=re.DOTALL)
    return text


def unknown(text: str, known: set[str]) -> Iterator[str]:
    """Numbers of a text that are not known, with the word behind them; without it where it is no unit."""
    for match in NUMBER.findall(text):
        number = match.rstrip(",.")
        bare = number.rstrip("%").split()[0]
        measured = number[len(bare) :].strip() in UNITS
        if number not in known and (measured or bare not in known):
            yield number


def test_the_measured_part_is_made_from_the_results() -> None:
    text = README.read_text()
    assert text == updated(text, section()), "run: python benchmarks/readme.py"


@pytest.mark.parametrize(("page", "text"), pages().items(), ids=lambda value: getattr(value, "name", ""))
def test_a_page_is_made_from_the_results(page: Path, text: str) -> None:
    assert page.read_text() == text, "run: python benchmarks/readme.py"


def test_the_readme_is_short_and_has_two_tables() -> None:
    rows = [line for line in section().splitlines() if line.startswith("|")]
    assert sum(line.startswith("| ---") for line in rows) == 2
    assert len(README.read_text().splitlines()) <= 130


def test_a_new_suite_stands_in_both(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It takes one entry of SUITES, and a result that has it."""
    path = newest("accuracy")
    assert path is not None
    result = json.loads(path.read_text())
    like = [row for row in result["scores"] if row["suite"] == "held-out-n1000"]
    result["scores"] += [{**row, "suite": "real"} for row in like]
    (tmp_path / path.name).write_text(json.dumps(result))
    suites = {**names.SUITES, "real": SuiteEntry("real data", rows="50-500")}
    monkeypatch.setattr("page_tables.SUITES", suites)
    for text in (section(tmp_path), measurements_page.page(tmp_path)):
        assert text.count("\n| real data, n = 50 to 500 | ") == 1
        assert text.count("\n| real data | ") == 1


def test_check_says_so() -> None:
    command = [sys.executable, str(ROOT / "benchmarks" / "readme.py"), "--check"]
    assert subprocess.run(command, capture_output=True, check=False).returncode == 0


def test_prose_holds_no_number_that_a_benchmark_should_have_written() -> None:
    numbers = list(unknown(prose(README.read_text()), constants()))
    assert numbers == [], "a measured number belongs between the markers; any other into CONSTANTS"


@pytest.mark.parametrize(
    ("text", "numbers"),
    [
        ("It takes 6 ms.", ["6 ms"]),
        ("It takes `6 ms`.", []),
        ("90 % and 64 columns, 64 %, 64%", ["64 %", "64%"]),
        ("coverage is .91 on held-out draws", [".91 on"]),
        ("1,234 problems, 0.5 nats", ["1,234 problems", "0.5 nats"]),
        ("Python 3.11 or newer, [table](results-2026.json)", []),
        (f"{BEGIN}\n| 0.123 |\n{END}", []),
    ],
)
def test_the_reader_of_numbers(text: str, numbers: list[str]) -> None:
    assert list(unknown(prose(text), {*CONSTANTS, "64"})) == numbers


@pytest.mark.parametrize("kind", KINDS)
def test_results_are_full_and_say_where_they_come_from(kind: str) -> None:
    result = read_newest(kind)
    assert result["quick"] is False, "run: make benchmark FULL=1"
    assert set(result["machine"]) == {"processor", "cores"}
    assert result["commit"]


@pytest.mark.parametrize("kind", KINDS)
def test_results_are_those_of_the_shipped_weights(kind: str) -> None:
    assert read_newest(kind)["weights"]["sha256"] == Estimator.load().info.sha256


@pytest.mark.parametrize("page", [README, *pages()], ids=lambda page: page.name)
def test_what_a_page_links_to_exists(page: Path) -> None:
    targets = re.findall(r"\]\(([^)#:]+)\)", page.read_text())
    missing = [target for target in targets if not (page.parent / target).exists()]
    assert missing == []


def test_the_pages_show_every_picture() -> None:
    pictures = {f"figures/{path.name}" for path in (ROOT / "docs" / "figures").glob("*.png")}
    text = "".join(path.read_text() for path in (MEASUREMENTS, TORCH))
    assert {picture for picture in pictures if picture not in text} == set()


def test_the_table_of_contents_names_every_module() -> None:
    contents = (ROOT / "benchmarks" / "README.md").read_text()
    modules = {path.name for path in (ROOT / "benchmarks").glob("*.py")}
    assert {module for module in modules if f"`{module}`" not in contents} == set()
    assert set(re.findall(r"^\| `(\w+\.py)`", contents, re.MULTILINE)) <= modules


def test_markers_are_needed(tmp_path: Path) -> None:
    with pytest.raises(AssertionError, match="the page needs"):
        updated("no markers here", "text")
