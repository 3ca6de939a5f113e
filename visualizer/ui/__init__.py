"""The window, and the only place that knows Qt and pyqtgraph."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from visualizer.ui.window.main_window import MainWindow


def open_window(source: str | os.PathLike[str] | None = None) -> MainWindow:
    """Open the window on `source` (a preset or a file; None for the `aab` model), inside a running QApplication.

    Returns the window, shown. Raises InputError where `source` cannot be read.
    """
    from visualizer.formats import open_model
    from visualizer.ui.window.application import show_window

    return show_window(open_model(source if source is not None else "aab"))
