"""What Qt needs of a Linux system beyond its wheel: shared libraries, a screen that answers, a font.

Qt aborts the whole process when a library is missing or the screen does not answer, so both are probed first,
here, without it. `resources/system-packages/` lists the libraries of each Linux family, one a line: the
package, the name under which the loader knows the library (`-` for none), and what needs it: `setup`, `qt`
(anything drawn, also without a screen), `font`, `x11` or `wayland` (a window there).
"""

import ctypes
import os
import platform
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from visualizer.resources import resource

WindowSystem = Literal["x11", "wayland", "native"]
Family = Literal["debian", "fedora"]


@dataclass(frozen=True)
class Missing:
    """One thing that this machine lacks."""

    what: str
    """As the loader or pip knows it: `libEGL.so.1`, `pyqtgraph>=0.14,<0.15`, or `a font`."""
    needed_for: str
    kind: Literal["library", "font", "python"]


@dataclass(frozen=True)
class SystemPackage:
    """One line of a list in `resources/system-packages/`."""

    package: str
    soname: str
    purpose: str


PURPOSES = {
    "qt": "drawing anything, with or without a screen",
    "font": "text in the window and in rendered pictures",
    "x11": "a window on X11",
    "wayland": "a window on Wayland",
}
"""What the packages of each purpose are needed for."""


def missing_libraries(for_window: bool) -> list[Missing]:
    """The system libraries without which Qt would abort: look here before creating a QApplication.

    With `for_window`, those of the window system in use as well; drawing without a screen needs fewer.
    Empty on macOS and Windows, where the PySide6 wheels bring all that they need.
    """
    if not sys.platform.startswith("linux"):
        return []
    purposes = ["qt"]
    if for_window:
        purposes.append("wayland" if window_system() == "wayland" else "x11")
    return [
        Missing(line.soname, PURPOSES[line.purpose], "library")
        for line in system_packages(linux_family() or "debian")
        if line.purpose in purposes and line.soname != "-" and not library_loads(line.soname)
    ]


def has_screen() -> bool:
    """Whether a window can be shown here: on Linux, whether a display is named and answers."""
    return window_system() is not None


def window_system() -> WindowSystem | None:
    """The window system that answers: `x11` or `wayland` on Linux, `native` elsewhere, None without a screen.

    Where both answer it is the session's own, as in Qt. Where only Wayland does, Qt must be told
    (`QT_QPA_PLATFORM=wayland`), for it tries X11 first and aborts.
    """
    if not sys.platform.startswith("linux"):
        return "native"
    x11_display, wayland_display = os.environ.get("DISPLAY"), os.environ.get("WAYLAND_DISPLAY")
    x11 = bool(x11_display and _answers(x11_display, "libX11.so.6", "XOpenDisplay"))
    if x11 and os.environ.get("XDG_SESSION_TYPE") != "wayland":
        return "x11"
    if wayland_display and _answers(wayland_display, "libwayland-client.so.0", "wl_display_connect"):
        return "wayland"
    return "x11" if x11 else None


def system_packages(family: Family) -> list[SystemPackage]:
    """The list of one Linux family, `debian` or `fedora`."""
    text = resource(f"system-packages/{family}.txt").read_text(encoding="utf-8")
    return [SystemPackage(*line.split()) for line in text.splitlines() if line.strip()]


def linux_family() -> Family | None:
    """The Linux family whose packages are installed with a command that we know."""
    try:
        release = platform.freedesktop_os_release()
    except OSError:
        return None
    kin = {release.get("ID", ""), *release.get("ID_LIKE", "").split()}
    if kin & {"debian", "ubuntu"}:
        return "debian"
    return "fedora" if kin & {"fedora", "rhel"} else None


def font_files() -> list[Path]:
    """The font files in the folders that fontconfig searches by default."""
    data = Path(os.environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share")
    folders = [
        Path("/usr/share/fonts"),
        Path("/usr/local/share/fonts"),
        data / "fonts",
        Path.home() / ".fonts",
    ]
    kinds = {".ttf", ".otf", ".ttc", ".pfb", ".pcf"}
    return [path for folder in folders if folder.is_dir() for path in folder.rglob("*") if path.suffix in kinds]


def library_loads(soname: str) -> bool:
    """Whether the loader finds the library and all that it needs in turn."""
    try:
        ctypes.CDLL(soname)
    except OSError:
        return False
    return True


_held_connections: dict[tuple[str, str], int] = {}
"""The probes that were answered, by client library and display; kept open until the process ends.

An X server may start afresh when its last client leaves and turn the next one away for a moment: after a probe
that closed its connection Qt could abort.
"""


def _answers(display: str, soname: str, connect: str) -> bool:
    """Whether the display takes a connection: one is opened, and kept.

    True where the client library is missing: that is another fault, with a report of its own.
    """
    if (soname, display) in _held_connections:
        return True
    try:
        library = ctypes.CDLL(soname)
    except OSError:
        return True
    opening = getattr(library, connect)
    opening.restype = ctypes.c_void_p
    opening.argtypes = [ctypes.c_char_p]
    connection: int | None = opening(os.fsencode(display))
    if connection is None:
        return False
    _held_connections[soname, display] = connection
    return True
