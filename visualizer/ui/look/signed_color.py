"""The two colours of bars that go either way from zero."""

from __future__ import annotations

from PySide6.QtGui import QColor

from visualizer.ui.look.colors import STEPS, lookup_table
from visualizer.ui.look.theme import current_theme

#: Where in the diverging map they are: clear, and not its darkest end.
SHARE_OF_MAP = 0.85


def signed_color(value: float) -> QColor:
    """The diverging map's colour for a large number of this sign."""
    reach = round(SHARE_OF_MAP * (STEPS // 2))
    index = STEPS // 2 + (reach if value > 0 else -reach)
    red, green, blue, _ = lookup_table("diverging", current_theme()).rgba[index].tolist()
    return QColor(red, green, blue)
