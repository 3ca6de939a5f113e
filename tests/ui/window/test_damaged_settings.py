"""Damaged settings prevent nothing: they are set aside with a word."""

from __future__ import annotations

from pathlib import Path

import pytest
from PySide6.QtCore import QByteArray, QSettings
from pytestqt.qtbot import QtBot

from visualizer.formats import open_model
from visualizer.ui.look.theme import THEMES
from visualizer.ui.window import application
from visualizer.ui.window.application import show_window
from visualizer.ui.window.set_aside import set_aside_damage


def settings_in(path: Path) -> QSettings:
    return QSettings(str(path), QSettings.Format.IniFormat)


def started(qtbot: QtBot, monkeypatch: pytest.MonkeyPatch, path: Path) -> str:
    """What the window says when it starts with the settings of a file."""
    monkeypatch.setattr(application, "settings", lambda: settings_in(path))
    window = show_window(open_model("aab"))
    qtbot.addWidget(window)
    qtbot.waitExposed(window)
    assert window.session.result is not None
    said = window.status.currentMessage()
    window.close()
    return said


@pytest.mark.parametrize("theme", ["blue", "", "Dark", "a, b", "@ByteArray(x)", "@Invalid()", "\\x0"])
def test_a_theme_that_is_none_is_set_aside(
    qtbot: QtBot, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, theme: str
) -> None:
    path = tmp_path / "settings.ini"
    path.write_text(f"[General]\ntheme={theme}\n", encoding="utf-8")
    assert "is none of light, dark, system: the system's is used" in started(qtbot, monkeypatch, path)
    assert "theme.damaged=" in path.read_text(encoding="utf-8")
    assert started(qtbot, monkeypatch, path) == ""


@pytest.mark.parametrize("theme", THEMES)
def test_a_theme_that_is_one_stays(tmp_path: Path, theme: str) -> None:
    settings = settings_in(tmp_path / "settings.ini")
    settings.setValue("theme", theme)
    assert set_aside_damage(settings) == ""
    assert settings.value("theme") == theme


@pytest.mark.parametrize("value", ["text", 3, QByteArray(b"garbage" * 99), ["a", "b"], {"a": 1}], ids=str)
def test_a_layout_that_is_none_is_the_usual_one(
    qtbot: QtBot, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, value: object
) -> None:
    path = tmp_path / "settings.ini"
    settings = settings_in(path)
    for key in ("geometry", "layout", "views", "scales/pattern/mode", "scales/pattern/sequential"):
        settings.setValue(key, value)
    settings.sync()
    assert started(qtbot, monkeypatch, path) == ""


@pytest.mark.parametrize("damaged", [b"theme=dark\nno equals sign\n", b"[unclosed\ntheme=dark\n", b"\x00\xff[[[\n"])
def test_a_file_that_cannot_be_read_whole_is_copied_before_it_is_written(
    qtbot: QtBot, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, damaged: bytes
) -> None:
    path = tmp_path / "settings.ini"
    path.write_bytes(damaged)
    said = started(qtbot, monkeypatch, path)
    assert "could not all be read; as they were they are in 'settings.ini.damaged'" in said
    assert (tmp_path / "settings.ini.damaged").read_bytes() == damaged
