"""The window without a mouse: Tab reaches everything in the order of the screen, is seen where it is, and gets out."""

from __future__ import annotations

import pytest
from PySide6.QtCore import QRect, Qt
from PySide6.QtWidgets import QApplication, QGridLayout, QLineEdit, QTabBar, QTextBrowser, QWidget
from pytestqt.qtbot import QtBot

import visualizer
from tests.ui.finding import child
from visualizer.resources import resource
from visualizer.ui.look.theme import DARK, LIGHT, Theme, apply_theme, current_theme
from visualizer.ui.widgets.focus_order import stops
from visualizer.ui.widgets.focus_ring import FocusRing
from visualizer.ui.window.catalog import PANELS
from visualizer.ui.window.guide_pages import PAGES
from visualizer.ui.window.main_window import MainWindow

TAB, BACK = Qt.Key.Key_Tab, Qt.Key.Key_Backtab


@pytest.fixture
def window(qtbot: QtBot) -> MainWindow:
    window = visualizer.ui.open_window()
    qtbot.addWidget(window)
    qtbot.waitExposed(window)
    window.resize(1440, 900)
    window.activateWindow()
    window.session.wait()
    return window


def focused() -> QWidget:
    """The widget that has the keyboard."""
    widget = QApplication.focusWidget()
    assert widget is not None
    return widget


def show(window: MainWindow, name: str) -> QWidget:
    """Bring a panel to the front."""
    window.docks[name].reveal()
    QApplication.processEvents()
    return window.docks[name].panel


def reachable(panel: QWidget) -> list[QWidget]:
    return [stop for stop in stops(panel) if stop.isVisible() and stop.isEnabled()]


@pytest.mark.parametrize("name", PANELS)
def test_tab_goes_through_a_panel_in_reading_order_and_leaves_it(window: MainWindow, qtbot: QtBot, name: str) -> None:
    panel = show(window, name)
    wanted = reachable(panel)
    if not wanted:
        pytest.skip("nothing to reach while the panel is empty")
    wanted[0].setFocus(Qt.FocusReason.TabFocusReason)
    for stop in wanted:
        assert focused() is stop or focused().focusProxy() is stop
        qtbot.keyClick(focused(), TAB)
    assert not panel.isAncestorOf(focused()), "Tab does not leave the panel"
    qtbot.keyClick(focused(), BACK, Qt.KeyboardModifier.ShiftModifier)
    assert focused() is wanted[-1]
    lines = [stop.mapTo(panel, stop.rect().topLeft()) for stop in wanted]
    bottoms = [stop.mapTo(panel, stop.rect().bottomLeft()) for stop in wanted]
    for i in range(1, len(lines)):
        beside = lines[i].x() > lines[i - 1].x()
        assert beside or bottoms[i].y() >= lines[i - 1].y(), (wanted[i - 1].objectName(), wanted[i].objectName())


def ring_place(stop: QWidget) -> QRect:
    """Where the ring lies: around the widget, or around the chosen one of a row of tabs."""
    return stop.tabRect(stop.currentIndex()) if isinstance(stop, QTabBar) else stop.rect()


@pytest.mark.parametrize("theme", [LIGHT, DARK], ids=lambda theme: theme.name)
def test_whatever_has_the_keyboard_wears_a_ring(
    window: MainWindow, qapp: QApplication, qtbot: QtBot, theme: Theme
) -> None:
    before = current_theme()
    apply_theme(qapp, theme)
    try:
        window.prompt_bar.model_chooser.setFocus()
        qtbot.keyClick(focused(), BACK, Qt.KeyboardModifier.ShiftModifier)
        seen = {}
        while focused() not in seen:
            stop = focused()
            assert [ring.parentWidget() for ring in window.findChildren(FocusRing) if ring.isVisible()] == [stop]
            picture = stop.grab(ring_place(stop)).toImage()
            edge = [picture.pixelColor(x, 0).name() for x in range(picture.width())]
            seen[stop] = set(edge) == {current_theme().text}
            qtbot.keyClick(stop, TAB)
        assert len(seen) > 25
        assert all(seen.values()), [stop.objectName() for stop, ringed in seen.items() if not ringed]
    finally:
        apply_theme(qapp, before)


def test_a_click_needs_no_ring(window: MainWindow, qtbot: QtBot) -> None:
    qtbot.keyClick(focused(), TAB)
    assert len([ring for ring in window.findChildren(FocusRing) if ring.isVisible()]) == 1
    qtbot.mouseClick(window.token_strip, Qt.MouseButton.LeftButton)
    assert focused() is window.token_strip
    assert not [ring for ring in window.findChildren(FocusRing) if ring.isVisible()]


@pytest.mark.parametrize("name", PANELS)
def test_f1_opens_the_page_of_every_panel_and_esc_returns_to_it(window: MainWindow, qtbot: QtBot, name: str) -> None:
    panel = show(window, name)
    here = next(iter(reachable(panel)), panel)
    here.setFocus(Qt.FocusReason.TabFocusReason)
    qtbot.keyClick(focused(), Qt.Key.Key_F1)
    browser = QApplication.activeWindow().findChild(QTextBrowser, "guideBrowser")  # type: ignore[union-attr]
    assert browser is not None
    qtbot.waitUntil(browser.hasFocus)
    assert browser.source().fileName() == f"{PAGES[name]}.md"
    heading = resource(f"guide/{PAGES[name]}.md").read_text(encoding="utf-8").splitlines()[0].lstrip("# ")
    assert browser.toPlainText().startswith(heading)
    qtbot.keyClick(browser, TAB)  # the first link
    qtbot.keyClick(browser, Qt.Key.Key_Return)
    assert browser.source().fileName() != f"{PAGES[name]}.md", "no link, or one that leads nowhere"
    qtbot.keyClick(browser, Qt.Key.Key_Left, Qt.KeyboardModifier.AltModifier)
    assert browser.source().fileName() == f"{PAGES[name]}.md"
    qtbot.keyClick(browser, Qt.Key.Key_Escape)
    assert not browser.isVisible()
    window.activateWindow()
    qtbot.waitUntil(lambda: QApplication.focusWidget() is here)


def test_f1_on_a_row_of_tabs_tells_of_the_tab_that_is_chosen(window: MainWindow, qtbot: QtBot) -> None:
    tabs = next(bar for bar in window.findChildren(QTabBar) if "Flow" in [bar.tabText(i) for i in range(bar.count())])
    tabs.setFocus(Qt.FocusReason.TabFocusReason)
    qtbot.keyClick(tabs, Qt.Key.Key_Right)
    assert tabs.tabText(tabs.currentIndex()) == "Flow"
    qtbot.keyClick(tabs, Qt.Key.Key_F1)
    guide = QApplication.activeWindow()
    assert guide is not None
    browser = child(guide, QTextBrowser, "guideBrowser")
    assert browser.source().fileName() == "flow.md"
    guide.close()


def test_a_grid_is_walked_line_by_line_however_it_was_filled(qtbot: QtBot) -> None:
    form = QWidget()
    qtbot.addWidget(form)
    grid, fields = QGridLayout(form), [QLineEdit(form) for _ in range(4)]
    for place in (3, 1, 2, 0):
        grid.addWidget(fields[place], place // 2, place % 2)
    assert stops(form) == fields
