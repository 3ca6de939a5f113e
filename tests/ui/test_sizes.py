"""The window at the sizes that it is made for: nothing is cut off, and its columns share what there is."""

from __future__ import annotations

import pytest
from PySide6.QtGui import QColor, QPalette
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QSlider, QTabBar, QToolButton
from pytestqt.qtbot import QtBot

import visualizer
from visualizer.ui.main_window import MainWindow
from visualizer.ui.panels.self_check import GREEN
from visualizer.ui.theme import DARK, LIGHT

SMALLEST, USUAL, LARGE, HUGE = (1024, 640), (1280, 720), (1440, 900), (3840, 2160)


@pytest.fixture
def window(qtbot: QtBot) -> MainWindow:
    """The window on the article's model."""
    window = visualizer.ui.open_window()
    qtbot.addWidget(window)
    qtbot.waitExposed(window)
    return window


def settle(window: MainWindow, size: tuple[int, int] | None = None) -> None:
    """Give the window a size, and let what is laid out later be laid out."""
    if size is not None:
        window.resize(*size)
    for _ in range(4):
        QApplication.processEvents()
    QTest.qWait(1)


def columns(window: MainWindow) -> tuple[int, int, int]:
    """The widths of the three columns."""
    left, middle, right = (window.docks[name].width() for name in ("weightPanel", "attentionPanel", "explainPanel"))
    return left, middle, right


@pytest.mark.parametrize("size", [SMALLEST, USUAL, LARGE])
def test_the_tab_of_every_panel_is_in_sight(window: MainWindow, size: tuple[int, int]) -> None:
    settle(window, size)
    for bar in window.findChildren(QTabBar):
        if bar.isVisible() and bar.count():
            assert sum(bar.tabRect(i).width() for i in range(bar.count())) <= bar.width(), bar.tabText(0)


def test_the_columns_are_the_same_again_after_the_window_was_smaller(window: MainWindow) -> None:
    settle(window, LARGE)
    before = columns(window)
    settle(window, SMALLEST)
    left, middle, right = columns(window)
    assert left >= 260
    assert middle >= 480
    assert right >= 245
    settle(window, LARGE)
    assert columns(window) == before


def test_on_a_huge_screen_the_middle_gains_the_most(window: MainWindow) -> None:
    settle(window, HUGE)
    left, middle, right = columns(window)
    assert middle > 1.5 * (left + right)


def test_the_timeline_makes_room_for_its_details_and_gives_it_back(window: MainWindow) -> None:
    settle(window, SMALLEST)
    timeline = window.docks["timelinePanel"].panel
    before = timeline.height()
    button = window.findChild(QToolButton, "timelineDetails")
    assert button is not None
    button.click()
    settle(window)
    layout = timeline.layout()
    assert layout is not None
    assert timeline.height() >= layout.totalMinimumSize().height()
    button.click()
    settle(window)
    assert timeline.height() == before


def test_every_colour_follows_the_theme_at_once(window: MainWindow, qtbot: QtBot) -> None:
    badge = window.findChild(QToolButton, "selfCheckButton")
    slider = window.findChild(QSlider, "timelineSlider")
    assert badge is not None
    assert slider is not None
    qtbot.waitUntil(lambda: badge.text().startswith("✓"))
    role = QPalette.ColorRole
    for choice, theme in (("dark", DARK), ("light", LIGHT), ("dark", DARK)):
        window.choose_theme(choice)
        assert badge.palette().color(role.ButtonText) == QColor(GREEN[theme.dark])
        assert slider.palette().color(role.Highlight) == QColor(theme.muted_text)
    window.choose_theme("light")
