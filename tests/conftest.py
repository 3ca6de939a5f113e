"""What holds for every test: no screen, no settings of the user's, no window left behind.

Qt reads its platform and its settings folder from the environment when it loads, so both are set before that.
"""

import os
import sys
import tempfile
from collections.abc import Iterator

import pytest
from hypothesis import settings

_SETTINGS = tempfile.TemporaryDirectory(prefix="visualizer-settings-")
os.environ["QT_QPA_PLATFORM"] = "offscreen"
os.environ["XDG_CONFIG_HOME"] = os.environ["XDG_DATA_HOME"] = _SETTINGS.name
for _name in ("QT_SCALE_FACTOR", "QT_STYLE_OVERRIDE", "QT_QPA_PLATFORMTHEME"):
    os.environ.pop(_name, None)

# How long an example takes says more of the machine than of the code: speed is for the benchmarks.
settings.register_profile("visualizer", deadline=None, print_blob=True)
settings.load_profile("visualizer")


def pytest_addoption(parser: pytest.Parser) -> None:
    """A long run of the window's random acts is asked for."""
    parser.addoption("--acts", type=int, default=0, help="random acts in a long run, such as 20000 (none by default)")


def pytest_unconfigure() -> None:
    """The temporary settings go with the run, and so does what was copied: without a screen, Qt would let go of it only
    when Python's part of it is gone, and crash.
    """
    _SETTINGS.cleanup()
    if "PySide6.QtGui" in sys.modules:
        from PySide6.QtGui import QGuiApplication

        if QGuiApplication.instance() is not None:
            QGuiApplication.clipboard().clear()


@pytest.fixture(autouse=True)
def fresh_settings(tmp_path_factory: pytest.TempPathFactory) -> None:
    """Every test starts without remembered settings, on every platform."""
    if "PySide6.QtCore" not in sys.modules:
        return
    from PySide6.QtCore import QSettings

    scales = sys.modules.get("visualizer.ui.heatmap.scales")
    if scales is not None:
        scales.remember_choices_in(None)  # those of another test's window
    folder = str(tmp_path_factory.mktemp("settings"))
    # The native format of macOS and Windows knows no folder, so no test may use it.
    QSettings.setDefaultFormat(QSettings.Format.IniFormat)
    for format_ in (QSettings.Format.IniFormat, QSettings.Format.NativeFormat):
        QSettings.setPath(format_, QSettings.Scope.UserScope, folder)


@pytest.fixture(autouse=True)
def no_leaked_windows() -> Iterator[None]:
    """Fails a test that leaves a window on screen; windows given to `qtbot.addWidget` are closed by then."""
    yield
    leaked = close_visible_windows()
    assert not leaked, f"windows left open: {', '.join(leaked)}"


def close_visible_windows() -> list[str]:
    """Closes every top-level window that is still shown; their classes and object names."""
    if "PySide6.QtWidgets" not in sys.modules:
        return []
    from PySide6.QtCore import QCoreApplication, QEvent
    from PySide6.QtWidgets import QApplication

    if QApplication.instance() is None:
        return []
    QCoreApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete.value)
    shown = [widget for widget in QApplication.topLevelWidgets() if widget.isVisible()]
    names = [f"{type(widget).__name__} {widget.objectName()!r}" for widget in shown]
    for widget in shown:
        widget.hide()
        widget.deleteLater()
    return names
