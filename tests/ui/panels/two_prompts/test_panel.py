"""Two prompts side by side: typing the second, and patching its numbers into the first by dragging or by key."""

from __future__ import annotations

import numpy as np
import pytest
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtGui import QDrag, QDragEnterEvent, QDragMoveEvent, QDropEvent
from PySide6.QtWidgets import QApplication, QComboBox, QLineEdit, QToolButton
from pytestqt.qtbot import QtBot

from tests.engine.models import of_kind
from tests.ui.finding import child, words
from visualizer.engine.model import Model
from visualizer.engine.trace import Trace
from visualizer.formats import OpenedModel, open_model
from visualizer.session.document.edits import OpenModel, SetParameters, SetPrompt, pin_baseline
from visualizer.session.session import Session
from visualizer.tokenizers import CharacterTokenizer
from visualizer.ui.heatmap.widget import Heatmap
from visualizer.ui.panels.two_prompts.panel import TwoPromptsPanel
from visualizer.ui.panels.two_prompts.patch_heatmap import cell_data

PATTERN = "blocks.0.attn.pattern"


@pytest.fixture
def session() -> Session:
    """A random model of two blocks with two heads over the characters a to f."""
    kind = of_kind("gpt-2")
    model = Model(kind.config, dict(kind.parameters.items()), CharacterTokenizer(list("abcdef")))
    return Session(OpenedModel(model, "random", "random"), prompt="abcde")


@pytest.fixture
def panel(session: Session, qtbot: QtBot) -> TwoPromptsPanel:
    """The panel, shown, with a second prompt typed."""
    panel = TwoPromptsPanel(session)
    qtbot.addWidget(panel)
    panel.resize(760, 460)
    panel.show()
    qtbot.keyClicks(field(panel), "fedc")
    return panel


def field(panel: TwoPromptsPanel) -> QLineEdit:
    return child(panel, QLineEdit, "secondPromptEdit")


def click(panel: TwoPromptsPanel, qtbot: QtBot, name: str) -> None:
    button = child(panel, QToolButton, name)
    qtbot.mouseClick(button, Qt.MouseButton.LeftButton)


def choose(panel: TwoPromptsPanel, qtbot: QtBot, activation: str) -> None:
    box = child(panel, QComboBox, "twoPrompts_activation")
    box.setFocus()
    box.setCurrentIndex(box.findText(activation))
    box.activated.emit(box.currentIndex())


def center(heatmap: Heatmap, row: int, column: int) -> QPoint:
    layout = heatmap.layout_now()
    assert layout is not None
    return layout.cell_rect(row, column).center().toPoint()


def drop(panel: TwoPromptsPanel, source: tuple[int, int], on: tuple[int, int]) -> None:
    """Drag what was taken up at `source` of the second heatmap over the first and let go there."""
    data, place = cell_data(*source), center(panel.first, *on)
    how = (Qt.DropAction.CopyAction, data, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier)
    QApplication.sendEvent(panel.first, QDragEnterEvent(place, *how))
    QApplication.sendEvent(panel.first, QDragMoveEvent(place, *how))
    QApplication.sendEvent(panel.first, QDropEvent(QPointF(place), *how))


def first(session: Session) -> Trace:
    assert session.trace is not None
    return session.trace


def second(session: Session) -> Trace:
    assert session.result is not None
    assert session.result.second is not None
    return session.result.second.trace


def test_both_prompts_show_the_same_activation(panel: TwoPromptsPanel, session: Session, qtbot: QtBot) -> None:
    np.testing.assert_array_equal(panel.first.image(), first(session)[PATTERN][0])
    np.testing.assert_array_equal(panel.second.image(), second(session)[PATTERN][0])
    session.selection.choose(block=1, head=1)
    np.testing.assert_array_equal(panel.second.image(), second(session)["blocks.1.attn.pattern"][1])
    choose(panel, qtbot, "v")
    np.testing.assert_array_equal(panel.first.image(), first(session)["blocks.1.attn.v"][:, 1])
    choose(panel, qtbot, "mlp_out")
    np.testing.assert_array_equal(panel.second.image(), second(session)["blocks.1.mlp_out"])


