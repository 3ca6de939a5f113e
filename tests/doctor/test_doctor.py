"""`doctor` tells what is missing, and its command installs just that; nothing here loads Qt on purpose."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from visualizer import doctor
from visualizer.doctor import Missing, install_command, missing_libraries, report, run, system
from visualizer.resources import resource

ROOT = Path(__file__).resolve().parents[2]

pytestmark = pytest.mark.skipif(
    not sys.platform.startswith("linux"), reason="system libraries are probed on Linux alone"
)


@pytest.fixture
def no_screen(monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine without a display."""
    for name in ("DISPLAY", "WAYLAND_DISPLAY", "XDG_SESSION_TYPE"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def on_debian(monkeypatch: pytest.MonkeyPatch) -> None:
    """A Debian machine on which root asks."""
    monkeypatch.setattr("platform.freedesktop_os_release", lambda: {"ID": "linuxmint", "ID_LIKE": "ubuntu debian"})
    monkeypatch.setattr(os, "geteuid", lambda: 0)


def lacking(monkeypatch: pytest.MonkeyPatch, *sonames: str) -> None:
    """Lets the loader find every library but these."""
    for module in (doctor, system):
        monkeypatch.setattr(module, "library_loads", lambda soname: soname not in sonames)


def test_the_loader_is_really_asked() -> None:
    assert system.library_loads("libc.so.6")
    assert not system.library_loads("libno-such-library.so.7")


def test_a_missing_library_is_named_with_what_needs_it(monkeypatch: pytest.MonkeyPatch, no_screen: None) -> None:
    lacking(monkeypatch, "libEGL.so.1", "libxcb-cursor.so.0")
    assert [item.what for item in missing_libraries(for_window=False)] == ["libEGL.so.1"]
    assert [item.what for item in missing_libraries(for_window=True)] == ["libEGL.so.1", "libxcb-cursor.so.0"]
    assert missing_libraries(for_window=True)[1].needed_for == "a window on X11"


def test_the_command_installs_the_missing_packages_alone(on_debian: None) -> None:
    missing = [
        Missing("libEGL.so.1", "", "library"),
        Missing("libxcb-icccm.so.4", "", "library"),
        Missing("a font", "", "font"),
    ]
    assert install_command(missing) == ("apt-get update && apt-get install -y libegl1 libxcb-icccm4 fonts-dejavu-core")
    assert install_command([]) == ""


def test_the_command_asks_for_root_where_the_user_is_not(on_debian: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    command = install_command([Missing("libEGL.so.1", "", "library")])
    assert command == "sudo apt-get update && sudo apt-get install -y libegl1"


def test_fedora_gets_its_own_command_and_each_package_once(on_debian: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("platform.freedesktop_os_release", lambda: {"ID": "fedora"})
    missing = [Missing("libxcb-shm.so.0", "", "library"), Missing("libxcb-sync.so.1", "", "library")]
    assert install_command(missing) == "dnf install -y libxcb"


def test_an_unknown_system_is_told_what_to_look_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("platform.freedesktop_os_release", lambda: {"ID": "plan9"})
    assert install_command([Missing("libEGL.so.1", "", "library")]) == "# install what provides: libEGL.so.1"


def test_a_version_out_of_range_is_reported_with_pip_and_the_range(monkeypatch: pytest.MonkeyPatch) -> None:
    versions = {"numpy": "2.4.6", "threadpoolctl": "3.6.0", "PySide6-Essentials": "6.12.0", "pyqtgraph": None}
    monkeypatch.setattr(doctor, "_version", versions.get)
    missing = doctor.missing_packages()
    assert [(item.what, item.needed_for) for item in missing] == [
        ("PySide6-Essentials>=6.10.2,<6.11", "6.12.0 is installed"),
        ("pyqtgraph>=0.14,<0.15", "not installed"),
    ]
    assert install_command(missing) == (
        f'"{sys.executable}" -m pip install "PySide6-Essentials>=6.10.2,<6.11" "pyqtgraph>=0.14,<0.15"'
    )


def test_the_exit_code_and_the_report_tell_of_a_missing_library(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], no_screen: None, on_debian: None
) -> None:
    lacking(monkeypatch, "libdbus-1.so.3")
    assert run() == 1
    printed = capsys.readouterr().out
    assert "missing: libdbus-1.so.3 (drawing anything, with or without a screen)" in printed
    assert "    apt-get update && apt-get install -y libdbus-1-3" in printed


def test_the_exit_code_is_0_where_nothing_is_missing(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], no_screen: None
) -> None:
    lacking(monkeypatch)
    monkeypatch.setattr(doctor, "missing_font", list)
    assert run() == 0
    assert capsys.readouterr().out.endswith("Nothing that the program needs is missing.\n")


def test_a_missing_font_is_reported(monkeypatch: pytest.MonkeyPatch, no_screen: None) -> None:
    monkeypatch.setattr(doctor, "font_files", list)
    assert "missing: a font (text in the window and in rendered pictures)" in report()


def test_without_a_display_there_is_no_screen(no_screen: None) -> None:
    assert not doctor.has_screen()
    assert "neither DISPLAY nor WAYLAND_DISPLAY is set" in report()


@pytest.mark.parametrize(("variable", "value"), [("DISPLAY", ":8907"), ("WAYLAND_DISPLAY", "wayland-no-such")])
def test_a_display_that_does_not_answer_is_no_screen(
    variable: str, value: str, no_screen: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(variable, value)
    assert not doctor.has_screen()
    assert f"none: {variable}={value} does not answer" in report()


@pytest.mark.parametrize(
    ("environment", "answering", "expected"),
    [
        ({"DISPLAY": ":0"}, {"x11"}, "x11"),
        (
            {"DISPLAY": ":0", "WAYLAND_DISPLAY": "w", "XDG_SESSION_TYPE": "wayland"},
            {"x11", "wayland"},
            "wayland",
        ),
        ({"DISPLAY": ":0", "WAYLAND_DISPLAY": "w", "XDG_SESSION_TYPE": "x11"}, {"x11", "wayland"}, "x11"),
        ({"DISPLAY": ":0", "WAYLAND_DISPLAY": "w", "XDG_SESSION_TYPE": "wayland"}, {"x11"}, "x11"),
        ({"WAYLAND_DISPLAY": "w"}, {"wayland"}, "wayland"),
        ({"DISPLAY": ":0"}, set(), None),
    ],
)
def test_the_window_system_is_the_one_that_answers(
    environment: dict[str, str],
    answering: set[str],
    expected: str | None,
    no_screen: None,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(system, "_answers", lambda display, *_: {":0": "x11", "w": "wayland"}[display] in answering)
    assert system.window_system() == expected


def test_the_window_check_says_why_it_opened_nothing(no_screen: None) -> None:
    assert doctor.check_window() == (
        False,
        "not opened: none: neither DISPLAY nor WAYLAND_DISPLAY is set",
    )


def test_the_window_check_survives_an_abort(monkeypatch: pytest.MonkeyPatch) -> None:
    abort = [
        sys.executable,
        "-c",
        "import os, sys; print('no plugin', file=sys.stderr, flush=True); os.abort()",
    ]
    really_run = subprocess.run
    monkeypatch.setattr(doctor, "window_system", lambda: "x11")
    monkeypatch.setattr(doctor, "missing_libraries", lambda for_window: [])
    monkeypatch.setattr(subprocess, "run", lambda _, **options: really_run(abort, **options))
    assert doctor.check_window() == (False, "did not open (signal 6): no plugin")


@pytest.mark.parametrize("family", ["debian", "fedora"])
def test_the_lists_of_packages_are_well_formed(family: system.Family) -> None:
    lines = system.system_packages(family)
    sonames = [line.soname for line in lines if line.soname != "-"]
    assert len(sonames) == len(set(sonames))
    assert all(re.fullmatch(r"lib[\w.+-]+\.so\.\d+", soname) for soname in sonames)
    assert {line.purpose for line in lines} - {"setup"} == set(system.PURPOSES)


def test_both_families_know_the_same_libraries() -> None:
    debian, fedora = (
        {(line.soname, line.purpose) for line in system.system_packages(family) if line.purpose != "setup"}
        for family in ("debian", "fedora")
    )
    assert debian == fedora


def test_the_readme_installs_from_the_list_that_the_doctor_reads() -> None:
    path = resource("system-packages/debian.txt").relative_to(ROOT).as_posix()
    commands = re.findall(r"```sh\n(.*?)```", (ROOT / "README.md").read_text(encoding="utf-8"), re.DOTALL)
    installing = [command for command in commands if "apt-get install" in command]
    assert len(installing) == 2
    assert all(f"$(cut -d' ' -f1 {path})" in command for command in installing)
