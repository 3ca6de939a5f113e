"""The main window: puts the panels together and connects them; it computes nothing itself."""

from __future__ import annotations

import os
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QByteArray, QSettings, Qt, QTimer
from PySide6.QtGui import QAction, QCloseEvent, QKeySequence, QResizeEvent, QShortcut, QShowEvent
from PySide6.QtWidgets import (
    QAbstractItemView,
    QApplication,
    QMainWindow,
    QMenu,
    QSizePolicy,
    QTabBar,
    QToolBar,
    QVBoxLayout,
    QWidget,
)

from visualizer.engine.model import Model
from visualizer.errors import InputError
from visualizer.formats import OpenedModel, open_model
from visualizer.session.document.edits import OpenModel, SetPrompt
from visualizer.session.session import Session
from visualizer.ui.bridge.executor import WorkerExecutor
from visualizer.ui.bridge.garbage import GarbageCollector
from visualizer.ui.bridge.panel import SessionPanel
from visualizer.ui.heatmap.scales import remember_choices_in
from visualizer.ui.look.theme import apply_theme, theme_for
from visualizer.ui.panels.prompt_bar.panel import PromptBar
from visualizer.ui.panels.self_check.panel import SelfCheckBadge
from visualizer.ui.panels.token_strip.panel import TokenStrip
from visualizer.ui.widgets.focus_order import go_on, go_through
from visualizer.ui.widgets.focus_ring import FocusRings
from visualizer.ui.widgets.plain_text import as_entry
from visualizer.ui.window.arrangement import PLACES, Arrangement, first_size
from visualizer.ui.window.busy_bar import BusyBar
from visualizer.ui.window.catalog import AT_ONCE, EARLY_KEYS, PANELS, REMARKED, RESULTS
from visualizer.ui.window.context_key import ContextKey
from visualizer.ui.window.context_menus import ContextMenus
from visualizer.ui.window.docks import PanelDock
from visualizer.ui.window.menus import Menus
from visualizer.ui.window.opening import Opening
from visualizer.ui.window.status import StatusBar
from visualizer.ui.window.veils import Veils

#: Panels that nobody has looked at are built once nothing has happened for this long, one every `EACH_MS`.
IDLE_MS, EACH_MS = 3000, 150
#: Arrays of more numbers are told apart as objects.
COMPARED = 2**20
#: Remembered layouts of another version are not restored.
LAYOUT_VERSION = 3


