"""What this machine has, what it lacks, and the command that installs it, found out without loading Qt."""

import importlib.metadata
import os
import platform
import subprocess
import sys
import tempfile
from collections.abc import Sequence

from visualizer.doctor.requirements import DISTRIBUTION, required_packages
from visualizer.doctor.system import (
    PURPOSES,
    Family,
    Missing,
    font_files,
    has_screen,
    library_loads,
    linux_family,
    missing_libraries,
    system_packages,
    window_system,
)
from visualizer.errors import MissingLibraryError
from visualizer.resources import child_program, resource_root

__all__ = [
    "Missing",
    "check_window",
    "has_screen",
    "install_command",
    "missing_font",
    "missing_libraries",
    "missing_packages",
    "report",
    "run",
    "window_system",
]

WINDOW_CHECK_SECONDS = 60.0
"""How long `doctor --gui` waits for its window before it reports that nothing came."""


def missing_packages() -> list[Missing]:
    """The Python packages that are absent, or installed in a version that is known not to work."""
    missing = []
    for needed in required_packages():
        version = _version(needed.name)
        if version is None or not needed.allows(version):
            state = "not installed" if version is None else f"{version} is installed"
            missing.append(Missing(str(needed), state, "python"))
    return missing


def missing_font() -> list[Missing]:
    """One entry where no font file is found: without a font Qt draws boxes in place of text."""
    if not sys.platform.startswith("linux") or font_files():
        return []
    return [Missing("a font", PURPOSES["font"], "font")]


def install_command(missing: Sequence[Missing]) -> str:
    """The command, on one line, that installs all that is missing; empty where nothing is.

    On a Linux family that we have no list for, a comment that names what has to be found instead.
    """
    commands = []
    family = linux_family()
    system = [item for item in missing if item.kind != "python"]
    python = [f'"{item.what}"' for item in missing if item.kind == "python"]
    if system and family is None:
        commands.append("# install what provides: " + ", ".join(item.what for item in system))
    elif system:
        sudo = "" if os.geteuid() == 0 else "sudo "
        packages = " ".join(dict.fromkeys(_package_of(item, family or "debian") for item in system))
        if family == "fedora":
            commands.append(f"{sudo}dnf install -y {packages}")
        else:
            commands.append(f"{sudo}apt-get update && {sudo}apt-get install -y {packages}")
    if python:
        commands.insert(0, f'"{sys.executable}" -m pip install {" ".join(python)}')
    return " && ".join(commands)


def report() -> str:
    """What is installed, what is missing and how to install it: text of several lines, for reading."""
    lines = [f"{name:<11}{state}" for name, state in _states()]
    missing = _missing()
    lines.append("")
    if not missing:
        lines.append("Nothing that the program needs is missing.")
        return "\n".join(lines)
    lines += [f"missing: {item.what} ({item.needed_for})" for item in missing]
    lines += ["", "This installs it:", f"    {install_command(missing)}"]
    return "\n".join(lines)


def run(gui: bool = False) -> int:
    """Prints the report and, with `gui`, opens the window for a moment in another process.

    Returns the exit code: 0 where nothing needed is missing and the window opened, 1 otherwise.
    """
    print(report(), flush=True)
    if not gui:
        return 1 if _missing() else 0
    opened, message = check_window()
    print(f"\nwindow     {message}")
    return 1 if _missing() or not opened else 0


def check_window() -> tuple[bool, str]:
    """Opens the real window for a moment in another process; whether it showed, and what to tell the user."""
    system = window_system()
    if system is None:
        return False, f"not opened: {_screen_state()}"
    if missing := missing_libraries(for_window=True):
        return False, f"not opened: {', '.join(item.what for item in missing)} missing"
    environment = dict(os.environ)
    if system == "wayland":
        environment.setdefault("QT_QPA_PLATFORM", "wayland")
    with tempfile.TemporaryDirectory() as settings:
        # The user's remembered window geometry is not to change because of a check.
        environment["XDG_CONFIG_HOME"] = settings
        command = child_program("visualizer.ui.window.check", settings)
        try:
            done = subprocess.run(
                command,
                env=environment,
                capture_output=True,
                text=True,
                timeout=WINDOW_CHECK_SECONDS,
                check=False,
            )
        except subprocess.TimeoutExpired:
            return False, f"did not open within {WINDOW_CHECK_SECONDS:.0f} s"
    if done.returncode == 0:
        return True, done.stdout.strip()
    end = f"signal {-done.returncode}" if done.returncode < 0 else f"exit code {done.returncode}"
    said = (done.stderr.strip() or done.stdout.strip()).splitlines()
    return False, f"did not open ({end}): {said[-1] if said else 'no message'}"


def _missing() -> list[Missing]:
    """All that is missing for what can be done here: without a screen, a window needs no library."""
    return [*missing_packages(), *missing_libraries(for_window=has_screen()), *missing_font()]


def _states() -> list[tuple[str, str]]:
    """The lines of the report: a name and its state."""
    fonts = font_files()
    return [
        ("visualizer", f"{_version(DISTRIBUTION) or 'not installed, run from a checkout'}"),
        ("Python", f"{platform.python_version()} at {sys.executable}"),
        ("NumPy", f"{_version('numpy') or 'not installed'}, BLAS {_blas()}"),
        ("PySide6", _version("PySide6-Essentials") or "not installed"),
        ("pyqtgraph", _version("pyqtgraph") or "not installed"),
        ("data", _data_state()),
        ("system", platform.platform()),
        ("libraries", _library_state()),
        ("fonts", f"{len(fonts)} files" if sys.platform.startswith("linux") else "the system's"),
        ("screen", _screen_state()),
    ]


def _data_state() -> str:
    try:
        root = resource_root()
    except MissingLibraryError as error:
        return str(error)
    return f"{sum(path.is_file() for path in root.rglob('*'))} files in {root}"


def _library_state() -> str:
    if not sys.platform.startswith("linux"):
        return "those that come with PySide6"
    purposes = ("qt", "x11", "wayland")
    parts = []
    for purpose in purposes:
        lines = [line for line in system_packages(linux_family() or "debian") if line.purpose == purpose]
        found = sum(library_loads(line.soname) for line in lines)
        parts.append(f"{found} of {len(lines)} for {PURPOSES[purpose].split(',')[0]}")
    return ", ".join(parts)


def _screen_state() -> str:
    system = window_system()
    if system == "native":
        return "the system's"
    named = [f"{name}={os.environ[name]}" for name in ("DISPLAY", "WAYLAND_DISPLAY") if os.environ.get(name)]
    if system is not None:
        return f"{system} ({', '.join(named)})"
    if named:
        return f"none: {', '.join(named)} does not answer"
    return "none: neither DISPLAY nor WAYLAND_DISPLAY is set"


def _blas() -> str:
    try:
        import numpy as np
    except ImportError:
        return "unknown"
    blas = np.show_config(mode="dicts")["Build Dependencies"]["blas"]
    return f"{blas['name']} {blas['version']}"


def _version(distribution: str) -> str | None:
    try:
        return importlib.metadata.version(distribution)
    except importlib.metadata.PackageNotFoundError:
        return None


def _package_of(item: Missing, family: Family) -> str:
    lines = system_packages(family)
    if item.kind == "font":
        return next(line.package for line in lines if line.purpose == "font")
    return next(line.package for line in lines if line.soname == item.what)
