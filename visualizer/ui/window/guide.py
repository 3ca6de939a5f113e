"""The guide: short pages about every panel, in a window beside the main one."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import QEvent, Qt, QUrl
from PySide6.QtGui import (
    QAction,
    QColor,
    QCursor,
    QKeySequence,
    QPalette,
    QTextCharFormat,
    QTextCursor,
    QTextDocument,
    QTextTable,
)
from PySide6.QtWidgets import (
    QApplication,
    QDockWidget,
    QFrame,
    QHBoxLayout,
    QLineEdit,
    QTabBar,
    QTextBrowser,
    QVBoxLayout,
    QWidget,
)

from visualizer.ui.look.theme import current_theme, number_font
from visualizer.ui.widgets.buttons import action_button
from visualizer.ui.widgets.plain_text import PlainLabel
from visualizer.ui.window.guide_pages import INDEX, page_for, page_path

SIZE = (580, 720)
MARGIN, HEADING_SPACE = 16.0, 16.0
UNBROKEN = 36  # characters of code that stay on one line


def open_guide(page: str = INDEX, parent: QWidget | None = None) -> GuideWindow:
    """Show a page of the guide in the guide's window of `parent`, or of the active window; it is made at first use."""
    owner = parent if parent is not None else QApplication.activeWindow()
    window = owner if isinstance(owner, GuideWindow) else _guide_of(owner)
    if window is None:
        window = GuideWindow(owner)
    window.open(page)
    window.show()
    window.raise_()
    window.activateWindow()
    return window


def _guide_of(owner: QWidget | None) -> GuideWindow | None:
    if owner is not None:
        return owner.findChild(GuideWindow)
    alone = (window for window in QApplication.topLevelWidgets() if window.parentWidget() is None)
    return next((window for window in alone if isinstance(window, GuideWindow)), None)


def guide_actions(window: QWidget) -> list[QAction]:
    """F1, which opens the page of the panel that has the keyboard (or the mouse, where none has), and the contents."""
    here = QAction("Guide to this panel", window)
    here.setObjectName("guideAction")
    here.setShortcut(QKeySequence("F1"))
    here.setStatusTip("What the panel with the keyboard shows, what one can do with it, and something to try")
    here.triggered.connect(lambda: open_guide(page_for(_pointed_at(window)), window))
    contents = QAction("Guide", window)
    contents.setObjectName("guideContentsAction")
    contents.triggered.connect(lambda: open_guide(INDEX, window))
    return [here, contents]


def _pointed_at(window: QWidget) -> QWidget | None:
    focus = QApplication.focusWidget()
    if isinstance(focus, QTabBar):  # a row of tabs stands for the panel whose tab is chosen
        title = focus.tabText(focus.currentIndex())
        return next((dock for dock in window.findChildren(QDockWidget) if dock.windowTitle() == title), None)
    if focus is not None and focus is not window:
        return focus
    under = QApplication.widgetAt(QCursor.pos())
    return under if under is not None and under.window() is window else None


