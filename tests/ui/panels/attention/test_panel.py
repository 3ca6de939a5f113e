"""The attention panel: a head that something is done to says so."""

from __future__ import annotations

import pytest
from PySide6.QtWidgets import QComboBox
from pytestqt.qtbot import QtBot

from tests.ui.finding import child, on_screen
from visualizer.engine.interventions import Intervention
from visualizer.formats import open_model
from visualizer.session.document.edits import SetInterventions, pin_baseline
from visualizer.session.session import Session
from visualizer.ui.panels.attention.panel import AttentionPanel
from visualizer.ui.widgets.title import Title


@pytest.fixture
def session() -> Session:
    """Two blocks of four heads, with one head zeroed."""
    session = Session(open_model("induction"))
    session.document.apply(pin_baseline(session.document.state))
    zeroed = Intervention("blocks.1.attn.z", "zero", (("head", 2),))
    session.document.apply(SetInterventions((zeroed,)))
    return session


def titles(panel: AttentionPanel) -> list[str]:
    """What stands above the heatmaps, without the formulas."""
    return [title.accessibleName().partition(", ")[0] for title in panel.findChildren(Title)]


def offered(panel: AttentionPanel, name: str) -> list[str]:
    """The items of a chooser."""
    box = child(panel, QComboBox, name)
    return [box.itemText(i) for i in range(box.count())]


def test_a_zeroed_head_is_marked_in_titles_and_choosers(session: Session, qtbot: QtBot) -> None:
    panel = on_screen(AttentionPanel(session), qtbot, 700, 500)
    assert offered(panel, "blockChooser") == ["0", "1 ●"]
    assert not any("●" in text for text in [*titles(panel), *offered(panel, "headChooser")])
    session.selection.choose(block=1)
    assert offered(panel, "headChooser")[1:3] == ["1", "2 ●"]
    assert not any("●" in text for text in titles(panel))
    session.selection.choose(head=2)
    assert child(panel, QComboBox, "headChooser").currentIndex() == 2
    assert titles(panel) == ["Scores ● zeroed", "Softmax weights ● zeroed", "Logits", "Next-token probabilities"]
    session.selection.choose(comparison="baseline")  # in which nothing is done
    assert not any("●" in text for text in [*titles(panel), *offered(panel, "headChooser")])
    session.selection.choose(comparison="value")
    session.document.apply(SetInterventions(()))
    assert not any("●" in text for text in [*titles(panel), *offered(panel, "headChooser")])
