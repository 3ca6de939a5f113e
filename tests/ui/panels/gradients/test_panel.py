"""The gradients panel, by clicks and keys."""

from __future__ import annotations

import numpy as np
import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtWidgets import QCheckBox, QComboBox, QLabel, QLineEdit, QPushButton, QSpinBox, QTreeWidget
from pytestqt.qtbot import QtBot

from tests.engine.models import of_kind
from tests.ui.finding import child, on_screen
from visualizer.formats import OpenedModel, open_model
from visualizer.session.document.edits import OpenModel, SetCells, SetPrompt
from visualizer.session.selection import CellRef
from visualizer.session.session import Session
from visualizer.ui.heatmap.widget import Heatmap
from visualizer.ui.look.theme import current_theme, theme_notifier
from visualizer.ui.panels.gradients import panel as panel_module
from visualizer.ui.panels.gradients.panel import GradientsPanel

C_ATTN = "blocks.0.attn.c_attn.w"


@pytest.fixture
def session() -> Session:
    """The article's model with the value of `a` silenced: it writes a forever."""
    session = Session(open_model("aab"))
    session.document.apply(SetCells(C_ATTN, (5, 23), 0.0))
    return session


@pytest.fixture
def panel(session: Session, qtbot: QtBot) -> GradientsPanel:
    """The panel, shown."""
    return shown_panel(session, qtbot)


def shown_panel(session: Session, qtbot: QtBot) -> GradientsPanel:
    """A panel on screen."""
    return on_screen(GradientsPanel(session), qtbot, 640, 480)


def click(panel: GradientsPanel, qtbot: QtBot, name: str) -> None:
    """Press a button."""
    qtbot.mouseClick(child(panel, QPushButton, name), Qt.MouseButton.LeftButton)


def said(panel: GradientsPanel, name: str = "gradientSaid") -> str:
    """What it says."""
    return child(panel, QLabel, name).text()


def choose(panel: GradientsPanel, name: str, text: str) -> None:
    """Pick an item of a box, as the user does."""
    box = child(panel, QComboBox, name)
    at = box.findText(text)
    assert at >= 0, text
    box.setCurrentIndex(at)
    box.activated.emit(at)


def choose_parameter(panel: GradientsPanel, name: str) -> None:
    """Click a parameter in the list."""
    tree = child(panel, QTreeWidget, "gradientParameters")
    tree.setCurrentItem(tree.findItems(name, Qt.MatchFlag.MatchExactly)[0])


def test_the_pattern_says_what_is_wanted_first(panel: GradientsPanel) -> None:
    assert child(panel, QComboBox, "gradientTarget").currentText() == "b"
    assert said(panel, "gradientLoss").startswith("loss 1025 nats")
    assert "trails by 1025" in said(panel)


def test_the_gradient_of_the_chosen_parameter_is_shown(panel: GradientsPanel, session: Session) -> None:
    shown = child(panel, Heatmap, "gradientWeights").image()
    _, gradients = session.document.state.model.gradients("aabaa", "b")
    np.testing.assert_array_equal(shown, gradients[C_ATTN])
    choose_parameter(panel, "blocks.0.attn.c_proj.b")
    assert session.selection.now.parameter == "blocks.0.attn.c_proj.b"
    np.testing.assert_array_equal(
        child(panel, Heatmap, "gradientWeights").image(), gradients["blocks.0.attn.c_proj.b"][None]
    )


def test_what_is_chosen_while_nobody_looks_is_shown_later(panel: GradientsPanel, session: Session) -> None:
    _, gradients = session.document.state.model.gradients("aabaa", "b")
    panel.hide()
    session.selection.choose(parameter="blocks.0.attn.c_proj.w")
    panel.show()
    np.testing.assert_array_equal(child(panel, Heatmap, "gradientWeights").image(), gradients["blocks.0.attn.c_proj.w"])