def test_typing_is_one_step_to_undo_and_refused_text_says_why(
    panel: TwoPromptsPanel, session: Session, qtbot: QtBot
) -> None:
    assert session.document.history()[0] == ["second prompt “fedc”"]
    qtbot.keyClicks(field(panel), "x")
    assert "the second prompt is still the last one that could be read" in words(panel, "secondPromptRefusal")
    assert session.document.state.second_prompt == (5, 4, 3, 2)
    session.document.undo()
    assert field(panel).text() == ""
    assert panel.second.image().size == 0
    assert words(panel, "secondPromptRefusal") == ""


def test_an_emptied_field_means_no_second_prompt(panel: TwoPromptsPanel, session: Session) -> None:
    field(panel).clear()
    assert session.document.state.second_prompt is None
    assert panel.second.image().size == 0
    assert words(panel, "logitDifference") == ""


def test_a_row_dropped_on_another_position_lands_there(panel: TwoPromptsPanel, session: Session, qtbot: QtBot) -> None:
    choose(panel, qtbot, "resid_mid")
    taken = np.array(second(session)["blocks.0.resid_mid"][3])
    drop(panel, (3, 2), (4, 5))
    np.testing.assert_array_equal(first(session)["blocks.0.resid_mid"][4], taken)
    assert session.document.history()[0][-1] == (
        "patch position 4 of resid_mid, block 0 with that of position 3 from “fedc”"
    )
    np.testing.assert_array_equal(panel.first.image()[4], taken)
    session.document.undo()
    assert session.document.state.interventions == ()


def test_weights_over_keys_keep_their_query(panel: TwoPromptsPanel, session: Session) -> None:
    drop(panel, (2, 1), (4, 0))
    np.testing.assert_array_equal(first(session)[PATTERN][0, 2, :3], second(session)[PATTERN][0, 2, :3])
    assert len(session.document.state.interventions) == 1


def test_a_cell_and_a_head_can_be_taken_across(panel: TwoPromptsPanel, session: Session, qtbot: QtBot) -> None:
    choose(panel, qtbot, "z")
    click(panel, qtbot, "patch_cell")
    before = np.array(first(session)["blocks.0.attn.z"])
    drop(panel, (1, 3), (1, 3))
    now = first(session)["blocks.0.attn.z"]
    assert now[1, 0, 3] == second(session)["blocks.0.attn.z"][1, 0, 3]
    assert (now != before).sum() == 1
    click(panel, qtbot, "patch_head")
    click(panel, qtbot, "patchButton")
    np.testing.assert_array_equal(first(session)["blocks.0.attn.z"][:4, 0], second(session)["blocks.0.attn.z"][:, 0])
    np.testing.assert_array_equal(first(session)["blocks.0.attn.z"][4], before[4])
    assert "positions 0–3, which both have" in words(panel, "twoPromptsNote")


def test_the_keyboard_does_what_dragging_does(panel: TwoPromptsPanel, session: Session, qtbot: QtBot) -> None:
    panel.second.setFocus()
    panel.second.set_cursor(2, 1)
    qtbot.keyClick(panel.second, Qt.Key.Key_Return)
    button = child(panel, QToolButton, "patchButton")
    assert button.text() == "Patch row 2"
    panel.actions_by_name["patch"].trigger()
    np.testing.assert_array_equal(first(session)[PATTERN][0, 2, :3], second(session)[PATTERN][0, 2, :3])


def test_a_patch_without_a_choice_asks_for_one(panel: TwoPromptsPanel, session: Session, qtbot: QtBot) -> None:
    with qtbot.waitSignal(panel.message) as told:
        click(panel, qtbot, "patchButton")
    assert told.args is not None
    assert told.args[0].startswith("Choose a row")
    assert session.document.state.interventions == ()


