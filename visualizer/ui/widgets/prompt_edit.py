"""The fields of prompt and continuation: new lines are seen, the document's undo, and a mark for refused text."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QPointF, QRectF, Qt, Signal
from PySide6.QtGui import QColor, QContextMenuEvent, QKeyEvent, QKeySequence, QPainter, QPaintEvent, QPen, QPolygonF
from PySide6.QtWidgets import QLineEdit, QWidget

from visualizer.tokenizers.base import SYMBOLS
from visualizer.ui.look.theme import current_theme

#: Characters that a line holds at most: so many that Qt never cuts one, which also takes it long.
ROOM = 2**30


class TextLine(QLineEdit):
    """A line of text in which new lines are drawn as ↵, where Qt leaves a blank.

    Qt cuts a text at 32,767 characters, without a word and at the end, the part that a model goes on from. Here there
    is room for more than anybody works with, so that whoever reads it can refuse it as a whole.
    """

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setMaxLength(ROOM)

    def paintEvent(self, event: QPaintEvent) -> None:
        super().paintEvent(event)
        places = [place for place, character in enumerate(self.text()) if character == "\n"]
        if not places:
            return
        blanked, width = self.text().replace("\n", " "), self.fontMetrics().horizontalAdvance
        caret = self.cursorRect()
        start = caret.center().x() - width(blanked[: self.cursorPosition()])
        painter = QPainter(self)
        painter.setClipRect(self.rect().adjusted(4, 2, -4, -2))
        painter.setFont(self.font())
        painter.setPen(QColor(current_theme().muted_text))
        for place in places:
            middle = start + width(blanked[:place]) + width(" ") / 2
            room = QRectF(middle - width("00"), caret.top(), 2 * width("00"), caret.height())
            painter.drawText(room, Qt.AlignmentFlag.AlignCenter, SYMBOLS["\n"])
        painter.end()


class PromptEdit(TextLine):
    """A line of text with the document's undo; Shift+Return writes a new line.

    Signals:
        undo_wanted(), redo_wanted(): the keys for it were pressed and no menu took them.
    """

    undo_wanted = Signal()
    redo_wanted = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._refused = False

    @property
    def refused(self) -> bool:
        """Whether the text in the field is not the prompt in force."""
        return self._refused

    def set_refused(self, refused: bool) -> None:
        """Underline the text with a wave, or no longer."""
        if refused != self._refused:
            self._refused = refused
            self.update()

    def event(self, event: QEvent) -> bool:
        if event.type() == QEvent.Type.ShortcutOverride and isinstance(event, QKeyEvent) and _is_undo(event):
            if self._refused:  # what is undone is the text that is no prompt
                event.accept()
                return True
            event.ignore()  # so that the window's undo sees the keys
            return False
        return super().event(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.matches(QKeySequence.StandardKey.Undo):
            self.undo_wanted.emit()
        elif event.matches(QKeySequence.StandardKey.Redo):
            self.redo_wanted.emit()
        elif _is_new_line(event):
            self.insert("\n")
        else:
            super().keyPressEvent(event)

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:
        menu = self.createStandardContextMenu()
        for action in menu.actions():
            if action.objectName() in ("edit-undo", "edit-redo"):
                menu.removeAction(action)
        if menu.actions() and menu.actions()[0].isSeparator():
            menu.removeAction(menu.actions()[0])
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        menu.popup(event.globalPos())

    def paintEvent(self, event: QPaintEvent) -> None:
        super().paintEvent(event)
        if not self._refused:
            return
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(QPen(QColor(current_theme().text), 1.2))
        bottom = self.height() - 4.5
        wave = [QPointF(x, bottom + (1.5 if i % 2 else -1.5)) for i, x in enumerate(range(5, self.width() - 4, 3))]
        painter.drawPolyline(QPolygonF(wave))
        painter.end()


def _is_undo(event: QKeyEvent) -> bool:
    return event.matches(QKeySequence.StandardKey.Undo) or event.matches(QKeySequence.StandardKey.Redo)


def _is_new_line(event: QKeyEvent) -> bool:
    shift = event.modifiers() & Qt.KeyboardModifier.ShiftModifier
    return bool(shift) and event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter)


def inserted(before: str, after: str) -> int:
    """How many characters of a text are new in one place: more than one were not typed."""
    start = _common(before, after)
    return len(after) - start - _common(before[start:][::-1], after[start:][::-1])


def _common(one: str, other: str) -> int:
    """How many characters both begin with."""
    pairs = enumerate(zip(one, other, strict=False))
    return next((place for place, (left, right) in pairs if left != right), min(len(one), len(other)))