def test_the_gradient_of_an_activation_follows_the_choice(panel: GradientsPanel, session: Session) -> None:
    model = session.document.state.model
    expected = model.loss_gradients("aabaa", "b", ["logits", "blocks.0.attn.pattern"]).activations
    shown = child(panel, Heatmap, "gradientActivations")
    np.testing.assert_array_equal(shown.image(), expected["blocks.0.attn.pattern"][0])
    choose(panel, "gradientActivation", "logits")
    np.testing.assert_array_equal(shown.image(), expected["logits"])


def test_one_step_is_one_undoable_edit(panel: GradientsPanel, session: Session, qtbot: QtBot) -> None:
    before = session.document.state.model.parameters
    click(panel, qtbot, "gradientStep")
    assert session.document.history()[0][-1] == "Adam step on 'b', lr 0.1"
    assert session.result is not None
    assert session.result.generated[0] == 1
    session.document.undo()
    now = session.document.state.model.parameters
    assert all(np.array_equal(now[name], before[name]) for name in before)
    assert said(panel, "gradientLoss").startswith("loss 1025 nats")


def test_a_broken_model_is_repaired_by_clicks(panel: GradientsPanel, session: Session, qtbot: QtBot) -> None:
    choose(panel, "gradientScope", "Everywhere in (aab)*")
    assert said(panel).startswith("4 of 6 next tokens are right.")
    click(panel, qtbot, "gradientSteps")
    assert said(panel).startswith("6 of 6 next tokens are right.")
    assert session.result is not None
    assert session.result.accuracy is not None
    assert session.result.accuracy.fraction == 1
    assert session.document.history()[0][-1] == "10 Adam steps on (aab)*, lr 0.1"
    click(panel, qtbot, "gradientStep")
    assert "exactly 0" in said(panel)


def test_only_the_chosen_parameter_changes_where_that_is_ticked(
    panel: GradientsPanel, session: Session, qtbot: QtBot
) -> None:
    before = session.document.state.model.parameters
    choose_parameter(panel, "blocks.0.attn.c_proj.b")
    child(panel, QCheckBox, "gradientOnly").click()
    child(panel, QSpinBox, "gradientCount").setValue(3)
    click(panel, qtbot, "gradientSteps")
    now = session.document.state.model.parameters
    changed = [name for name in now if not np.array_equal(now[name], before[name])]
    assert changed == ["blocks.0.attn.c_proj.b"]
    assert session.document.history()[0][-1] == "3 Adam steps of blocks.0.attn.c_proj.b on 'b', lr 0.1"


def test_a_cell_is_chosen_and_checked(panel: GradientsPanel, session: Session, qtbot: QtBot) -> None:
    assert not child(panel, QPushButton, "gradientCheck").isEnabled()
    heatmap = child(panel, Heatmap, "gradientWeights")
    layout = heatmap.layout_now()
    assert layout is not None
    place: QPoint = layout.cell_rect(5, 23).center().toPoint()
    qtbot.mouseClick(heatmap, Qt.MouseButton.LeftButton, pos=place)
    assert session.selection.now.cell is not None
    assert session.selection.now.cell.cell == (5, 23)
    click(panel, qtbot, "gradientCheck")
    qtbot.waitUntil(lambda: "relative error" in said(panel, "gradientChecked"))
    assert "analytic −2048" in said(panel, "gradientChecked")


def test_another_token_is_typed(panel: GradientsPanel, qtbot: QtBot) -> None:
    line = child(panel, QComboBox, "gradientTarget").lineEdit()
    assert isinstance(line, QLineEdit)
    line.selectAll()
    qtbot.keyClicks(line, "a")
    qtbot.keyClick(line, Qt.Key.Key_Return)
    assert said(panel, "gradientLoss").startswith("loss 0 nats")
    assert "saturated" in said(panel)
    line.selectAll()
    qtbot.keyClicks(line, "x")
    qtbot.keyClick(line, Qt.Key.Key_Return)
    assert "no token for 'x'" in said(panel)


def test_a_rate_that_is_no_number_is_said(panel: GradientsPanel, session: Session, qtbot: QtBot) -> None:
    child(panel, QLineEdit, "gradientRate").setText("fast")
    before = session.document.revision
    click(panel, qtbot, "gradientStep")
    assert "'fast' is not a learning rate" in said(panel)
    assert session.document.revision == before


