"""The command palette: every action of the window, found by a few letters and run with Return."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from PySide6.QtCore import (
    QAbstractListModel,
    QEvent,
    QModelIndex,
    QObject,
    QPersistentModelIndex,
    QRect,
    QSize,
    Qt,
    QTimer,
    Signal,
)
from PySide6.QtGui import (
    QColor,
    QFontMetrics,
    QKeyEvent,
    QMouseEvent,
    QPainter,
)
from PySide6.QtWidgets import (
    QApplication,
    QFrame,
    QLabel,
    QLineEdit,
    QListView,
    QMainWindow,
    QMenu,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QVBoxLayout,
    QWidget,
)
from shiboken6 import isValid

from visualizer.session.words.fuzzy_match import match
from visualizer.ui.look.theme import current_theme
from visualizer.ui.widgets.plain_text import as_tip
from visualizer.ui.widgets.spoken import speak
from visualizer.ui.window.palette_commands import Command, commands, ranked

WIDTH, ROWS, ROW_HEIGHT, MARGIN = 560, 12, 26, 10
MOST_RECENT = 20
#: No command has so many letters; to look for more would only take time.
LONGEST_QUERY = 200
Index = QModelIndex | QPersistentModelIndex


class CommandPalette(QWidget):
    """Lies over its window while it is open; Up, Down, Page Up and Page Down move, Return runs, Esc closes.

    Signals:
        ran(str): a command was run; its name.

    Attributes:
        recent: names of the commands run before, the last one first.
    """

    ran = Signal(str)

    def __init__(
        self,
        parent: QWidget | None = None,
        make_more: Callable[[], bool] = lambda: False,
        menus_here: Callable[[], list[QMenu]] = list,
    ) -> None:
        """While the palette is open, `make_more` makes a part of the commands that are not there yet.

        It returns whether there are more to make. Before a command is run, all of them are there. `menus_here` makes
        the context menus of what is chosen when the palette opens; they go when it closes.
        """
        super().__init__(parent)
        self._make_more, self._growing = make_more, QTimer(self, singleShot=True, interval=0)
        self._menus_here, self._here = menus_here, list[QMenu]()
        self._growing.timeout.connect(self._grow)
        self.setObjectName("commandPalette")
        self.setAccessibleName("Command palette")
        self.recent: list[str] = []
        self._all: list[Command] = []
        self._focus_before: list[QWidget] = []
        self._window: QMainWindow | None = None
        self._model = _CommandModel(self)
        self._frame = QFrame(self)
        self._frame.setFrameShape(QFrame.Shape.StyledPanel)
        self._frame.setAutoFillBackground(True)
        self.edit = QLineEdit(self._frame)
        self.edit.setObjectName("commandPaletteEdit")
        self.edit.setAccessibleName("Command")
        self.edit.setMaxLength(LONGEST_QUERY)
        self.edit.setPlaceholderText("Type a few letters of a command")
        self.edit.textChanged.connect(self._search)
        self.edit.installEventFilter(self)
        self.list = QListView(self._frame)
        self.list.setObjectName("commandPaletteList")
        self.list.setAccessibleName("Commands")
        self.list.setModel(self._model)
        self.list.setItemDelegate(_CommandDelegate(self))
        self.list.setUniformItemSizes(True)
        self.list.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.list.setFrameShape(QFrame.Shape.NoFrame)
        self.list.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.list.clicked.connect(self._run)
        self._empty = QLabel(self._frame)
        self._empty.setObjectName("commandPaletteEmpty")
        self._empty.setTextFormat(Qt.TextFormat.PlainText)
        self._empty.setMargin(8)
        column = QVBoxLayout(self._frame)
        column.setContentsMargins(8, 8, 8, 8)
        column.setSpacing(4)
        for widget in (self.edit, self._empty, self.list):
            column.addWidget(widget)
        self.hide()

    def open_for(self, window: QMainWindow) -> None:
        """Show the commands of `window` over it; where they are shown already, close."""
        if self.isVisible() and self._window is window:
            self.dismiss()
            return
        if self._window is not window:
            if self._window is not None:
                self._window.removeEventFilter(self)
            self._window = window
            window.installEventFilter(self)
        self.setParent(window)
        self._focus_before = list(_up_from(QApplication.focusWidget()))
        self._here = self._menus_here()
        self._all = commands(window, self._here)
        self.edit.clear()
        self._search("")
        self.show()
        self.raise_()
        self.edit.setFocus(Qt.FocusReason.PopupFocusReason)
        self._growing.start()

    def dismiss(self) -> None:
        """Close and give the keyboard back to where it was."""
        self._growing.stop()
        for menu in self._here:
            menu.deleteLater()
        self._here, self._all = [], []
        self._model.show([], "")
        self.hide()
        # An editor of a grid's cell closes when it loses the keyboard: then the grid gets it back.
        before = next((widget for widget in self._focus_before if isValid(widget) and _takes_keyboard(widget)), None)
        if before is not None:
            before.setFocus(Qt.FocusReason.PopupFocusReason)
        self._focus_before = []

    def shown_commands(self) -> list[Command]:
        """The commands in the list, from the top."""
        return self._model.shown

    def _grow(self) -> None:
        """Make a part of the commands that are not there yet, and list what there is now."""
        if self._make_more():
            self._growing.start()
        assert self._window is not None
        now = commands(self._window, self._here)
        if len(now) != len(self._all):
            row = self.list.currentIndex().row()
            held = self._model.shown[row].name if row > 0 else None
            self._all = now
            self._search(self.edit.text())
            names = [command.name for command in self._model.shown]
            if held in names:  # what the arrows have chosen stays chosen
                self._go_to(names.index(held))

    def _search(self, query: str) -> None:
        self._model.show(ranked(self._all, query, self.recent), query)
        self._empty.setVisible(not self._model.shown)
        self.list.setVisible(bool(self._model.shown))
        self._empty.setText(f"No command has the letters “{query}” in this order.")
        self._place()
        self._go_to(0)

    def _go_to(self, row: int) -> None:
        row = min(max(row, 0), len(self._model.shown) - 1)
        index = self._model.index(row, 0)
        if index.isValid():
            self.list.setCurrentIndex(index)
            said = str(index.data(Qt.ItemDataRole.AccessibleTextRole))
            speak(self.edit, said)

    def _run(self, index: QModelIndex) -> None:
        if not index.isValid():
            return
        command = self._model.shown[index.row()]
        if not command.enabled:
            return
        here = self._here  # the command may be one of theirs
        self.dismiss()
        self.recent = [command.name, *(name for name in self.recent if name != command.name)][:MOST_RECENT]
        command.run()
        self.ran.emit(command.name)
        here.clear()

    def _place(self) -> None:
        window = self._window
        if window is None:
            return
        self.setGeometry(window.rect())
        width = min(WIDTH, window.width() - 2 * MARGIN)
        rows = min(max(len(self._model.shown), 2), ROWS)
        height = min(self.edit.sizeHint().height() + rows * ROW_HEIGHT + 24, window.height() - 60)
        self._frame.setGeometry((window.width() - width) // 2, 40, width, height)

    def _key(self, key: int) -> bool:
        row, page = self.list.currentIndex().row(), ROWS - 1
        moves = {Qt.Key.Key_Up: -1, Qt.Key.Key_Down: 1, Qt.Key.Key_PageUp: -page, Qt.Key.Key_PageDown: page}
        if key in moves:
            self._go_to(row + moves[Qt.Key(key)])
        elif key in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            while self._growing.isActive():  # typed faster than all commands were there
                self._growing.stop()
                self._grow()
            self._run(self.list.currentIndex())
        elif key == Qt.Key.Key_Escape:
            self.dismiss()
        else:
            return key in (Qt.Key.Key_Tab, Qt.Key.Key_Backtab)  # there is nowhere else to go
        return True

    # -- Qt

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if watched is self._window and event.type() == QEvent.Type.Resize and self.isVisible():
            self._place()
        if watched is self.edit and isinstance(event, QKeyEvent):
            if event.type() == QEvent.Type.ShortcutOverride and event.key() == Qt.Key.Key_Escape:
                event.accept()  # Esc closes the palette, whatever else it would let go of
                return True
            if event.type() == QEvent.Type.KeyPress:
                return self._key(event.key())
        return super().eventFilter(watched, event)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        if not self._frame.geometry().contains(event.position().toPoint()):
            self.dismiss()


def _up_from(widget: QWidget | None) -> Iterator[QWidget]:
    """A widget and all that it is in."""
    while widget is not None:
        yield widget
        widget = widget.parentWidget()


def _takes_keyboard(widget: QWidget) -> bool:
    return widget.isVisible() and widget.isEnabled() and widget.focusPolicy() != Qt.FocusPolicy.NoFocus


class _CommandModel(QAbstractListModel):
    """The commands that fit."""

    def __init__(self, parent: QObject) -> None:
        super().__init__(parent)
        self.shown: list[Command] = []
        self.query = ""

    def show(self, found: list[Command], query: str) -> None:
        """List these commands, found by this query."""
        self.beginResetModel()
        self.shown, self.query = found, query
        self.endResetModel()

    def rowCount(self, parent: Index | None = None) -> int:
        return len(self.shown) if parent is None or not parent.isValid() else 0

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        if not index.isValid():
            return None
        command = self.shown[index.row()]
        if role == Qt.ItemDataRole.DisplayRole:
            return command.text
        if role == Qt.ItemDataRole.ToolTipRole:
            return as_tip(command.tip) or None
        if role == Qt.ItemDataRole.AccessibleTextRole:
            available = "" if command.enabled else "not available now"
            return ", ".join(part for part in (command.text, command.place, command.keys, available) if part)
        return None


class _CommandDelegate(QStyledItemDelegate):
    """Text with the found letters bold, place and keys at the right."""

    def sizeHint(self, option: QStyleOptionViewItem, index: Index) -> QSize:
        return QSize(100, ROW_HEIGHT)

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        model = index.model()
        assert isinstance(model, _CommandModel)
        command, theme = model.shown[index.row()], current_theme()
        rect: QRect = option.rect  # type: ignore[attr-defined]
        view = self.parent()
        assert isinstance(view, CommandPalette)
        painter.save()
        muted = QColor(theme.muted_text)
        if view.list.currentIndex() == index:
            muted = QColor(theme.text)
            painter.fillRect(rect, QColor(theme.rule))
            painter.fillRect(QRect(rect.left(), rect.top(), 3, rect.height()), QColor(theme.text))
        enabled = command.enabled
        font = painter.font()
        metrics = QFontMetrics(font)
        inner = rect.adjusted(10, 0, -8, 0)
        painter.setPen(muted)
        painter.drawText(inner, Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignRight, command.keys)
        keys = metrics.horizontalAdvance(command.keys) + 16 if command.keys else 0
        room = inner.adjusted(0, 0, -keys, 0)
        tick = "✓ " if command.ticked else ""
        painter.setPen(QColor(theme.text) if enabled else muted)
        used = self._text(painter, room, tick, command.text, model.query)
        place = command.place if enabled else f"{command.place} · not available now".strip(" ·")
        left = room.adjusted(used + 14, 0, 0, 0)
        painter.setPen(muted)
        elided = metrics.elidedText(place, Qt.TextElideMode.ElideRight, max(left.width(), 0))
        painter.drawText(left, Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignRight, elided)
        painter.restore()

    def _text(self, painter: QPainter, room: QRect, tick: str, text: str, query: str) -> int:
        """Draw the text, its found letters bold; returns how wide it is."""
        found = match(query, text)
        bold_at = set(found[1]) if found is not None else set()
        font = painter.font()
        x = room.left()
        for place, letter in enumerate(tick + text):
            font.setBold(place - len(tick) in bold_at)
            painter.setFont(font)
            advance = painter.fontMetrics().horizontalAdvance(letter)
            if x + advance > room.right():
                break
            painter.drawText(QRect(x, room.top(), advance + 4, room.height()), Qt.AlignmentFlag.AlignVCenter, letter)
            x += advance
        font.setBold(False)
        painter.setFont(font)
        return x - room.left()
