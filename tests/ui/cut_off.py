"""What a person would see cut off in a window: words that are wider than their widgets, and widgets that stick out."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import (
    QAbstractButton,
    QAbstractScrollArea,
    QComboBox,
    QHeaderView,
    QLabel,
    QMainWindow,
    QStyle,
    QStyleOptionComboBox,
    QTabBar,
    QToolButton,
    QWidget,
)

#: A combo box's text may touch its frame, and a header's its rule, by so many pixels.
TOUCH = 2


def cut_off(window: QWidget) -> list[str]:
    """A line for each thing that is not seen whole, with what it would need."""
    seen = [part for part in window.findChildren(QWidget) if part.isVisible() and not part.visibleRegion().isEmpty()]
    return [f"{_path(part)}: {what}" for part in seen for what in (*_words(part), *_place(part))]


def _path(part: QWidget | None) -> str:
    names: list[str] = []
    while part is not None and len(names) < 4:
        names.append(part.objectName() or type(part).__name__)
        part = part.parentWidget()
    return " < ".join(names)


def _words(part: QWidget) -> list[str]:
    """Words that are cut in one widget."""
    metrics = part.fontMetrics()
    if isinstance(part, QLabel):
        high = part.wordWrap() and part.heightForWidth(part.width()) > part.height() + 1
        wide = not part.wordWrap() and part.sizeHint().width() > part.width() + 1
        return [f"{part.text()!r}"] if part.text() and (high or wide) else []
    if isinstance(part, QComboBox):
        option = QStyleOptionComboBox()
        part.initStyleOption(option)
        field = QStyle.SubControl.SC_ComboBoxEditField
        room = part.style().subControlRect(QStyle.ComplexControl.CC_ComboBox, option, field, part).width()
        return [f"{part.currentText()!r}"] if metrics.horizontalAdvance(part.currentText()) > room + TOUCH else []
    if isinstance(part, QAbstractButton):
        icon = isinstance(part, QToolButton) and part.toolButtonStyle() == Qt.ToolButtonStyle.ToolButtonIconOnly
        wide = metrics.horizontalAdvance(part.text().replace("&", "")) > part.width()
        return [f"{part.text()!r}"] if wide and not (icon and not part.icon().isNull()) else []
    if isinstance(part, QTabBar):
        width = sum(part.tabRect(i).width() for i in range(part.count()))
        return ["its last tabs"] if width > part.width() else []
    if isinstance(part, QHeaderView) and part.orientation() == Qt.Orientation.Horizontal:
        return _headings(part)
    return []


def _headings(header: QHeaderView) -> list[str]:
    cut, model = [], header.model()
    for section in range(header.count()):
        words = model.headerData(section, Qt.Orientation.Horizontal)
        wide = header.sectionSizeHint(section) > header.sectionSize(section) + TOUCH
        if words and wide and not header.isSectionHidden(section):
            cut.append(f"heading {words!r}")
    return cut


def _place(part: QWidget) -> list[str]:
    """Whether a widget sticks out of what it stands in; what lies in a scroll area may."""
    parent = part.parentWidget()
    scrolled = isinstance(parent, QAbstractScrollArea) or (
        parent is not None and isinstance(parent.parentWidget(), QAbstractScrollArea)
    )
    if part.isWindow() or parent is None or scrolled or isinstance(parent, QMainWindow):
        return []
    inside = parent.rect().contains(part.geometry()) or part.geometry().isEmpty()
    return [] if inside else [f"{part.geometry().getRect()} sticks out of {parent.rect().getRect()}"]