class GuideWindow(QWidget):
    """One page at a time, with back, forward, contents and finding on the page."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent, Qt.WindowType.Window)
        self.setObjectName("guideWindow")
        self.setWindowTitle("Guide")
        self.browser = QTextBrowser(self)
        self.browser.setObjectName("guideBrowser")
        self.browser.setAccessibleName("Page")
        self.browser.setOpenExternalLinks(False)
        self.browser.setFrameShape(QFrame.Shape.NoFrame)
        self.browser.document().setDocumentMargin(MARGIN)
        self.browser.sourceChanged.connect(self._arrived)
        self.find_edit = QLineEdit(self)
        self.find_edit.setObjectName("guideFind")
        self.find_edit.setAccessibleName("Find on the page")
        self.find_edit.setPlaceholderText("Find on the page (Ctrl+F)")
        self.find_edit.setClearButtonEnabled(True)
        self.find_edit.textEdited.connect(self._find_from_top)
        self.find_edit.returnPressed.connect(self._find_more)
        self._found = PlainLabel("", self)
        self._found.setObjectName("guideFound")
        self._found.setForegroundRole(QPalette.ColorRole.PlaceholderText)
        self._build()
        self.resize(*SIZE)

    def _build(self) -> None:
        bar = QHBoxLayout()
        bar.setContentsMargins(8, 6, 8, 2)
        bar.setSpacing(4)
        back = self._action("Back", "←", "Alt+Left", self.browser.backward)
        forward = self._action("Forward", "→", "Alt+Right", self.browser.forward)
        back.setEnabled(False)
        forward.setEnabled(False)
        self.browser.backwardAvailable.connect(back.setEnabled)
        self.browser.forwardAvailable.connect(forward.setEnabled)
        contents = self._action("Contents", "Contents", "Alt+Home", lambda: self.open(INDEX))
        for action in (back, forward, contents):
            bar.addWidget(action_button(action, f"guide{action.text()}", self, flat=True))
        bar.addStretch(1)
        bar.addWidget(self._found)
        bar.addWidget(self.find_edit, 1)
        self._action("Find", "Find", "Ctrl+F", self._go_to_find)
        self._action("Find the one before", "", "Shift+Return", lambda: self._find_more(backward=True))
        self._action("Close", "", "Esc", self._leave)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(4)
        column.addLayout(bar)
        column.addWidget(self.browser, 1)

    def _action(self, text: str, short: str, keys: str, run: Callable[[], object]) -> QAction:
        action = QAction(text, self)
        action.setIconText(short or text)
        action.setShortcut(QKeySequence(keys))
        action.setToolTip(f"{text} ({QKeySequence(keys).toString(QKeySequence.SequenceFormat.NativeText)})")
        action.triggered.connect(lambda _checked=False: run())
        self.addAction(action)
        return action

    @property
    def page(self) -> str:
        """The name of the page that is shown."""
        return Path(self.browser.source().path()).stem

    def open(self, page: str) -> None:
        """Show a page; the contents where there is none of this name."""
        self.browser.setSource(QUrl.fromLocalFile(page_path(page)), QTextDocument.ResourceType.MarkdownResource)
        self.browser.setFocus()

    def _arrived(self, _source: QUrl) -> None:
        self._style()
        title = self.browser.document().begin().text()
        self.setWindowTitle(title if title == "Guide" else f"{title} – Guide")
        self._found.clear()

    def _style(self) -> None:
        """What Markdown cannot say: the numbers' font for code, which stays on one line, and quiet tables."""
        document = self.browser.document()
        headings, links, code = _parts(document)
        for cursor in headings:
            spaced = cursor.blockFormat()
            spaced.setTopMargin(HEADING_SPACE)
            cursor.setBlockFormat(spaced)
        underlined = QTextCharFormat()
        underlined.setFontUnderline(True)
        for cursor in links:
            cursor.mergeCharFormat(underlined)
        fixed = QTextCharFormat()
        fixed.setFontFamilies([number_font().family()])
        fixed.setBackground(QColor(current_theme().background))
        for cursor in reversed(code):
            text = cursor.selectedText()
            cursor.mergeCharFormat(fixed)
            if len(text) <= UNBROKEN and " " in text:
                cursor.insertText(text.replace(" ", "\N{NO-BREAK SPACE}"))
        for frame in document.rootFrame().childFrames():
            if isinstance(frame, QTextTable):
                table = frame.format()
                table.setBorder(0)
                table.setCellPadding(3)
                table.setTopMargin(MARGIN / 4)
                table.setBottomMargin(MARGIN / 2)
                frame.setFormat(table)

    # -- finding

    def _go_to_find(self) -> None:
        self.find_edit.setFocus(Qt.FocusReason.ShortcutFocusReason)
        self.find_edit.selectAll()

    def _find_from_top(self, _text: str) -> None:
        self.browser.moveCursor(QTextCursor.MoveOperation.Start)
        self._find_more()

    def _find_more(self, backward: bool = False) -> None:
        """Mark the next place, or the one before; after the last comes the first."""
        wanted = self.find_edit.text()
        flags = QTextDocument.FindFlag.FindBackward if backward else QTextDocument.FindFlag(0)
        if not wanted:
            self._found.clear()
            return
        if not self.browser.find(wanted, flags):
            ends = QTextCursor.MoveOperation
            self.browser.moveCursor(ends.End if backward else ends.Start)
            if not self.browser.find(wanted, flags):
                self._found.setText("Not on this page")
                return
        self._found.setText("")

    def _leave(self) -> None:
        """Esc: from the field back to the page, from the page away."""
        if self.find_edit.hasFocus():
            self.browser.setFocus()
        else:
            self.close()

    # -- Qt

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() == QEvent.Type.PaletteChange and self.isVisible():
            place = self.browser.verticalScrollBar().value()
            self.browser.reload()  # the colours of links are laid down when a page is read
            self._style()
            self.browser.verticalScrollBar().setValue(place)


def _parts(document: QTextDocument) -> tuple[list[QTextCursor], list[QTextCursor], list[QTextCursor]]:
    """A cursor in each heading but the first, one over each link, and one over each piece of code."""
    headings, links, code = [], [], []
    block = document.begin()
    while block.isValid():
        if block.blockFormat().headingLevel() > 1:
            headings.append(QTextCursor(block))
        place = block.begin()
        while not place.atEnd():
            part = place.fragment()
            cursor = QTextCursor(document)
            cursor.setPosition(part.position())
            cursor.setPosition(part.position() + part.length(), QTextCursor.MoveMode.KeepAnchor)
            if part.charFormat().isAnchor():
                links.append(cursor)
            elif part.charFormat().fontFixedPitch():
                code.append(cursor)
            place += 1
        block = block.next()
    return headings, links, code
