"""Starting the program."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

SETTLE = """
import sys
from pathlib import Path
from PySide6.QtWidgets import QApplication
from PySide6.QtDBus import QDBusConnection
from visualizer.ui.window.application import settle_session_bus

app = QApplication(["test"])
log = Path(sys.argv[1])
settle_session_bus()
settled = log.read_text() if log.exists() else ""
QDBusConnection.sessionBus()
print(len(settled.splitlines()), len(log.read_text().splitlines()) if log.exists() else 0)
"""


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="D-Bus is Linux's")
@pytest.mark.skipif(Path("/usr/bin/dbus-launch").exists(), reason="the real launcher is preferred to the one here")
@pytest.mark.skipif(not Path("/etc/machine-id").exists(), reason="D-Bus starts no bus on a machine without an id")
def test_the_search_for_a_message_bus_is_over_before_the_engine_begins(tmp_path: Path) -> None:
    """A fork during a matrix product would stop the product for ever."""
    log, launcher = tmp_path / "log", tmp_path / "dbus-launch"
    launcher.write_text(f"#!/bin/sh\necho launched >> {log}\nexit 1\n")
    launcher.chmod(0o755)
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("DBUS_", "XDG_RUNTIME"))}
    environment |= {"QT_QPA_PLATFORM": "offscreen", "DISPLAY": ":4711", "PATH": f"{tmp_path}:{os.environ['PATH']}"}
    told = subprocess.run(
        [sys.executable, "-c", SETTLE, str(log)], env=environment, capture_output=True, text=True, check=True
    )
    assert told.stdout.split() == ["1", "1"]
