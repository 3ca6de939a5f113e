"""The window: an edit until it is painted, and a start until it is painted, against bare pyqtgraph."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tests.benchmarks.harness import Row, compare

START = """
import sys, tempfile, pathlib
from PySide6.QtCore import QSettings, QEventLoop
from PySide6.QtWidgets import QApplication
{body}
app = QApplication.instance()
while not window.windowHandle().isExposed():
    app.processEvents(QEventLoop.ProcessEventsFlag.AllEvents, 5)
app.processEvents()
"""
OURS = """
folder = tempfile.mkdtemp()
QSettings.setPath(QSettings.Format.NativeFormat, QSettings.Scope.UserScope, folder)
app = QApplication(sys.argv)
import visualizer
window = visualizer.ui.open_window()
"""
BARE = """
app = QApplication(sys.argv)
import numpy, pyqtgraph
window = pyqtgraph.GraphicsLayoutWidget()
window.resize(1280, 720)
window.addPlot().addItem(pyqtgraph.ImageItem(numpy.eye(5)))
window.show()
"""


def application() -> Any:
    os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
    from PySide6.QtWidgets import QApplication

    return QApplication.instance() or QApplication(sys.argv[:1])


def _edit() -> Row:
    app = application()
    from PySide6.QtCore import QSettings

    from visualizer.formats import open_model
    from visualizer.session.document.edits import SetCells
    from visualizer.ui.look.theme import LIGHT, apply_theme
    from visualizer.ui.window.main_window import MainWindow

    apply_theme(app, LIGHT)
    with tempfile.TemporaryDirectory() as folder:
        settings = QSettings(str(Path(folder) / "s.ini"), QSettings.Format.IniFormat)
        window = MainWindow(open_model("aab"), settings)
        window.resize(1280, 720)
        window.show()
        app.processEvents()
        images = [heatmap.image().copy() for heatmap in _heatmaps(window)]
        bare, items = _bare(images)
        app.processEvents()
        sign = [1.0]

        def ours() -> None:
            sign[0] = -sign[0]
            edit = SetCells("blocks.0.attn.c_attn.w", (5, 23), sign[0], gesture="benchmark")
            window.session.document.apply(edit)
            app.processEvents()

        def reference() -> None:
            sign[0] = -sign[0]
            for item, image in zip(items, images, strict=True):
                item.setImage(image * sign[0])
            app.processEvents()

        row = compare(
            "edit of the handmade model -> 10 tokens -> window painted",
            ours,
            reference,
            bound=1.8,
            aim=1.3,
            seconds=4.0,
            note=f"the same {len(images)} images in bare pyqtgraph; every panel of ours repaints too",
        )
        window.close()
        bare.close()
    return row


def _heatmaps(window: Any) -> list[Any]:
    from visualizer.ui.heatmap.widget import Heatmap

    return [heatmap for heatmap in window.findChildren(Heatmap) if heatmap.isVisible()]


def _bare(images: list[NDArray[Any]]) -> tuple[Any, list[Any]]:
    import pyqtgraph as pg

    bare = pg.GraphicsLayoutWidget()
    bare.resize(1280, 720)
    items = []
    for number, image in enumerate(images):
        item = pg.ImageItem(np.array(image), axisOrder="row-major")
        bare.addPlot(row=number // 2, col=number % 2).addItem(item)
        items.append(item)
    bare.show()
    return bare, items


def _start() -> Row:
    environment = {**os.environ, "QT_QPA_PLATFORM": os.environ.get("QT_QPA_PLATFORM", "offscreen")}

    def run(body: str) -> None:
        code = START.format(body=body)
        subprocess.run([sys.executable, "-c", code], check=True, env=environment, capture_output=True)

    return compare(
        "start -> window painted (whole process)",
        lambda: run(OURS),
        lambda: run(BARE),
        bound=1.6,
        aim=1.3,
        seconds=12.0,
        note="a bare PySide6 + pyqtgraph window with one image",
    )


def rows() -> list[Row]:
    """An edit, then a start."""
    return [_edit(), _start()]