class MainWindow(QMainWindow):
    """Change on the left, see in the middle, understand on the right, time along the bottom.

    Attributes:
        session: the document, the selection and the results that all panels are about.
        opening: reads the models that are opened.
        middle_window: the window in the middle, whose docks show the numbers.
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
        self._settings = settings
        self._saved: tuple[OpenedModel, Model] | None = None
        remember_choices_in(settings)
        self._laid_out = False
        self._idle = QTimer(self, singleShot=True)
        self._idle.timeout.connect(self._build_while_idle)
        self.docks: dict[str, PanelDock] = {}
        executor = WorkerExecutor(self)
        self.session = Session(opened, executor)
        self._garbage = GarbageCollector(lambda: self.session.pending, self)
        if prompt is not None:
            self.session.document.apply(SetPrompt(prompt))
        self.status = StatusBar(self.session, self)
        self.status.addPermanentWidget(SelfCheckBadge(self.session, self.status))
        busy = BusyBar(self.session, executor, self.status)
        self.status.insertPermanentWidget(1, busy)
        self.setStatusBar(self.status)
        self.undo_action, self.redo_action = self._undo_actions()
        self.menus = Menus(self, self)
        self.context_menus = ContextMenus(self.session, self)
        self.context_menus.message.connect(self.status.say)
        self.context_menus.panel_wanted.connect(self._bring)
        self.context_menus.number_wanted.connect(self._type_number)
        self.opening = Opening(self)
        self.opening.opened.connect(self._open_read)
        self.opening.said.connect(self.status.say)
        self._build_top()
        self._build_docks()
        busy.stale_changed.connect(Veils([self.docks[name] for name in RESULTS], self).mark)
        self.menus.fill()
        self.session.document.subscribe(lambda _change: self._document_changed())
        self.session.subscribe(lambda _result: self._busy_now())
        self.session.selection.subscribe(lambda _before, _now: self._busy_now())
        self._document_changed()
        FocusRings(self)
        ContextKey(self)
        self._restore()

    # -- building

    def _build_top(self) -> None:
        self.prompt_bar, self.token_strip = PromptBar(self.session), TokenStrip(self.session)
        top = QToolBar("Prompt", self)
        top.setObjectName("promptBarPlace")
        top.setMovable(False)
        top.toggleViewAction().setVisible(False)
        head = QWidget(top)
        rows = QVBoxLayout(head)
        rows.setContentsMargins(8, 4, 8, 0)
        rows.setSpacing(4)
        rows.addWidget(self.prompt_bar)
        rows.addWidget(self.token_strip)
        head.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        top.addWidget(head)
        self.addToolBar(Qt.ToolBarArea.TopToolBarArea, top)
        for panel in (self.prompt_bar, self.token_strip):
            self._adopt(panel)

    def _build_docks(self) -> None:
        self.middle_window = QMainWindow(self)
        self.middle_window.setWindowFlags(Qt.WindowType.Widget)
        self.middle_window.setObjectName("middleWindow")
        self.setCentralWidget(self.middle_window)
        for name, (title, make) in PANELS.items():
            home = self.middle_window if name in PLACES["middle"] else self
            dock = PanelDock(title, name, partial(make, self.session), home)
            dock.scrolls = name not in PLACES["bottom"]
            dock.shows_pass = name in REMARKED
            dock.built.connect(self._adopt)
            self.docks[name] = dock
        self.arrangement = Arrangement(self, self.middle_window, self.docks)
        self.arrangement.prepare()
        self.arrangement.put()
        for name in AT_ONCE:
            self.docks[name].build()
        for key, name, action in EARLY_KEYS:
            early = QShortcut(QKeySequence(key), self)
            early.activated.connect(partial(self._press_early, name, action))
            self.docks[name].built.connect(partial(_retire, early))

    def _adopt(self, panel: SessionPanel) -> None:
        """Connect a panel that has just been made."""
        panel.message.connect(self.status.say)
        panel.context_requested.connect(self.context_menus.show)
        panel.panel_wanted.connect(self._bring)
        if panel.objectName() in self.docks:
            panel.height_wanted.connect(partial(self.arrangement.give_height, panel.objectName()))
        self.menus.take_actions(panel)
        for table in panel.findChildren(QAbstractItemView):
            table.setTabKeyNavigation(False)  # the arrows move in it, and Tab leaves it

    def _bring(self, name: str) -> None:
        """Bring a panel to the front, for a command that leads to it."""
        self.docks[name].reveal()

    def _press_early(self, name: str, action: str) -> None:
        """Build a panel and run one of its actions: its key was pressed before anybody looked at it."""
        self.docks[name].panel.actions_by_name[action].trigger()

    def _build_while_idle(self) -> None:
        # While a result is awaited the window has better to do.
        if self.isVisible() and (self.session.pending or self.build_next()):
            self._idle.start(EACH_MS)

    def build_next(self) -> bool:
        """Build one panel that nobody has looked at yet; returns whether there are more."""
        waiting = [dock for dock in self.docks.values() if dock.built_panel is None]
        if waiting:
            waiting[0].build()
        return len(waiting) > 1

    def _busy_now(self) -> None:
        """Something happens: what can wait, waits longer."""
        if self._idle.isActive():
            self._idle.start(IDLE_MS)

    def build_all(self) -> None:
        """Build all panels now: somebody wants to see every command."""
        while self.build_next():
            pass

    def _parts(self) -> list[QWidget]:
        """What is on screen in this window, in the order of reading; panels behind others are left out."""
        parts: list[QWidget] = [self.prompt_bar, self.token_strip]
        for place, names in PLACES.items():
            parts += self.arrangement.tabs(place)
            docks = [self.docks[name] for name in names]
            parts += [dock.panel for dock in docks if dock.isVisible() and dock.in_front and not dock.isFloating()]
        return [*parts, self.status]

    def go_to_panel(self, by: int) -> None:
        """Give the keyboard to the panel on screen that comes `by` places after the one that has it."""
        floating = [dock.panel for dock in self.docks.values() if dock.isFloating() and dock.isVisible()]
        go_on([part for part in (*self._parts(), *floating) if not isinstance(part, QTabBar)], by)

    def float_panel(self) -> None:
        """Make a window of the panel that has the keyboard, or put it back."""
        focus = QApplication.focusWidget()
        for dock in self.docks.values():
            if focus is not None and dock.isAncestorOf(focus):
                dock.setFloating(not dock.isFloating())
                dock.reveal()  # it may have come back behind another
                dock.activateWindow()
                focus.setFocus(Qt.FocusReason.OtherFocusReason)
                return
        self.status.say("Go to a panel first, with Tab or F6: the panel with the keyboard is the one that floats.")

    def _undo_actions(self) -> tuple[QAction, QAction]:
        undo, redo = QAction("Undo", self), QAction("Redo", self)
        undo.setObjectName("undoAction")
        redo.setObjectName("redoAction")
        undo.setShortcuts([QKeySequence("Ctrl+Z")])
        redo.setShortcuts([QKeySequence("Ctrl+Shift+Z"), QKeySequence("Ctrl+Y")])
        undo.triggered.connect(lambda: self._replay(self.session.document.undo, undo.text(), "undone"))
        redo.triggered.connect(lambda: self._replay(self.session.document.redo, redo.text(), "done again"))
        self.addActions([undo, redo])
        return undo, redo

    def _replay(self, step: Callable[[object], object], called: str, word: str) -> None:
        """Undo or redo, and say what that was: its name is gone from the action afterwards."""
        step(self)
        self.status.say(f"{word}: {called.partition(' ')[2]}")

    # -- what the session tells

    def _document_changed(self) -> None:
        titles, done = self.session.document.history()
        for action, word, title in (
            (self.undo_action, "Undo", titles[done - 1] if done else None),
            (self.redo_action, "Redo", titles[done] if done < len(titles) else None),
        ):
            action.setEnabled(title is not None)
            action.setText(as_entry(f"{word} {title}" if title else word))
        state = self.session.document.state
        active = sum(change.enabled for change in state.interventions)
        self.docks["interventionsPanel"].setWindowTitle(f"Interventions ({active})" if active else "Interventions")
        config, then = state.model.config, self._as_saved(state.opened).parameters
        self.setWindowTitle(
            f"{state.opened.name}[*] · {_counted(config.n_layers, 'block')} · {_counted(config.n_heads, 'head')} · "
            f"{config.d_model} dimensions"
        )
        self.setWindowModified(any(_differ(array, then[name]) for name, array in state.model.parameters.items()))

    def _as_saved(self, opened: OpenedModel) -> Model:
        """The model as it is in a file: as it was saved last, else as it was opened."""
        return self._saved[1] if self._saved is not None and self._saved[0] is opened else opened.model

    def note_saved(self) -> None:
        """The model as it is now has been written to a file."""
        state = self.session.document.state
        self._saved = (state.opened, state.model)
        self._document_changed()

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
        """Open a preset or a file, a large one once it is read, as an undoable edit; a refusal is said below."""
        self.opening.request(source)

    def open(self, source: str | os.PathLike[str]) -> None:
        """Open a preset or a file, as an undoable edit, before this returns.

        Raises:
            InputError: it cannot be opened; nothing has changed.
        """
        self._open(open_model(source))

    def _open(self, opened: OpenedModel) -> None:
        self.session.document.apply(OpenModel(opened), self)

    def _open_read(self, opened: OpenedModel) -> None:
        try:
            self._open(opened)
        except InputError as error:
            self.status.say(str(error))

    def _type_number(self, row: int, gesture: object) -> None:
        """Have the number of a new intervention typed in the list of interventions."""
        from visualizer.ui.panels.interventions.panel import InterventionsPanel  # here: most starts never show it

        interventions = self.docks["interventionsPanel"].panel
        assert isinstance(interventions, InterventionsPanel)
        interventions.type_number(row, gesture)

    def menus_here(self) -> list[QMenu]:
        """Context menus, not shown: of the number pointed at, the chosen one or head, and of all that is on screen."""
        return self.context_menus.here()

    # -- geometry

    def _restore(self) -> None:
        self.resize(first_size(self))
        remembered = [self._settings.value(key) for key in ("geometry", "layout", "views")]
        geometry, layout, middle = (value if isinstance(value, QByteArray) else None for value in remembered)
        if geometry is not None:
            self.restoreGeometry(geometry)
        if layout is not None and middle is not None:
            self._laid_out = self.restoreState(layout, LAYOUT_VERSION)
            self.middle_window.restoreState(middle, LAYOUT_VERSION)
            self.arrangement.recall(self._settings.value("parts"))

    def reset_layout(self) -> None:
        """Put every panel back where it was when the window was first opened."""
        self.arrangement.put()
        self.arrangement.share()

    def createPopupMenu(self) -> QMenu:
        """What a right click beside the panels offers: the list of panels."""
        menu = QMenu(self)
        menu.addActions(self.menus.panels.actions())
        return menu

    def focusNextPrevChild(self, forward: bool) -> bool:
        # Qt's own way would lead through the panels behind others, which it keeps somewhere off the screen.
        return go_through(self._parts(), forward)

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self._idle.start(IDLE_MS)
        if self.focusWidget() is None:
            self.prompt_bar.prompt_edit.setFocus()  # typing is the first thing to try
        if not self._laid_out:
            self._laid_out = True
            self.arrangement.share()
        else:
            QTimer.singleShot(0, self, self.arrangement.note_first)  # once what was remembered is laid out

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        if self.isVisible():
            self.arrangement.follow()

    def closeEvent(self, event: QCloseEvent) -> None:
        panels = [dock.built_panel for dock in self.docks.values() if dock.built_panel is not None]
        if not all(panel.may_close() for panel in panels):
            event.ignore()
            return
        self._remember_layout()
        self.hide()  # what is under way may take a moment to end
        for panel in panels:
            panel.shut_down()
        self.opening.stop()
        self._idle.stop()
        self._garbage.stop()
        self.session.close()
        super().closeEvent(event)

    def _remember_layout(self) -> None:
        self._settings.setValue("geometry", self.saveGeometry())
        self._settings.setValue("layout", self.saveState(LAYOUT_VERSION))
        self._settings.setValue("views", self.middle_window.saveState(LAYOUT_VERSION))
        self._settings.setValue("parts", self.arrangement.remembered())
        self._settings.sync()


def _retire(shortcut: QShortcut, _panel: object) -> None:
    """The panel is there, and has the key itself."""
    shortcut.setEnabled(False)
    shortcut.deleteLater()


def _differ(now: NDArray[Any], then: NDArray[Any]) -> bool:
    """Whether numbers differ; of a large array that is another one it is taken for granted, for time's sake."""
    return now is not then and (now.size > COMPARED or not np.array_equal(now, then, equal_nan=True))


def _counted(count: int, noun: str) -> str:
    return f"{count} {noun}{'' if count == 1 else 's'}"
