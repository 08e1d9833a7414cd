"""Writes what was measured into README and pages, and whole pages of `docs/`, from the newest results.

    python benchmarks/readme.py [--check]

What stands between their two markers is made here and nowhere else, as are the pages; `--check` exits
with 1 where one of them differs. What the results lack is left out.
"""

import argparse
import sys
from collections.abc import Iterator
from pathlib import Path

import accuracy_page
import adapt_page
import attacks_page
import measurements_page
import questions_page
import scale_page
import torch_page
from goals import Results
from page_tables import ERRORS_LEGEND, coverage, pooled_errors, weak_spots, with_real_data
from questions_page import FILES
from results import RESULTS, Row, read_newest

README = Path(__file__).resolve().parent.parent / "README.md"
MEASUREMENTS = README.parent / "docs" / "measurements.md"
ACCURACY = README.parent / "docs" / "accuracy.md"
ATTACKS = README.parent / "docs" / "attacks.md"
TORCH = README.parent / "docs" / "torch.md"
QUESTIONS = README.parent / "docs" / "questions" / "figures.md"
SCALE = README.parent / "docs" / "scale.md"
ADAPT = README.parent / "docs" / "adapt.md"
GOALS_FROM = ("accuracy", "real-data", "consistency", "speed", "images", "questions-verdict")
BEGIN, END = "<!-- benchmark:begin -->", "<!-- benchmark:end -->"


def main() -> int:
    """Rewrites the files, or says whether they are up to date."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--check", action="store_true", help="change nothing; exit 1 if it would")
    options = parser.parse_args()
    texts = {README: updated(README.read_text(), section()), **pages()}
    differing = [path.name for path, text in texts.items() if not path.exists() or path.read_text() != text]
    if options.check:
        print(f"differing: {', '.join(differing)}; run benchmarks/readme.py" if differing else "up to date")
        return int(bool(differing))
    for path, text in texts.items():
        path.write_text(text)
    return 0


def pages(folder: Path = RESULTS) -> dict[Path, str]:
    """The pages that are made of the results as a whole, by their place."""
    results = Results(*(read_newest(kind, folder) for kind in GOALS_FROM))
    return {
        MEASUREMENTS: measurements_page.page(folder),
        ACCURACY: accuracy_page.page(results, read_newest("intervals", folder)),
        ATTACKS: attacks_page.page(read_newest("attack", folder)),
        TORCH: torch_page.page(read_newest("gradients", folder)),
        ADAPT: updated(ADAPT.read_text(), adapt_page.section(read_newest("adapt", folder))),
        SCALE: updated(SCALE.read_text(), scale_page.section(read_newest("scale", folder))),
        QUESTIONS: questions_page.page([read_newest(f"questions-{part}", folder) for part in FILES]),
    }


def updated(text: str, measured: str) -> str:
    """A page with another text between its markers."""
    before, mark, rest = text.partition(BEGIN)
    _, end, after = rest.partition(END)
    assert (mark, end) == (BEGIN, END), f"the page needs {BEGIN} and {END}"
    return f"{before}{BEGIN}\n{measured}\n{END}{after}"


def section(folder: Path = RESULTS) -> str:
    """Everything between the markers: one table of errors, one of coverage, and where not to trust it."""
    accuracy, real = read_newest("accuracy", folder), read_newest("real-data", folder)
    result = with_real_data(accuracy, real)
    parts = [*_provenance(accuracy, real), *_errors(result), coverage(result), weak_spots(result)]
    return "\n\n".join(part for part in parts if part)


def _provenance(result: Row, real: Row) -> Iterator[str]:
    if "weights" not in result:
        return
    later = f" (as in real tables: {real['date']})" if real else ""
    yield (
        f"Measured on {result['date']}{later} by `make benchmark FULL=1` with the weights "
        f"`{result['weights']['sha256'][:12]}`; all in nats. The page of "
        "[measurements](docs/measurements.md) has all tables and figures: by number of rows, independent "
        "samples, speed, devices, designs; [accuracy in detail](docs/accuracy.md) has goals and groups."
    )


def _errors(result: Row) -> Iterator[str]:
    if rows := pooled_errors(result):
        yield from (ERRORS_LEGEND, rows)


if __name__ == "__main__":
    sys.exit(main())
