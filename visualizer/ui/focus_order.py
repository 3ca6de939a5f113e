"""The ways of Tab and F6 through the window: the panels as they stand on the screen, not as they were made."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import pairwise

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QAbstractItemView, QApplication, QWidget


def order_focus(parts: Iterable[QWidget]) -> None:
    """Have Tab go through `parts` in this order; within each, as it is. In a table the arrows move, and Tab leaves."""
    order = [stop for part in parts for stop in stops(part)]
    for stop in order:
        if isinstance(stop, QAbstractItemView):
            stop.setTabKeyNavigation(False)
    for before, after in pairwise(order):
        QWidget.setTabOrder(before, after)


def go_on(parts: Sequence[QWidget], by: int) -> None:
    """Give the keyboard to the part `by` places after the one that has it; after the last comes the first."""
    focus = QApplication.focusWidget()
    here = next((i for i, part in enumerate(parts) if focus is not None and part.isAncestorOf(focus)), 0)
    for i in range(1, len(parts) + 1):
        part = parts[(here + i * by) % len(parts)]
        stop = next((stop for stop in (part, *stops(part)) if _can_have_focus(stop)), None)
        if stop is not None:
            stop.window().activateWindow()
            stop.setFocus(Qt.FocusReason.TabFocusReason)
            return


def _can_have_focus(widget: QWidget) -> bool:
    return widget.isVisible() and widget.isEnabled() and bool(widget.focusPolicy() & Qt.FocusPolicy.TabFocus)


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
