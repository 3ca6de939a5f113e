"""What the window keeps in memory: the pass of a large model takes gigabytes, so no panel holds on to an old one."""

from __future__ import annotations

import gc

from PySide6.QtCore import QEvent
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QApplication, QMenu
from pytestqt.qtbot import QtBot

import visualizer
from visualizer.engine.trace import Trace
from visualizer.session.document.edits import SetCells
from visualizer.ui.window.palette import CommandPalette

FIRST = 5000.0  # a number that no other test writes


def weights_of_passes() -> set[float]:
    """Which weights the passes in memory have; the newest are compared with those before, which are kept for it."""
    gc.collect()
    # What the lens keeps of a pass is one position of it.
    # By its type alone: `isinstance` asks every object for its class, and some of other libraries warn when asked.
    alive = [found for found in gc.get_objects() if type(found) is Trace and len(found.tokens) > 1]
    weights = {float(trace.parameters["wte"][0, 0]) for trace in alive}
    return {weight for weight in weights if weight >= FIRST}


def test_panels_let_go_of_old_passes_once_others_are_in_front_of_them(qtbot: QtBot) -> None:
    window = visualizer.ui.open_window()
    qtbot.addWidget(window)
    document = window.session.document
    for number, dock in enumerate(window.docks.values()):
        dock.reveal()
        document.apply(SetCells("wte", (0, 0), FIRST + number))
        qtbot.waitExposed(window)
        dock.panel.grab()  # painted, with all that painting keeps
    newest = FIRST + len(window.docks) + 1
    for weight in (newest - 1, newest):
        document.apply(SetCells("wte", (0, 0), weight))
    window.grab()
    assert weights_of_passes() == {newest - 1, newest}


def test_what_the_palette_offered_is_let_go_of_when_it_closes(qtbot: QtBot) -> None:
    """Python keeps what was found below a window as long as the window, also what Qt has deleted."""
    window = visualizer.ui.open_window()
    qtbot.addWidget(window)
    window.session.wait()
    window.build_all()
    palette = CommandPalette(window, menus_here=window.menus_here)

    def opened_and_closed() -> int:
        palette.open_for(window)
        assert any(command.place == "This number" for command in palette.shown_commands())
        palette.dismiss()
        QApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete.value)
        gc.collect()
        # By type: other libraries' objects answer the question for their class with warnings.
        return sum(issubclass(type(found), QAction | QMenu) for found in gc.get_objects())

    first = [opened_and_closed() for _ in range(2)][-1]
    assert [opened_and_closed() for _ in range(3)] == [first] * 3