def test_a_position_that_the_first_prompt_lacks_is_said(panel: TwoPromptsPanel, session: Session, qtbot: QtBot) -> None:
    session.document.apply(SetPrompt("ab"))
    with qtbot.waitSignal(panel.message) as told:
        drop(panel, (3, 0), (1, 0))
    assert told.args is not None
    assert "has no position 3" in told.args[0]
    assert session.document.state.interventions == ()


def test_pulling_with_the_mouse_takes_up_a_cell(
    panel: TwoPromptsPanel, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    taken: list[bytes] = []

    def execute(drag: QDrag, *_: object) -> Qt.DropAction:
        taken.append(bytes(drag.mimeData().data("application/x-heatmap-cell").data()))
        return Qt.DropAction.CopyAction

    monkeypatch.setattr(QDrag, "exec", execute)
    start = center(panel.second, 3, 1)
    qtbot.mousePress(panel.second, Qt.MouseButton.LeftButton, pos=start)
    qtbot.mouseMove(panel.second, start + QPoint(2, 0))
    assert taken == []
    qtbot.mouseMove(panel.second, start + QPoint(60, 8))
    assert taken == [b"3,1"]
    qtbot.mouseRelease(panel.second, Qt.MouseButton.LeftButton, pos=start)


def test_the_logit_difference_is_told_before_and_after(session: Session, panel: TwoPromptsPanel, qtbot: QtBot) -> None:
    plain, other = first(session).logits_at(-1), second(session).logits_at(-1)
    token, instead = int(other.argmax()), int(plain.argmax())
    assert token != instead
    choose(panel, qtbot, "resid_post")
    session.selection.choose(block=1)
    told = words(panel, "logitDifference")
    assert told.startswith(f"logit({'abcdef'[token]}) − logit({'abcdef'[instead]}) at the last position: ")
    assert "of the way" not in told
    # The last position's whole final stream: what follows is the second prompt's.
    drop(panel, (3, 0), (4, 0))
    assert words(panel, "logitDifference").endswith("in the second prompt (100 % of the way).")
    now = first(session).logits_at(-1)
    np.testing.assert_allclose(now, other, rtol=1e-9)


def test_another_model_starts_without_a_second_prompt(panel: TwoPromptsPanel, session: Session) -> None:
    session.document.apply(OpenModel(open_model("aab")))
    assert field(panel).text() == ""
    assert panel.first.image().shape == (5, 5)
    assert words(panel, "firstTop") == "First: aabaa → b 1, a 0"
    session.document.undo()
    assert field(panel).text() == "fedc"


def test_ids_are_typed_where_there_is_no_tokenizer(qtbot: QtBot) -> None:
    session = Session(OpenedModel(of_kind("llama"), "random", "random"))
    panel = TwoPromptsPanel(session)
    qtbot.addWidget(panel)
    panel.show()
    qtbot.keyClicks(field(panel), "1,2, 5")
    assert session.document.state.second_prompt == (1, 2, 5)
    qtbot.keyClicks(field(panel), ",x")
    assert "'x' is not a token id" in words(panel, "secondPromptRefusal")


def test_both_prompts_can_be_compared_with_the_baseline(panel: TwoPromptsPanel, session: Session) -> None:
    session.document.apply(pin_baseline(session.document.state))
    before = [np.array(heatmap.image()) for heatmap in (panel.first, panel.second)]
    weights = np.random.default_rng(3).normal(size=session.document.state.model.parameters["wpe"].shape)
    session.document.apply(SetParameters((("wpe", weights),), "other positions"))
    now = [np.array(heatmap.image()) for heatmap in (panel.first, panel.second)]
    session.selection.choose(comparison="baseline")
    for heatmap, was, present in zip((panel.first, panel.second), before, now, strict=True):
        np.testing.assert_array_equal(heatmap.image(), was)
        assert not np.array_equal(was, present)
    assert "those of the baseline" in words(panel, "twoPromptsNote")
    session.selection.choose(comparison="difference")
    for heatmap, was, present in zip((panel.first, panel.second), before, now, strict=True):
        np.testing.assert_array_equal(heatmap.image(), present - was)
        assert heatmap.matrix is not None
        assert heatmap.matrix.scale.kind == "diverging"
