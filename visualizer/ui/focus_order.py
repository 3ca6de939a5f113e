"""The order in which Tab goes through the window: that of the panels on screen, not that in which they were made."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import pairwise

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QAbstractItemView, QWidget


def order_focus(parts: Iterable[QWidget]) -> None:
    """Have Tab go through `parts` in this order; within each, as it is. In a table the arrows move, and Tab leaves."""
    order = [stop for part in parts for stop in stops(part)]
    for stop in order:
        if isinstance(stop, QAbstractItemView):
            stop.setTabKeyNavigation(False)
    for before, after in pairwise(order):
        QWidget.setTabOrder(before, after)


def stops(part: QWidget) -> list[QWidget]:
    """The widgets in `part` that Tab stops at, in their present order."""
    found = []
    widget: QWidget | None = part
    while widget is not None:
        if widget.focusPolicy() & Qt.FocusPolicy.TabFocus and (widget is part or part.isAncestorOf(widget)):
            found.append(widget)
        widget = widget.nextInFocusChain()
        if widget is part:
            break
    return found