def test_an_empty_prompt_has_no_gradients(panel: GradientsPanel, session: Session) -> None:
    session.document.apply(SetPrompt(""))
    session.selection.choose(step=0)
    assert "prompt is empty" in said(panel)
    assert not child(panel, QPushButton, "gradientStep").isEnabled()


def test_a_large_model_waits_to_be_asked(qtbot: QtBot, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("visualizer.ui.panels.gradients.panel.BY_ITSELF", 1000)
    monkeypatch.setattr("visualizer.ui.panels.gradients.panel.AT_ONCE", 1000)
    session = Session(OpenedModel(of_kind("gpt-2"), "some", "some"))
    session.document.apply(SetPrompt((1, 2, 3)))
    panel = shown_panel(session, qtbot)
    assert panel.reading is None
    click(panel, qtbot, "gradientCompute")
    qtbot.waitUntil(lambda: panel.reading is not None)
    assert said(panel, "gradientLoss").startswith("loss")


@pytest.mark.parametrize("hidden", [False, True])
def test_opening_a_smaller_model_forgets_the_gradients_of_the_larger(qtbot: QtBot, hidden: bool) -> None:
    session = Session(open_model("induction"))
    panel = shown_panel(session, qtbot)
    session.selection.choose(parameter="wte", block=1)
    qtbot.waitUntil(lambda: panel.reading is not None)
    panel.setHidden(hidden)
    session.document.apply(OpenModel(open_model("aab")))
    panel.show()
    assert panel.reading is not None
    assert panel.reading.gradients["wte"].shape == (2, 8)
    session.document.undo()
    qtbot.waitUntil(lambda: panel.reading is not None and panel.reading.gradients["wte"].shape[0] > 2)


def test_a_theme_chosen_while_the_panel_is_behind_meets_another_model(
    panel: GradientsPanel, session: Session, qtbot: QtBot
) -> None:
    """Its gradients are those of a model with other tokens and shapes."""
    session.document.apply(OpenModel(open_model("sort")))
    assert panel.reading is not None
    panel.hide()
    session.document.apply(OpenModel(open_model("aab")))
    theme_notifier().theme_changed.emit(current_theme())
    panel.show()
    assert panel.reading.gradients["wte"].shape == (2, 8)
    assert child(panel, Heatmap, "gradientWeights").image().size > 0


def test_an_activation_chosen_while_another_is_read_is_never_drawn_from_its_numbers(
    session: Session, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    session.document.apply(OpenModel(open_model("induction")))
    monkeypatch.setattr(panel_module, "AT_ONCE", 0)  # everything is read beside the window
    panel = shown_panel(session, qtbot)
    qtbot.waitUntil(lambda: panel.reading is not None)
    heatmap, title = child(panel, Heatmap, "gradientActivations"), child(panel, QLabel, "gradientActivationTitle")
    count = session.trace.tokens.size  # type: ignore[union-attr]
    for _ in range(3):
        for name in ("logits", "attn.pattern", "attn.q", "resid_post", "attn.pattern"):
            choose(panel, "gradientActivation", name)
            session.selection.choose(head=1 - session.selection.now.head)
            qtbot.wait(1)
    qtbot.waitUntil(lambda: panel.reading.activation_name == "blocks.0.attn.pattern")  # type: ignore[union-attr]
    assert title.text() == "d loss / d blocks.0.attn.pattern"
    assert heatmap.image().shape == (count, count)


def test_commands_given_while_the_panel_is_behind_another_model_do_nothing(
    panel: GradientsPanel, session: Session
) -> None:
    """The token that was wanted may be none of the other model's."""
    session.document.apply(OpenModel(open_model("sort")))
    panel.hide()
    session.document.apply(OpenModel(open_model("aab")))
    session.selection.choose(cell=CellRef("parameter", "wte", (0, 0)))
    state = session.document.state
    for name in ("adamStep", "checkGradient"):
        panel.actions_by_name[name].trigger()
    assert session.document.state is state
