"""Starting the program with a window: QApplication, theme, window, and the event loop."""

from __future__ import annotations

import os
import sys

from PySide6.QtCore import QSettings
from PySide6.QtWidgets import QApplication

from visualizer.formats import OpenedModel
from visualizer.ui.look.theme import apply_theme, icon, theme_for
from visualizer.ui.window.failures import Failures, errors_file
from visualizer.ui.window.main_window import MainWindow
from visualizer.ui.window.set_aside import set_aside_damage

ORGANIZATION = "attention-visualizer"
APPLICATION = "visualizer"


def settings() -> QSettings:
    """Where geometry, theme and the like are remembered."""
    return QSettings(ORGANIZATION, APPLICATION)


def make_application() -> QApplication:
    """The QApplication, named and themed. pyqtgraph's own would bring its style and icon."""
    app = QApplication.instance()
    if not isinstance(app, QApplication):
        app = QApplication(sys.argv[:1])
    if app.platformName() not in ("offscreen", "minimal"):
        settle_session_bus()
    app.setApplicationName(APPLICATION)
    app.setApplicationDisplayName("Attention visualizer")
    app.setDesktopFileName(APPLICATION)
    return app


def settle_session_bus() -> None:
    """Have Qt look for the desktop's message bus now, where it would otherwise do so while the engine works.

    Without a bus it forks to start one. OpenBLAS ends its threads before any fork, and a matrix product that is under
    way in another thread then waits for them for ever.
    """
    if sys.platform.startswith("linux") and "DBUS_SESSION_BUS_ADDRESS" not in os.environ:
        from PySide6.QtDBus import QDBusConnection

        QDBusConnection.sessionBus()


def show_window(opened: OpenedModel, prompt: str | list[int] | None = None) -> MainWindow:
    """Build and show the window on a model, with the remembered theme and geometry."""
    app = make_application()
    remembered = settings()
    damage = set_aside_damage(remembered)
    apply_theme(app, theme_for(str(remembered.value("theme", "system")), app))
    app.setWindowIcon(icon("app"))
    window = MainWindow(opened, remembered, prompt)
    Failures(window.status.say, errors_file(), window)
    window.show()
    if damage:
        window.status.say(damage)
    return window


def run(opened: OpenedModel, prompt: str | list[int] | None = None) -> int:
    """Show the window and stay until it is closed; returns the exit code."""
    app = make_application()
    window = show_window(opened, prompt)
    code = app.exec()
    window.deleteLater()
    return code
