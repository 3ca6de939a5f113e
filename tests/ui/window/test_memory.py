"""What the window keeps in memory: the pass of a large model takes gigabytes, so no panel holds on to an old one."""

from __future__ import annotations

import gc

from pytestqt.qtbot import QtBot

import visualizer
from visualizer.engine.trace import Trace
from visualizer.session.document.edits import SetCells

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
