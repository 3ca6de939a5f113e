"""The strip over a panel: what is not plain about what it shows, and the way back."""

from __future__ import annotations

import pytest
from PySide6.QtWidgets import QToolButton
from pytestqt.qtbot import QtBot

import visualizer
from tests.ui.finding import child
from visualizer.engine.interventions import Intervention
from visualizer.session.document.edits import SetInterventions, pin_baseline
from visualizer.ui.bridge.remarks import Remark, RemarkStrip, part_remark
from visualizer.ui.heatmap.widget import Heatmap
from visualizer.ui.window.main_window import MainWindow


@pytest.fixture
def window(qtbot: QtBot) -> MainWindow:
    window = visualizer.ui.open_window("aab")
    qtbot.addWidget(window)
    qtbot.waitUntil(lambda: window.session.result is not None)
    return window


def strip(window: MainWindow, panel: str) -> RemarkStrip:
    return child(window.docks[panel], RemarkStrip, "remarkStrip")


def press(strip: RemarkStrip, words: str) -> None:
    next(button for button in strip.findChildren(QToolButton) if words in button.text()).click()


def test_nothing_is_said_while_everything_is_plain(window: MainWindow) -> None:
    assert strip(window, "attentionPanel").isHidden()


def test_a_difference_and_an_intervention_are_said_in_every_panel_and_taken_back(
    window: MainWindow, qtbot: QtBot
) -> None:
    document, selection = window.session.document, window.session.selection
    document.apply(pin_baseline(document.state))
    selection.choose(comparison="difference")
    document.apply(SetInterventions((Intervention("blocks.0.attn.z", "zero", ()),), "zero"))
    for panel in ("attentionPanel", "nextTokenPanel", "explainPanel"):
        seen = strip(window, panel)
        qtbot.waitUntil(lambda seen=seen: seen.words == ["difference from baseline", "1 intervention"])  # type: ignore[misc]
        assert seen.isVisible()
    press(strip(window, "attentionPanel"), "difference")
    assert selection.now.comparison == "value"
    press(strip(window, "nextTokenPanel"), "intervention")
    assert not document.state.interventions[0].enabled
    assert strip(window, "attentionPanel").isHidden()
    document.undo()
    assert document.state.interventions[0].enabled


def test_a_zoom_is_said_and_undone(window: MainWindow) -> None:
    scores = child(window, Heatmap, "scoresHeatmap")
    scores.zoom_by(2.0)
    assert strip(window, "attentionPanel").words == ["zoomed 2×"]
    press(strip(window, "attentionPanel"), "zoomed")
    assert scores.zoomed == 1
    assert child(window, Heatmap, "patternHeatmap").zoomed == 1
    assert strip(window, "attentionPanel").isHidden()


def test_a_panel_behind_others_says_it_when_it_comes_to_the_front(window: MainWindow, qtbot: QtBot) -> None:
    document = window.session.document
    window.docks["lensPanel"].build()
    document.apply(SetInterventions((Intervention("blocks.0.attn.z", "zero", ()),), "zero"))
    window.docks["lensPanel"].reveal()
    qtbot.waitUntil(lambda: strip(window, "lensPanel").words == ["1 intervention"])


def test_a_part_is_said_only_where_there_is_more(qtbot: QtBot) -> None:
    assert part_remark(3, 3, "heads") == []
    assert part_remark(3, 144, "heads") == [Remark("showing 3 of 144 heads")]
