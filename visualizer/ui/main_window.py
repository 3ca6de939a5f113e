"""The main window: puts the panels together and connects them; it computes nothing itself."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from PySide6.QtCore import QByteArray, QPoint, QSettings, Qt
from PySide6.QtGui import QAction, QCloseEvent, QKeySequence, QShowEvent
from PySide6.QtWidgets import QApplication, QDockWidget, QMainWindow, QTabBar, QTabWidget, QVBoxLayout, QWidget

from visualizer.errors import InputError
from visualizer.formats import OpenedModel, open_model
from visualizer.session.edits import OpenModel, SetPrompt
from visualizer.session.session import Session
from visualizer.ui.cell_menu import build_cell_menu
from visualizer.ui.docks import PanelDock
from visualizer.ui.executor import WorkerExecutor
from visualizer.ui.export import heatmap_actions
from visualizer.ui.heatmap import Heatmap
from visualizer.ui.menus import Menus
from visualizer.ui.panels.attention import AttentionPanel
from visualizer.ui.panels.explain import ExplainPanel
from visualizer.ui.panels.history import HistoryPanel
from visualizer.ui.panels.interventions import InterventionsPanel
from visualizer.ui.panels.next_token import NextTokenPanel
from visualizer.ui.panels.parameters import ParameterPanel
from visualizer.ui.panels.prompt_bar import PromptBar
from visualizer.ui.panels.self_check import SelfCheckBadge
from visualizer.ui.panels.timeline import TimelinePanel
from visualizer.ui.panels.token_strip import TokenStrip
from visualizer.ui.panels.weights import WeightPanel
from visualizer.ui.status import StatusBar
from visualizer.ui.theme import apply_theme, theme_for
from visualizer.ui.views import LATER, build_later

LAYOUT_VERSION = 2
FIRST_SIZE = (1280, 720)
Area = Qt.DockWidgetArea


class MainWindow(QMainWindow):
    """Change on the left, see in the middle, understand on the right, time along the bottom.

    Attributes:
        session: the document, the selection and the results that all panels are about.
        views: the window in the middle, whose docks are the views of the numbers.
        docks: every panel's dock by the panel's object name.
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
        self._laid_out = False
        self.docks: dict[str, PanelDock] = {}
        self.session = Session(opened, WorkerExecutor(self))
        if prompt is not None:
            self.session.document.apply(SetPrompt(prompt))
        self.status = StatusBar(self.session, self)
        self.status.addPermanentWidget(SelfCheckBadge(self.session, self.status))
        self.setStatusBar(self.status)
        self.undo_action, self.redo_action = self._undo_actions()
        self.menus = Menus(self)
        self._build_top()
        self._build_docks()
        self.menus.fill()
        self.session.document.subscribe(lambda _change: self._document_changed())
        self._document_changed()
        self._restore()

    # -- building

    def _build_top(self) -> None:
        self.prompt_bar, self.token_strip = PromptBar(self.session), TokenStrip(self.session)
        top = QDockWidget("Prompt", self)
        top.setObjectName("promptDock")
        top.setTitleBarWidget(QWidget(top))
        top.setFeatures(QDockWidget.DockWidgetFeature.NoDockWidgetFeatures)
        head = QWidget(top)
        rows = QVBoxLayout(head)
        rows.setContentsMargins(8, 4, 8, 0)
        rows.setSpacing(4)
        rows.addWidget(self.prompt_bar)
        rows.addWidget(self.token_strip)
        top.setWidget(head)
        self.addDockWidget(Area.TopDockWidgetArea, top)
        for panel in (self.prompt_bar, self.token_strip):
            self._adopt(panel)

    def _build_docks(self) -> None:
        session = self.session
        self.views = QMainWindow(self)
        self.views.setWindowFlags(Qt.WindowType.Widget)
        self.views.setObjectName("views")
        self.views.setDockNestingEnabled(True)
        self.setCentralWidget(self.views)
        for window in (self, self.views):  # a panel is moved by its tab
            window.setDockOptions(window.dockOptions() | QMainWindow.DockOption.GroupedDragging)
            window.setAnimated(False)
            window.setTabPosition(Area.AllDockWidgetAreas, QTabWidget.TabPosition.North)
        left, right, bottom = Area.LeftDockWidgetArea, Area.RightDockWidgetArea, Area.BottomDockWidgetArea
        self._dock("Parameters", "parameterPanel", lambda: ParameterPanel(session), left)
        self._dock("Interventions", "interventionsPanel", lambda: InterventionsPanel(session), left)
        self._dock("History", "historyPanel", lambda: HistoryPanel(session), left)
        self._dock("Weights", "weightPanel", lambda: WeightPanel(session), left)
        self._dock("Next token", "nextTokenPanel", lambda: NextTokenPanel(session), right)
        self._dock("Explain", "explainPanel", lambda: ExplainPanel(session), right)
        self._dock("Timeline", "timelinePanel", lambda: TimelinePanel(session), bottom)
        self._dock("Attention", "attentionPanel", lambda: AttentionPanel(session), left, self.views)
        for name, (title, place) in LATER.items():
            window = self.views if place == "views" else self
            area = right if place in ("nextTokenPanel", "explainPanel") else left
            self._dock(title, name, self._later(name), area, window)
        self._tabs(self, "parameterPanel", "interventionsPanel", "historyPanel")
        for first in ("weightPanel", "nextTokenPanel", "explainPanel"):
            self._tabs(self, first, *(name for name, (_, place) in LATER.items() if place == first))
        self._tabs(self.views, "attentionPanel", *(name for name, (_, place) in LATER.items() if place == "views"))
        for name in (
            "parameterPanel",
            "weightPanel",
            "nextTokenPanel",
            "explainPanel",
            "timelinePanel",
            "attentionPanel",
        ):
            assert self.docks[name].panel is not None
        interventions = self.docks["interventionsPanel"].panel
        assert isinstance(interventions, InterventionsPanel)
        interventions.number_wanted.connect(self.docks["interventionsPanel"].reveal)
        for bar in self.findChildren(QTabBar):
            bar.setAccessibleName("Panels in this place")
        for corner in (Qt.Corner.TopLeftCorner, Qt.Corner.TopRightCorner):
            self.setCorner(corner, Area.TopDockWidgetArea)
        for corner in (Qt.Corner.BottomLeftCorner, Qt.Corner.BottomRightCorner):
            self.setCorner(corner, Area.BottomDockWidgetArea)

    def _later(self, name: str) -> Callable[[], QWidget]:
        return lambda: build_later(name, self.session)

    def _dock(
        self, title: str, name: str, build: Callable[[], QWidget], area: Area, window: QMainWindow | None = None
    ) -> None:
        dock = PanelDock(title, name, build, window or self)
        dock.built.connect(self._adopt)
        (window or self).addDockWidget(area, dock)
        self.docks[name] = dock

    def _tabs(self, window: QMainWindow, first: str, *others: str) -> None:
        for name in (first, *others):  # the tab is title enough
            self.docks[name].setTitleBarWidget(QWidget(self.docks[name]))
        for name in others:
            window.tabifyDockWidget(self.docks[first], self.docks[name])
        self.docks[first].raise_()

    def _adopt(self, panel: QWidget) -> None:
        """Connect a panel that has just been made."""
        for signal, slot in (("message", self.status.say), ("context_requested", self._show_cell_menu)):
            if hasattr(panel, signal):
                getattr(panel, signal).connect(slot)
        self.menus.take_actions(panel)

    def _undo_actions(self) -> tuple[QAction, QAction]:
        undo, redo = QAction("Undo", self), QAction("Redo", self)
        undo.setObjectName("undoAction")
        redo.setObjectName("redoAction")
        undo.setShortcuts([QKeySequence("Ctrl+Z")])
        redo.setShortcuts([QKeySequence("Ctrl+Shift+Z"), QKeySequence("Ctrl+Y")])
        undo.triggered.connect(lambda: self.session.document.undo(self))
        redo.triggered.connect(lambda: self.session.document.redo(self))
        self.addActions([undo, redo])
        return undo, redo

    # -- what the session tells

    def _document_changed(self) -> None:
        titles, done = self.session.document.history()
        for action, word, title in (
            (self.undo_action, "Undo", titles[done - 1] if done else None),
            (self.redo_action, "Redo", titles[done] if done < len(titles) else None),
        ):
            action.setEnabled(title is not None)
            action.setText(f"{word} {title}" if title else word)
        state = self.session.document.state
        config, then = state.model.config, state.opened.model.parameters
        self.setWindowTitle(
            f"{state.opened.name}[*] · {_counted(config.n_layers, 'block')} · {_counted(config.n_heads, 'head')} · "
            f"{config.d_model} dimensions"
        )
        self.setWindowModified(any(array is not then[name] for name, array in state.model.parameters.items()))

    # -- what the user does

    def remembered(self, key: str, default: object) -> object:
        """A remembered setting."""
        return self._settings.value(key, default)

    def choose_theme(self, choice: str) -> None:
        """Use the light or dark theme, or the system's, now and from now on."""
        app = QApplication.instance()
        assert isinstance(app, QApplication)
        apply_theme(app, theme_for(choice, app))
        self._settings.setValue("theme", choice)

    def open_source(self, source: str) -> None:
        """Open a preset or a file, as an undoable edit; a refusal is said in the status bar."""
        try:
            self.session.document.apply(OpenModel(open_model(source)), self)
        except InputError as error:
            self.status.say(str(error))

    def _show_cell_menu(self, ref: object, where: QPoint) -> None:
        """What can be done with a number, and with the heatmap that it stands in."""
        menu = build_cell_menu(self.session, ref, self)  # type: ignore[arg-type]
        heatmap = self.sender_heatmap(where)
        if heatmap is not None:
            menu.addSeparator()
            menu.addActions(heatmap_actions(heatmap, menu, self.status.say))
        menu.popup(where)

    @staticmethod
    def sender_heatmap(where: QPoint) -> Heatmap | None:
        """The heatmap at a place on the screen, if there is one."""
        widget = QApplication.widgetAt(where)
        while widget is not None and not isinstance(widget, Heatmap):
            widget = widget.parentWidget()
        return widget

    # -- geometry

    def _restore(self) -> None:
        self.resize(*FIRST_SIZE)
        remembered = [self._settings.value(key) for key in ("geometry", "layout", "views")]
        geometry, layout, views = (value if isinstance(value, QByteArray) else None for value in remembered)
        if geometry is not None:
            self.restoreGeometry(geometry)
        if layout is not None and views is not None:
            self._laid_out = self.restoreState(layout, LAYOUT_VERSION)
            self.views.restoreState(views, LAYOUT_VERSION)

    def _lay_out(self) -> None:
        """Share the room between the columns as the window's size suggests."""
        side, other = max(230, round(0.27 * self.width())), max(200, round(0.21 * self.width()))
        height = self.height() - 260
        self._share(("parameterPanel", "nextTokenPanel"), (min(side, 420), min(other, 360)), Qt.Orientation.Horizontal)
        for upper, lower in (("parameterPanel", "weightPanel"), ("nextTokenPanel", "explainPanel")):
            self._share((upper, lower), (2 * height // 5, 3 * height // 5), Qt.Orientation.Vertical)

    def _share(self, names: Sequence[str], sizes: Sequence[int], orientation: Qt.Orientation) -> None:
        self.resizeDocks([self.docks[name] for name in names], list(sizes), orientation)

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        if not self._laid_out:
            self._laid_out = True
            self._lay_out()

    def closeEvent(self, event: QCloseEvent) -> None:
        for dock in self.docks.values():  # a panel at work may ask before it is ended
            may_close = getattr(dock.widget(), "may_close", None)
            if may_close is not None and not may_close():
                event.ignore()
                return
        for dock in self.docks.values():
            shut_down = getattr(dock.widget(), "shut_down", None)
            if shut_down is not None:
                shut_down()
        self._settings.setValue("geometry", self.saveGeometry())
        self._settings.setValue("layout", self.saveState(LAYOUT_VERSION))
        self._settings.setValue("views", self.views.saveState(LAYOUT_VERSION))
        self._settings.sync()
        self.session.close()
        super().closeEvent(event)


def _counted(count: int, noun: str) -> str:
    return f"{count} {noun}{'' if count == 1 else 's'}"
