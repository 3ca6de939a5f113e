"""The table of the ripple: every stage in the order of the operations, and how far it moved as a bar."""

from __future__ import annotations

import math

from PySide6.QtCore import QModelIndex, QRectF, Qt, Signal
from PySide6.QtGui import QColor, QFont, QFontMetrics, QKeyEvent, QPainter, QResizeEvent
from PySide6.QtWidgets import (
    QAbstractItemView,
    QHeaderView,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QWidget,
)

from visualizer.engine.names import block_of, short_name
from visualizer.session.evaluation.difference import ActivationChange, Ripple
from visualizer.session.words.numbers import full, short
from visualizer.ui.look.theme import current_theme, number_font
from visualizer.ui.widgets.tables import NOWHERE, AnyIndex, HeadedModel, TextTable

NAME, LARGEST, BAR = range(3)
HEADERS = ("stage", "max |Δ|", "log")
NARROWEST_BAR = 32
#: The longest number in the second column.
WIDEST_NUMBER = "1.23e-10"
#: A bar ends this many powers of ten below the largest.
DECADES = 6.0


class RippleModel(HeadedModel):
    """Rows are stages."""

    def __init__(self) -> None:
        super().__init__(HEADERS)
        self.stages: tuple[ActivationChange, ...] = ()
        self.first: ActivationChange | None = None
        self._largest = 0.0
        self._blocks = False

    def set_ripple(self, ripple: Ripple | None) -> None:
        """Show another ripple; None shows nothing."""
        stages = ripple.stages if ripple is not None else ()
        names = [stage.name for stage in stages]
        same = names == [stage.name for stage in self.stages]
        if not same:
            self.beginResetModel()
        self.stages, self.first = stages, ripple.first if ripple is not None else None
        finite = [stage.largest for stage in stages if math.isfinite(stage.largest)]
        self._largest = max(finite, default=0.0)
        self._blocks = len({block_of(name) for name in names} - {None}) > 1
        if not same:
            self.endResetModel()
        elif stages:
            self.dataChanged.emit(self.index(0, 0), self.index(len(stages) - 1, BAR))

    def share(self, row: int) -> float:
        """How long a row's bar is, from 0 (nothing moved) to 1 (the largest of all); on a logarithmic scale."""
        largest = self.stages[row].largest
        if largest == 0:
            return 0.0
        if not math.isfinite(largest) or self._largest == 0:
            return 1.0
        return max(1 + (math.log10(largest) - math.log10(self._largest)) / DECADES, 0.02)

    def rowCount(self, parent: AnyIndex = NOWHERE) -> int:
        return 0 if parent.isValid() else len(self.stages)

    def data(
        self, index: AnyIndex, role: int = Qt.ItemDataRole.DisplayRole
    ) -> str | float | QFont | QColor | Qt.AlignmentFlag | None:
        stage, column = self.stages[index.row()], index.column()
        match role:
            case Qt.ItemDataRole.DisplayRole if column == NAME:
                block = block_of(stage.name)
                name = (
                    short_name(stage.name) if block is None or not self._blocks else f"{block} {short_name(stage.name)}"
                )
                return f"▸ {name}" if stage is self.first else name
            case Qt.ItemDataRole.DisplayRole if column == LARGEST:
                return short(stage.largest)
            case Qt.ItemDataRole.DisplayRole:
                return self.share(index.row())
            case Qt.ItemDataRole.ToolTipRole | Qt.ItemDataRole.AccessibleTextRole:
                return self._said(stage)
            case Qt.ItemDataRole.ForegroundRole if not stage.moved:
                return QColor(current_theme().muted_text)
            case Qt.ItemDataRole.FontRole:
                font = number_font() if column == LARGEST else QFont()
                font.setBold(stage is self.first)
                return font
            case Qt.ItemDataRole.TextAlignmentRole if column == LARGEST:
                return Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
        return None

    def _said(self, stage: ActivationChange) -> str:
        if not stage.moved:
            return f"{stage.name} is the same"
        place = f"{stage.name}[{', '.join(map(str, stage.cell))}]"
        first = "the first that differs: " if stage is self.first else ""
        return f"{first}{place} was {full(stage.before)}, is {full(stage.now)}\nclick to choose this cell (Return)"


class _BarDelegate(QStyledItemDelegate):
    """Draws a share from 0 to 1 as a bar."""

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: AnyIndex) -> None:
        share = index.data(Qt.ItemDataRole.DisplayRole)
        room = QRectF(option.rect).adjusted(4, 4, -4, -4)
        bar = QRectF(room.left(), room.top(), room.width() * float(share), room.height())
        painter.fillRect(bar, QColor(current_theme().changed))


class RippleTable(TextTable):
    """The table.

    Signals:
        followed(object): an ActivationChange was clicked, or Return was pressed on it.
    """

    followed = Signal(object)

    def __init__(self, parent: QWidget | None = None) -> None:
        said = "How far each stage moved, in the order of the operations"
        super().__init__("rippleTable", said, f"{said}; Return goes to its largest change", parent)
        self.ripple = RippleModel()
        self.setModel(self.ripple)
        self.setItemDelegateForColumn(BAR, _BarDelegate(self))
        self.setSelectionMode(QAbstractItemView.SelectionMode.NoSelection)
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.setMouseTracking(True)
        self.verticalHeader().setDefaultSectionSize(self.fontMetrics().height() + 5)
        header = self.horizontalHeader()
        header.setDefaultAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)
        header.setSectionResizeMode(BAR, QHeaderView.ResizeMode.Stretch)
        self.setColumnWidth(LARGEST, QFontMetrics(number_font()).horizontalAdvance(WIDEST_NUMBER) + 10)
        self.setTextElideMode(Qt.TextElideMode.ElideMiddle)
        self.setWordWrap(False)  # else a name is cut after its first word
        self.ripple.modelReset.connect(self._fit_names)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.clicked.connect(self._follow)

    def _fit_names(self) -> None:
        """Make the names' column as wide as they are, as far as that leaves the bars some room."""
        font = QFont(self.font())
        font.setBold(True)
        names = (str(self.ripple.index(row, NAME).data()) for row in range(self.ripple.rowCount()))
        widest = max((QFontMetrics(font).horizontalAdvance(name) for name in names), default=0) + 24
        most = self.viewport().width() - self.columnWidth(LARGEST) - NARROWEST_BAR
        self.setColumnWidth(NAME, min(max(widest, 80), max(most, 40)))

    def _follow(self, index: QModelIndex) -> None:
        if index.isValid() and self.ripple.stages[index.row()].moved:
            self.followed.emit(self.ripple.stages[index.row()])

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self._follow(self.currentIndex())
        else:
            super().keyPressEvent(event)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._fit_names()
