"""The main window: puts the panels together and connects them; it computes nothing itself."""

from __future__ import annotations

from PySide6.QtCore import QByteArray, QSettings, Qt
from PySide6.QtGui import QAction, QCloseEvent, QKeySequence, QShowEvent
from PySide6.QtWidgets import QApplication, QDockWidget, QMainWindow, QTabBar, QTabWidget, QVBoxLayout, QWidget

from visualizer.errors import InputError
from visualizer.formats import OpenedModel
from visualizer.session.edits import SetPrompt
from visualizer.session.evaluation import Result
from visualizer.session.session import Session
from visualizer.ui.executor import WorkerExecutor
from visualizer.ui.menus import build_menus
from visualizer.ui.panels.attention import AttentionPanel
from visualizer.ui.panels.explain import ExplainPanel
from visualizer.ui.panels.history import HistoryPanel
from visualizer.ui.panels.next_token import NextTokenPanel
from visualizer.ui.panels.parameters import ParameterPanel
from visualizer.ui.panels.prompt_bar import PromptBar
from visualizer.ui.panels.timeline import TimelinePanel
from visualizer.ui.panels.token_strip import TokenStrip
from visualizer.ui.panels.weights import WeightPanel
from visualizer.ui.status import StatusBar
from visualizer.ui.theme import apply_theme, theme_for

LAYOUT_VERSION = 1
FIRST_SIZE = (1280, 720)


