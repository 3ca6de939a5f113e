"""Writing the run under the cursor as a script that needs only NumPy."""

from __future__ import annotations

import os
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtGui import QAction
from PySide6.QtWidgets import QWidget

from visualizer.errors import EditError
from visualizer.session.session import Session

if TYPE_CHECKING:
    from visualizer.ui.window.export import Say


def export_script(session: Session, path: str | os.PathLike[str]) -> list[Path]:
    """Write the pass of the step under the cursor as a script that needs only NumPy; returns the files.

    Raises:
        EditError: nothing has been computed yet, or the context is empty.
        FormatError: the name does not end in .py, or a file cannot be written.
    """
    from visualizer.formats.script import write_script  # here, so that the window opens without it

    trace, result = session.trace, session.result
    if result is None or trace is None:
        raise EditError("there is no pass to write: type a prompt first")
    state = result.state
    model = state.model if trace.parameters is state.model.parameters else state.model.replace(trace.parameters)
    return write_script(
        model, trace.tokens, path, interventions=trace.interventions, name=state.opened.name, trace=trace
    )


def script_action(session: Session, parent: QWidget, say: Say) -> QAction:
    """The action that asks for a name and writes the run as a script."""
    action = QAction("Save run as NumPy script…", parent)
    action.setObjectName("exportScript")
    action.setStatusTip("A Python file that needs only NumPy and prints the same logits")
    action.triggered.connect(partial(_ask_and_write, session, parent, say))
    return action


def _ask_and_write(session: Session, parent: QWidget, say: Say, _checked: bool = False) -> None:
    from visualizer.ui.window.export import asked_name, file_name, may_replace, try_to_write  # here, too

    state = session.document.state
    path = asked_name(parent, f"{file_name(state.opened.name)}_run.py", "Python scripts (*.py)", ".py")
    if path is None:
        return
    from visualizer.formats.script import may_need_numbers, numbers_path  # here, so that the window opens without it

    if may_need_numbers(state.model, state.interventions) and not may_replace(parent, numbers_path(path)):
        return
    try_to_write(partial(export_script, session, path), say, path)
