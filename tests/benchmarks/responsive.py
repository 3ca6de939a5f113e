"""The window never waits for the engine: the event loop's longest gap while a 124M-parameter model is run."""

from __future__ import annotations

import os
import sys
import tempfile
import time
from collections.abc import Callable
from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING

from tests.benchmarks.gpt2_forward import gpt2_shape
from tests.benchmarks.harness import Row, p95

if TYPE_CHECKING:
    from PySide6.QtWidgets import QApplication

    from visualizer.session.session import Session

LONGEST = 0.050  # seconds, what PERFORMANCE allows
TOKENS, EDITS = 128, 3
TICK_MS = 1
#: After a result the panels are drawn, the pass before is let go of, and the new one is checked: all that is looked at.
AFTERWARDS = 1.0  # seconds


def rows() -> list[Row]:
    """Edits of a GPT-2-shaped model in the window; each is evaluated on the worker while ticks are counted here."""
    os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
    from PySide6.QtCore import QSettings
    from PySide6.QtWidgets import QApplication

    from visualizer.formats import OpenedModel
    from visualizer.session.document.edits import SetCells, SetPrompt
    from visualizer.ui.look.theme import LIGHT, apply_theme
    from visualizer.ui.window.main_window import MainWindow

    app = QApplication.instance() or QApplication(sys.argv[:1])
    assert isinstance(app, QApplication)
    apply_theme(app, LIGHT)
    with tempfile.TemporaryDirectory() as folder:
        settings = QSettings(str(Path(folder) / "s.ini"), QSettings.Format.IniFormat)
        window = MainWindow(OpenedModel(gpt2_shape(), "gpt2", "gpt2"), settings)
        window.show()
        window.session.document.apply(SetPrompt(tuple(range(TOKENS))))
        window.session.wait()
        _settle(app)
        turns: list[tuple[float, float]] = []
        for number in range(EDITS):
            edit = SetCells(f"blocks.{4 * number}.attn.c_attn.w", (0, 0), 0.5)
            turns += _turns_of_the_loop(window.session, partial(window.session.document.apply, edit))
        window.close()
    gaps, own = zip(*turns, strict=True)
    note = f"{EDITS} edits at T = {TOKENS}; the window's own work at most {1000 * max(own):.0f} ms of processor time"
    worst = max(gaps)
    return [
        Row(
            "longest gap, 124M-parameter model running",
            worst,
            LONGEST,
            worst / LONGEST,
            p95(gaps),
            1.0,
            0.5,
            note=note,
        )
    ]


def _turns_of_the_loop(session: Session, edit: Callable[[], object]) -> list[tuple[float, float]]:
    """Seconds between the ticks of a timer in Qt's own loop, from an edit until what comes after its result is done.

    Beside each, how many of them this thread worked; on a busy machine the others are other programs'.

    A loop of our own, that asks again and again, would take a core and the interpreter's lock from the engine.
    """
    from PySide6.QtCore import QEventLoop, Qt, QTimer

    loop, ticks = QEventLoop(), QTimer(interval=TICK_MS, timerType=Qt.TimerType.PreciseTimer)
    times, worked = [time.perf_counter()], [time.thread_time()]
    arrived: list[float] = []

    def tick() -> None:
        times.append(time.perf_counter())
        worked.append(time.thread_time())
        if not arrived and not session.stale:
            arrived.append(times[-1])
        if arrived and times[-1] - arrived[0] > AFTERWARDS:
            loop.quit()

    ticks.timeout.connect(tick)
    ticks.start()
    edit()  # it is the window's, too
    loop.exec()
    ticks.stop()
    return [(b - a, d - c) for (a, b), (c, d) in zip(pairwise(times), pairwise(worked), strict=True)]


def _settle(app: QApplication) -> None:
    """Let the first pictures be painted, so that what is measured is the engine at work and not a window opening."""
    began = time.perf_counter()
    while time.perf_counter() - began < 1.0:
        app.processEvents()
