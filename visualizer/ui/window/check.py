"""Opens the real window for a moment and says how it went: the part of `doctor --gui` that needs Qt.

Run as a process of its own (`python -m visualizer.ui.window.check SETTINGS_FOLDER`), so that an abort inside
Qt is reported by the process that started it.
"""

import sys

from PySide6.QtCore import QElapsedTimer, QEventLoop, QSettings
from PySide6.QtWidgets import QApplication

from visualizer.ui import open_window

SHOWN_MS = 700
GIVE_UP_MS = 20_000


def main(settings_folder: str) -> int:
    """Returns 0 and prints what was shown where the window came up, 1 where it never did."""
    QSettings.setDefaultFormat(QSettings.Format.IniFormat)
    QSettings.setPath(QSettings.Format.IniFormat, QSettings.Scope.UserScope, settings_folder)
    app = QApplication([sys.argv[0]])
    clock = QElapsedTimer()
    clock.start()
    window = open_window()
    handle = window.windowHandle()
    while not handle.isExposed() and clock.elapsed() < GIVE_UP_MS:
        app.processEvents(QEventLoop.ProcessEventsFlag.AllEvents, 50)
    opened = handle.isExposed()
    shown_after = clock.restart()
    while opened and clock.elapsed() < SHOWN_MS:
        app.processEvents(QEventLoop.ProcessEventsFlag.AllEvents, 50)
    screen = window.screen()
    print(
        f"{'opened' if opened else 'never appeared'} at {window.width()}×{window.height()} "
        f"after {shown_after} ms on {app.platformName()}, "
        f"screen {screen.size().width()}×{screen.size().height()} at scale {screen.devicePixelRatio():g}"
    )
    window.close()
    return 0 if opened else 1


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1]))
