"""The window at the sizes that it is made for: nothing is cut off, and its columns share what there is."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress
from itertools import zip_longest
from unittest.mock import Mock

import pytest
from PySide6.QtCore import QSettings, QSize, Qt
from PySide6.QtGui import QAction, QColor, QPalette
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QSlider, QTabBar, QToolButton
from pytestqt.qtbot import QtBot

import visualizer
from tests.ui.cut_off import cut_off
from tests.ui.finding import child
from visualizer.formats import open_model
from visualizer.session.document.edits import SetCells, SetSecondPrompt
from visualizer.session.selection import CellRef
from visualizer.ui.look.theme import DARK, LIGHT
from visualizer.ui.panels.flip.panel import FlipPanel
from visualizer.ui.panels.self_check.panel import GREEN
from visualizer.ui.window.arrangement import PLACES, first_size
from visualizer.ui.window.main_window import MainWindow

SMALLEST, USUAL, LARGE, HUGE = (1024, 640), (1280, 720), (1440, 900), (3840, 2160)
#: What 1280×720 pixels are at a scale factor of 1.5.
SCALED = (853, 480)


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


def with_data(window: MainWindow) -> None:
    """Fill every panel: a baseline and an edit, a second prompt, a search, gradients, a number that is explained."""
    session = window.session
    window.build_all()
    pin = child(window, QAction, "pinBaselineAction")
    pin.trigger()
    session.document.apply(SetCells("blocks.0.attn.c_attn.w", (1, 2), -1.0))
    session.document.apply(SetSecondPrompt(session.document.state.prompt[::-1], None))
    session.go_to_step(3)
    session.wait()
    settle(window)


def show(qtbot: QtBot, window: MainWindow, panels: Iterable[str], cell: CellRef) -> None:
    """Bring these panels to the front with a cell chosen, and wait for what they work out."""
    for name in panels:
        window.docks[name].reveal()
    window.session.selection.choose(cell=cell, row=cell.cell[1] if cell.kind == "activation" else None)
    if "flipPanel" in panels:
        flip = window.docks["flipPanel"].panel
        assert isinstance(flip, FlipPanel)
        flip.find_button.click()
        qtbot.waitUntil(lambda: not flip.find_button.isEnabled() or flip.flip is not None)
    window.session.wait()
    badge = child(window, QToolButton, "selfCheckButton")
    qtbot.waitUntil(lambda: badge.text().startswith("✓"))
    settle(window)


@pytest.mark.parametrize("size", [SMALLEST, USUAL])
@pytest.mark.parametrize("model", ["aab", "induction"])
def test_no_word_is_cut_off_in_any_panel(qtbot: QtBot, model: str, size: tuple[int, int]) -> None:
    window = visualizer.ui.open_window(model)
    qtbot.addWidget(window)
    settle(window, size)
    with_data(window)
    weight = CellRef("parameter", "blocks.0.attn.c_attn.w", (1, 2))
    number = CellRef("activation", "blocks.0.attn.pattern", (0, 3, 1))
    shown = zip_longest(*PLACES.values())  # one panel of each place at a time
    for panels in shown:
        for cell in (weight, number):
            there = [name for name in panels if name is not None]
            show(qtbot, window, there, cell)
            with suppress(qtbot.TimeoutError):  # a panel is laid out anew a moment after its dock
                qtbot.waitUntil(lambda: not cut_off(window), timeout=1000)
            assert cut_off(window) == [], there


def test_a_panel_with_less_room_than_it_needs_is_scrolled_and_never_squeezed(window: MainWindow) -> None:
    settle(window, SCALED)
    assert (window.width(), window.height()) == SCALED
    with_data(window)
    for dock in window.docks.values():
        dock.reveal()
        settle(window)
        layout = dock.panel.layout()
        assert layout is not None
        tall = layout.hasHeightForWidth()
        least = layout.minimumHeightForWidth(dock.panel.width()) if tall else layout.totalMinimumSize().height()
        assert dock.panel.width() >= layout.totalMinimumSize().width(), dock.panel_name
        assert dock.panel.height() >= least, dock.panel_name


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


@pytest.mark.parametrize(
    ("screen", "size"),
    [((3840, 2160), (2304, 1296)), ((1920, 1080), (1280, 720)), ((1024, 768), (1016, 720)), ((800, 600), (792, 560))],
)
def test_the_first_window_suits_its_screen(screen: tuple[int, int], size: tuple[int, int]) -> None:
    window = Mock()
    window.screen().availableSize.return_value = QSize(*screen)
    assert first_size(window) == QSize(*size)


def test_on_a_huge_screen_the_middle_gains_the_most(window: MainWindow) -> None:
    settle(window, HUGE)
    left, middle, right = columns(window)
    assert middle > 1.5 * (left + right)


def test_the_narrowest_left_column_shows_every_button_of_the_weights(window: MainWindow) -> None:
    weights = window.docks["weightPanel"]
    assert weights.panel.minimumSizeHint().width() <= weights.least[0]


def test_the_timeline_makes_room_for_its_details_and_gives_it_back(window: MainWindow) -> None:
    settle(window, SMALLEST)
    timeline = window.docks["timelinePanel"].panel
    before = timeline.height()
    button = child(window, QToolButton, "timelineDetails")
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


@pytest.mark.parametrize("by_hand", [True, False])
def test_a_maximised_window_has_the_same_columns_at_every_start(by_hand: bool, qtbot: QtBot) -> None:
    """It is laid out at its plain size first, and maximised by the window manager afterwards."""
    shares = []
    for number in range(4):
        window = MainWindow(open_model("aab"), QSettings())
        qtbot.addWidget(window)
        window.resize(*SMALLEST)
        window.show()
        settle(window)
        if by_hand and number == 0:
            window.resizeDocks([window.docks["weightPanel"]], [330], Qt.Orientation.Horizontal)
            settle(window)
            window.arrangement.note()  # as after an edge was dragged
        settle(window, LARGE)
        shares.append(round(columns(window)[0] / window.width(), 2))
        window.close()
    assert len(set(shares)) == 1, shares
