"""The sources under the name by which they are imported, as the folder `sdk` is imported under another.

The API reference is read from them.
"""

from pathlib import Path
from typing import Any

_ROOT = Path(__file__).resolve().parents[2]


def on_startup(**_: Any) -> None:
    """Lays out a tree of links; made later, it is not seen."""
    tree = _ROOT / "build" / "docs" / "mizzle"
    tree.parent.mkdir(parents=True, exist_ok=True)
    if not tree.is_symlink():
        tree.symlink_to(_ROOT / "sdk", target_is_directory=True)
