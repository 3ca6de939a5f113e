"""What every panel is to the window: it follows the session while it is seen, and catches up when it is shown."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from PySide6.QtCore import QObject, QPoint, QSize, Signal
from PySide6.QtGui import QAction, QShowEvent
from PySide6.QtWidgets import QWidget

from visualizer.errors import InputError
from visualizer.session.document.document import Change
from visualizer.session.document.edits import MODEL
from visualizer.session.evaluation.result import Result
from visualizer.session.selection import Chosen
from visualizer.session.session import Session
from visualizer.ui.bridge.remarks import Remark
from visualizer.ui.look.theme import theme_notifier

#: What a view says before there is a first result.
COMPUTING = "No pass is computed yet …"


class SessionPanel(QWidget):
    """A part of the window that shows the session and holds no state of the user's.

    Subclasses redraw themselves in `refresh`, which is called after every change while the panel is visible, and
    once when it is shown after changes that it did not see.

    This is all that the window knows of a panel: it connects the signals, puts the actions into menus, and asks before
    it closes.

    Signals:
        message(str): a sentence for the status bar.
        context_requested(object, QPoint): a context menu was asked for at a place on the screen: on a number (a
            CellRef), or on what is no number of the present pass (None).
        panel_wanted(str): the object name of a panel to bring to the front, for a command that leads there.
        height_wanted(int): the panel would like to be so high, in pixels.
        remarks_changed(): `remarks` has others than before.

    Attributes:
        session: what is shown.
        actions_by_name: what the panel can do, for menus.
    """

    message = Signal(str)
    context_requested = Signal(object, QPoint)
    panel_wanted = Signal(str)
    height_wanted = Signal(int)
    remarks_changed = Signal()

    def __init__(self, session: Session, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.session = session
        self.actions_by_name: dict[str, QAction] = {}
        self._behind = True
        ends = (
            session.subscribe(self.result_arrived),
            session.selection.subscribe(self.selection_changed),
            session.document.subscribe(self.document_changed),
        )
        self.destroyed.connect(partial(_end_all, ends))
        # Not the palette's event: the style sheet comes after that, and undoes what is set before it.
        theme_notifier().theme_changed.connect(self.theme_changed)

    @property
    def result(self) -> Result | None:
        """The result that is shown; None before the first."""
        return self.session.result

    def refresh(self) -> None:
        """Show the session as it is now."""
        raise NotImplementedError

    def theme_changed(self) -> None:
        """The theme is another one; by default everything is drawn again."""
        self.refresh_if_seen()

    def result_arrived(self, result: Result) -> None:
        """There is a new result."""
        self.refresh_if_seen()
        if self._behind:
            self.forget()

    def forget(self) -> None:
        """Let go of the passes that were drawn: a newer one is there, and that of a large model takes gigabytes.

        Called while the panel is not seen; `refresh` follows once it is.
        """

    def selection_changed(self, before: Chosen, now: Chosen) -> None:
        """Something else is chosen."""
        self.refresh_if_seen()

    def document_changed(self, change: Change) -> None:
        """The document was edited; its result follows. Nothing of another model stays until then."""
        if MODEL in change.touches and self.session.result is None:
            self.refresh_if_seen()

    def remarks(self) -> list[Remark]:
        """What is not plain about what is shown here, beside what holds for the whole pass."""
        return []

    def may_close(self) -> bool:
        """Whether the window may be closed; a panel at work may ask before it is ended."""
        return True

    def shut_down(self) -> None:
        """The window closes: end what is under way."""

    def attempt(self, act: Callable[[], object]) -> bool:
        """Do what the user asked for; where it cannot be served, say why and return False."""
        try:
            act()
        except InputError as error:
            self.message.emit(str(error))
            return False
        return True

    def refresh_if_seen(self) -> None:
        """Refresh now if the panel is visible, else when it is shown."""
        if self.isVisible():
            self._behind = False
            self.refresh()
        else:
            self._behind = True

    def minimumSizeHint(self) -> QSize:
        """Without what `heightForWidth` knows better."""
        hint = super().minimumSizeHint()
        return QSize(hint.width(), 0) if self.hasHeightForWidth() else hint

    def heightForWidth(self, width: int) -> int:
        """The least height at a width: a panel takes what it is given, and is scrolled where that is less."""
        layout = self.layout()
        return layout.minimumHeightForWidth(width) if layout is not None and layout.hasHeightForWidth() else -1

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        if self._behind:
            self._behind = False
            self.refresh()


def _end_all(ends: tuple[Callable[[], None], ...], _destroyed: QObject | None = None) -> None:
    for end in ends:
        end()