class MainWindow(QMainWindow):
    """Change on the left, see in the middle, understand on the right, time along the bottom.

    Attributes:
        session: the document, the selection and the results that all panels are about.
    """

    def __init__(
        self,
        opened: OpenedModel,
        settings: QSettings,
        prompt: str | list[int] | None = None,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self.setObjectName("mainWindow")
        self.setDockNestingEnabled(True)
        self._settings = settings
        self.session = Session(opened, WorkerExecutor(self))
        if prompt is not None:
            self.session.document.apply(SetPrompt(prompt))
        self.status = StatusBar(self.session, self)
        self.setStatusBar(self.status)
        self._build_panels()
        self.undo_action, self.redo_action = self._undo_actions()
        self.addActions([self.undo_action, self.redo_action])
        build_menus(self)
        self.session.subscribe(self._result_arrived)
        self.session.document.subscribe(lambda _change: self._document_changed())
        self._document_changed()
        self._restore()

    # -- building

    def _build_panels(self) -> None:
        session = self.session
        self.prompt_bar, self.token_strip = PromptBar(session), TokenStrip(session)
        self.attention = AttentionPanel(session)
        self.parameters, self.weights = ParameterPanel(session), WeightPanel(session)
        self.history = HistoryPanel(session)
        self.next_token, self.explain = NextTokenPanel(session), ExplainPanel(session)
        self.timeline = TimelinePanel(session)
        centre = QWidget(self)
        column = QVBoxLayout(centre)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(self.attention, 1)
        self.setCentralWidget(centre)
        top = QDockWidget("Prompt", self)
        top.setTitleBarWidget(QWidget(top))
        top.setFeatures(QDockWidget.DockWidgetFeature.NoDockWidgetFeatures)
        top.setObjectName("promptDock")
        head = QWidget(top)
        rows = QVBoxLayout(head)
        rows.setContentsMargins(8, 4, 8, 0)
        rows.setSpacing(4)
        rows.addWidget(self.prompt_bar)
        rows.addWidget(self.token_strip)
        top.setWidget(head)
        self.addDockWidget(Qt.DockWidgetArea.TopDockWidgetArea, top)
        left, right = Qt.DockWidgetArea.LeftDockWidgetArea, Qt.DockWidgetArea.RightDockWidgetArea
        self.docks = [
            self._dock("Parameters", self.parameters, left),
            self._dock("History", self.history, left),
            self._dock("Weights", self.weights, left),
            self._dock("Next token", self.next_token, right),
            self._dock("Where does it come from?", self.explain, right),
            self._dock("Timeline", self.timeline, Qt.DockWidgetArea.BottomDockWidgetArea),
        ]
        self.tabifyDockWidget(self.docks[0], self.docks[1])
        self.docks[0].raise_()
        self.setTabPosition(Qt.DockWidgetArea.AllDockWidgetAreas, QTabWidget.TabPosition.North)
        for bar in self.findChildren(QTabBar):
            bar.setAccessibleName("Panels in this place")
        for corner in (Qt.Corner.TopLeftCorner, Qt.Corner.TopRightCorner):
            self.setCorner(corner, Qt.DockWidgetArea.TopDockWidgetArea)
        for corner in (Qt.Corner.BottomLeftCorner, Qt.Corner.BottomRightCorner):
            self.setCorner(corner, Qt.DockWidgetArea.BottomDockWidgetArea)
        for panel in (self.prompt_bar, self.token_strip, self.timeline, self.weights, self.parameters, self.next_token):
            if hasattr(panel, "message"):
                panel.message.connect(self.status.say)

    def _dock(self, title: str, panel: QWidget, area: Qt.DockWidgetArea) -> QDockWidget:
        dock = QDockWidget(title, self)
        dock.setObjectName(f"{panel.objectName() or type(panel).__name__}Dock")
        dock.setWidget(panel)
        self.addDockWidget(area, dock)
        return dock

    def _undo_actions(self) -> tuple[QAction, QAction]:
        undo, redo = QAction("Undo", self), QAction("Redo", self)
        undo.setObjectName("undoAction")
        redo.setObjectName("redoAction")
        undo.setShortcuts([QKeySequence("Ctrl+Z")])
        redo.setShortcuts([QKeySequence("Ctrl+Shift+Z"), QKeySequence("Ctrl+Y")])
        undo.triggered.connect(lambda: self.session.document.undo(self))
        redo.triggered.connect(lambda: self.session.document.redo(self))
        return undo, redo

    # -- what the session tells

    def _result_arrived(self, _result: Result) -> None:
        self._update_title()

    def _document_changed(self) -> None:
        titles, done = self.session.document.history()
        for action, word, title in (
            (self.undo_action, "Undo", titles[done - 1] if done else None),
            (self.redo_action, "Redo", titles[done] if done < len(titles) else None),
        ):
            action.setEnabled(title is not None)
            action.setText(f"{word} {title}" if title else word)
        self._update_title()

    def _update_title(self) -> None:
        state = self.session.document.state
        config = state.model.config
        changed = any(state.is_changed(name) for name in state.model.parameters)
        self.setWindowTitle(
            f"{state.opened.name}[*] · {_counted(config.n_layers, 'block')} · {_counted(config.n_heads, 'head')} · "
            f"{config.d_model} dimensions"
        )
        self.setWindowModified(changed)

    def remembered(self, key: str, default: object) -> object:
        """A remembered setting."""
        return self._settings.value(key, default)

    # -- what the user does

    def choose_theme(self, choice: str) -> None:
        """Use the light or dark theme, or the system's, now and from now on."""
        app = QApplication.instance()
        assert isinstance(app, QApplication)
        apply_theme(app, theme_for(choice, app))
        self._settings.setValue("theme", choice)

    def open_source(self, source: str) -> None:
        """Open a preset or a file, as an undoable edit; a refusal is said in the status bar."""
        from visualizer.formats import open_model
        from visualizer.session.edits import OpenModel

        try:
            self.session.document.apply(OpenModel(open_model(source)), self)
        except InputError as error:
            self.status.say(str(error))

    # -- geometry

    def _restore(self) -> None:
        self.resize(*FIRST_SIZE)
        geometry, layout = self._settings.value("geometry"), self._settings.value("layout")
        if isinstance(geometry, QByteArray):
            self.restoreGeometry(geometry)
        self._laid_out = isinstance(layout, QByteArray) and self.restoreState(layout, LAYOUT_VERSION)

    def _lay_out(self) -> None:
        """Share the room between the columns as the window's size suggests."""
        left, right = self.docks[:3], self.docks[3:5]
        side, other = max(230, round(0.27 * self.width())), max(200, round(0.21 * self.width()))
        self.resizeDocks([left[0], right[0]], [min(side, 420), min(other, 360)], Qt.Orientation.Horizontal)
        height = self.height() - 260
        self.resizeDocks([left[0], left[2]], [2 * height // 5, 3 * height // 5], Qt.Orientation.Vertical)
        self.resizeDocks(right, [2 * height // 5, 3 * height // 5], Qt.Orientation.Vertical)

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        if not self._laid_out:
            self._laid_out = True
            self._lay_out()

    def closeEvent(self, event: QCloseEvent) -> None:
        self._settings.setValue("geometry", self.saveGeometry())
        self._settings.setValue("layout", self.saveState(LAYOUT_VERSION))
        self._settings.sync()
        self.session.close()
        super().closeEvent(event)


def _counted(count: int, noun: str) -> str:
    return f"{count} {noun}{'' if count == 1 else 's'}"
