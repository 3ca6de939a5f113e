"""The ways of Tab and F6 through the window: the panels as they stand on the screen, not as they were made."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from PySide6.QtCore import Qt
from PySide6.QtWidgets import (
    QAbstractScrollArea,
    QApplication,
    QGridLayout,
    QLayout,
    QScrollArea,
    QSplitter,
    QStatusBar,
    QWidget,
)


def go_through(parts: Iterable[QWidget], forward: bool) -> bool:
    """Give the keyboard to the control after (or before) the one that has it; after the last comes the first."""
    order = [stop for part in parts for stop in stops(part) if _can_have_focus(stop)]
    if not order:
        return False
    here = _place(order)
    if here is None:
        here = -1 if forward else 0
    after = order[(here + (1 if forward else -1)) % len(order)]
    _focus(after, Qt.FocusReason.TabFocusReason if forward else Qt.FocusReason.BacktabFocusReason)
    return True


def go_on(parts: Sequence[QWidget], by: int) -> None:
    """Give the keyboard to the part `by` places after the one that has it; after the last comes the first."""
    here = _place(parts) or 0
    for i in range(1, len(parts) + 1):
        if enter(parts[(here + i * by) % len(parts)]):
            return


def enter(part: QWidget) -> bool:
    """Give the keyboard to the first control in `part` that can have it; returns whether there is one."""
    stop = next((stop for stop in stops(part) if _can_have_focus(stop)), None)
    if stop is not None:
        stop.window().activateWindow()
        _focus(stop, Qt.FocusReason.TabFocusReason)
    return stop is not None


def _place(widgets: Sequence[QWidget]) -> int | None:
    """Which of the widgets has the keyboard, itself or in one of its parts."""
    focus = QApplication.focusWidget()
    if focus is None:
        return None
    return next((i for i, widget in enumerate(widgets) if widget is focus or widget.isAncestorOf(focus)), None)


def _focus(stop: QWidget, reason: Qt.FocusReason) -> None:
    stop.window().setAttribute(Qt.WidgetAttribute.WA_KeyboardFocusChange)  # as Qt does when Tab is pressed
    stop.setFocus(reason)
    above = stop.parentWidget()
    while above is not None:
        if isinstance(above, QScrollArea) and not _fills(stop, above):
            above.ensureWidgetVisible(stop)
        above = above.parentWidget()


def _fills(stop: QWidget, area: QScrollArea) -> bool:
    """Whether a control larger than its area is in sight: to have its middle in sight, too, helps nobody."""
    seen, whole = stop.visibleRegion().boundingRect().size(), stop.size()
    room = area.viewport().size()
    larger = whole.height() > room.height() or whole.width() > room.width()
    return larger and not seen.isEmpty()


def _can_have_focus(widget: QWidget) -> bool:
    return widget.isVisible() and widget.isEnabled() and bool(widget.focusPolicy() & Qt.FocusPolicy.TabFocus)


def stops(part: QWidget) -> list[QWidget]:
    """The widgets in `part` that Tab stops at, as they are laid out: line by line, from the left."""
    found = [part] if part.focusPolicy() & Qt.FocusPolicy.TabFocus else []
    return found + [stop for inner in _laid_out(part) for stop in stops(inner)]


def _laid_out(widget: QWidget) -> list[QWidget]:
    """The widgets directly in another one, in the order of its layout; of a control that is one thing, none."""
    layout = widget.layout()
    if isinstance(widget, QStatusBar):
        # It makes its layout anew whenever a part changes its height, behind the back of Python's wrappers.
        direct = widget.findChildren(QWidget, options=Qt.FindChildOption.FindDirectChildrenOnly)
        return sorted(direct, key=lambda part: part.x())
    if isinstance(widget, QSplitter):
        inner = [widget.widget(i) for i in range(widget.count())]
    elif isinstance(widget, QScrollArea):
        inner = [widget.widget()]
    elif layout is not None and not isinstance(widget, QAbstractScrollArea):
        return _in_layout(layout)
    else:
        inner = []
    return [part for part in inner if part is not None]


def _in_layout(layout: QLayout) -> list[QWidget]:
    order = list(range(layout.count()))
    if isinstance(layout, QGridLayout):
        order.sort(key=lambda i: layout.getItemPosition(i)[:2])  # type: ignore[index]
    found: list[QWidget] = []
    for i in order:
        item = layout.itemAt(i)
        assert item is not None
        widget, inner = item.widget(), item.layout()
        if widget is not None:
            found.append(widget)
        elif isinstance(inner, QLayout):
            found += _in_layout(inner)
    return found
