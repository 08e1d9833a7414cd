"""axe-core, which looks for what keeps people out of a page."""

from typing import Any

import vendored

_FINDINGS = """async without => (await axe.run()).violations
    .filter(({ id, impact }) => (impact === "serious" || impact === "critical") && !without.includes(id))
    .map(({ id, nodes }) => `${id}: ${nodes.map((node) => node.html.slice(0, 120)).join(" | ")}`)"""


def findings(page: Any, *without: str) -> list[str]:
    """The serious and critical findings about a page as it stands, of all rules but some.

    Each names its rule and shows the elements.
    """
    page.evaluate((vendored.FOLDERS[1] / "axe.min.js").read_text())
    return list(page.evaluate(_FINDINGS, list(without)))
