"""The history: every step that led here, and those that were undone; a click goes to any of them."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtGui import QColor
from PySide6.QtWidgets import QLabel, QListWidget, QListWidgetItem, QStackedLayout, QWidget

from visualizer.session.document.document import Change
from visualizer.session.evaluation.result import Result
from visualizer.session.selection import Chosen
from visualizer.session.session import Session
from visualizer.ui.bridge.panel import SessionPanel
from visualizer.ui.look.theme import current_theme
from visualizer.ui.widgets.plain_text import as_tip

HERE, ELSEWHERE = "▸ ", "   "
BEGINNING = "as opened"


class HistoryPanel(SessionPanel):
    """Row 0 is the beginning; row n is the state after n steps."""

    def __init__(self, session: Session, parent: QWidget | None = None) -> None:
        super().__init__(session, parent)
        self.setObjectName("historyPanel")
        self.list = QListWidget(self)
        self.list.setObjectName("historyList")
        self.list.setAccessibleName("History")
        self.list.setToolTip("What was done, the latest last; choosing a line goes back to it")
        self.list.setUniformItemSizes(True)
        self.list.setTextElideMode(Qt.TextElideMode.ElideMiddle)
        self.list.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.list.itemClicked.connect(self._go_to)
        self.list.itemActivated.connect(self._go_to)
        self._empty = QLabel("Nothing changed yet.", self)
        self._empty.setObjectName("historyEmpty")
        self._empty.setAlignment(Qt.AlignmentFlag.AlignHCenter | Qt.AlignmentFlag.AlignTop)
        self._empty.setMargin(12)
        self._layout = QStackedLayout(self)
        self._layout.addWidget(self._empty)
        self._layout.addWidget(self.list)
        self._titles: list[str] = []
        self._present = -1
        self.refresh()

    def document_changed(self, change: Change) -> None:
        """The list is kept right even while nobody sees it."""
        self.refresh()

    def result_arrived(self, result: Result) -> None:
        """Nothing here is about the result."""

    def selection_changed(self, before: Chosen, now: Chosen) -> None:
        """Nothing here is about the selection."""

    def refresh(self) -> None:
        """Show the document's history; rows that stay as they are stay untouched."""
        steps, done = self.session.document.history()
        titles = [BEGINNING, *steps] if steps else []
        kept = sum(1 for _ in zip(self._titles, titles, strict=False))
        for row in range(len(self._titles) - 1, len(titles) - 1, -1):
            self.list.takeItem(row)
        for _ in range(len(titles) - kept):
            self.list.addItem(QListWidgetItem())
        low, high = sorted((self._present, done))
        for row, title in enumerate(titles):
            if row >= kept or title != self._titles[row] or low <= row <= high:
                self._paint_row(row, title, done)
        self._titles, self._present = titles, done
        self._layout.setCurrentWidget(self.list if titles else self._empty)
        if titles:
            self.list.setCurrentRow(done)

    def _paint_row(self, row: int, title: str, done: int) -> None:
        item = self.list.item(row)
        item.setText((HERE if row == done else ELSEWHERE) + title)
        font = self.list.font()
        font.setBold(row == done)
        font.setItalic(row > done)
        item.setFont(font)
        theme = current_theme()
        item.setForeground(QColor(theme.muted_text if row > done else theme.text))
        state = (
            "the present state"
            if row == done
            else "undone; a click makes it again"
            if row > done
            else "done; a click goes back to here"
        )
        item.setToolTip(as_tip(f"{title}\n{state}"))

    def _go_to(self, item: QListWidgetItem) -> None:
        row = self.list.row(item)
        if row != self._present:
            self.session.document.go_to(row, self)
            self.message.emit(f"back at “{self._titles[self._present]}”")

    def theme_changed(self) -> None:
        for row, title in enumerate(self._titles):
            self._paint_row(row, title, self._present)
