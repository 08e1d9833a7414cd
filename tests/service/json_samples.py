"""Bodies of JSON, and the two readers of such."""

import json
from typing import Any

from mizzle.service.formats import json_problem
from mizzle.service.formats.problem import Problem

GRID = (0.005, 0.05, 0.25, 0.5, 0.75, 0.95, 0.995)
ROWS = 12
X = [[0.5 * i, (-1.0) ** i] for i in range(ROWS)]
Y = list(range(ROWS))
GOOD = json.dumps({"x": X, "y": Y})
FLAT = ", ".join(map(str, Y))


def one(text: Any) -> Problem:
    """The problem in a body."""
    return json_problem.parse_problem(text if isinstance(text, bytes) else text.encode(), GRID)


def many(text: Any, most: int = 8) -> list[Any]:
    """The problems in a body."""
    return json_problem.parse_batch(text if isinstance(text, bytes) else text.encode(), GRID, most)


def problem(x: str = FLAT, y: str = FLAT, rest: str = "") -> str:
    return f'{{"x": [{x}], "y": [{y}]{rest}}}'


def batch(*problems: Any, rest: str = "") -> str:
    return f'{{"problems": [{", ".join(problems)}]{rest}}}'
