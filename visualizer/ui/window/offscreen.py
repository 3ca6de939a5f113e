"""The real window drawn without a screen, into a PNG."""

from __future__ import annotations

import os
import sys
import tempfile
from pathlib import Path
from typing import IO

from PySide6.QtCore import (
    QBuffer,
    QByteArray,
    QElapsedTimer,
    QEventLoop,
    QIODevice,
    QMessageLogContext,
    QSettings,
    QSize,
    QtMsgType,
    qInstallMessageHandler,
)
from PySide6.QtGui import QImageWriter
from PySide6.QtWidgets import QApplication, QWidget

from visualizer.errors import InputError, VisualizerError
from visualizer.formats import OpenedModel
from visualizer.formats.writing import write_whole

SETTLED_MS = 600


def render_window(
    opened: OpenedModel, prompt: str | list[int] | None, size: tuple[int, int], theme: str, path: str | os.PathLike[str]
) -> None:
    """Write the window on `opened`, `size` pixels large, to the PNG file `path`.

    Remembered geometry and theme play no part, so the same call draws the same picture.

    Raises:
        InputError: the window does not become so small.
        FormatError: the file cannot be written.
    """
    if QApplication.instance() is None:
        os.environ["QT_QPA_PLATFORM"] = "offscreen"
        qInstallMessageHandler(_quiet)
    from visualizer.ui.look.theme import apply_theme, theme_for
    from visualizer.ui.window.application import make_application
    from visualizer.ui.window.main_window import MainWindow

    app = make_application()
    apply_theme(app, theme_for(theme, app))
    with tempfile.TemporaryDirectory() as folder:
        forgetful = QSettings(str(Path(folder) / "settings.ini"), QSettings.Format.IniFormat)
        window = MainWindow(opened, forgetful, prompt)
        window.resize(QSize(*size))
        window.show()
        app.processEvents()
        if window.width() > size[0] or window.height() > size[1]:
            least = f"{window.width()}x{window.height()}"
            _close(window, app)
            raise InputError(f"--size {size[0]}x{size[1]} is too small; the window needs at least {least} here")
        window.session.wait()
        clock = QElapsedTimer()
        clock.start()
        while clock.elapsed() < SETTLED_MS:  # layouts settle, results are painted, the self-check runs
            app.processEvents(QEventLoop.ProcessEventsFlag.AllEvents, 20)
        image = window.grab().toImage()
        _close(window, app)
    data = QByteArray()
    buffer = QBuffer(data)
    buffer.open(QIODevice.OpenModeFlag.WriteOnly)
    if not QImageWriter(buffer, QByteArray(b"png")).write(image):
        raise VisualizerError("Qt could not encode the picture as PNG")

    def write(file: IO[bytes]) -> None:
        file.write(data.data())

    write_whole(path, write)


def _close(window: QWidget, app: QApplication) -> None:
    window.close()
    window.deleteLater()
    app.processEvents()


def _quiet(kind: QtMsgType, _context: QMessageLogContext, message: str) -> None:
    """Pass on what Qt says, but for what the platform without a screen says of itself."""
    if not message.startswith("This plugin does not support"):
        print(f"Qt {kind.name}: {message}", file=sys.stderr)
