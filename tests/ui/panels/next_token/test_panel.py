"""The next-token panel: which position, in which order, what is marked, and what a click explains."""

import math

import numpy as np
import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QColor
from PySide6.QtWidgets import QDoubleSpinBox, QLabel, QMenu, QSpinBox, QToolButton
from pytestqt.qtbot import QtBot

import visualizer
from tests.cells import several
from tests.ui.finding import child, on_screen
from visualizer.engine.sampling import Sampling
from visualizer.formats import OpenedModel
from visualizer.session.analysis.token_probabilities import LISTED, NextTokens
from visualizer.session.document.edits import SetCells, SetGeneration, SetPrompt, pin_baseline
from visualizer.session.selection import CellRef
from visualizer.session.session import Session
from visualizer.tokenizers import CharacterTokenizer
from visualizer.ui.look.signed_color import signed_color
from visualizer.ui.look.theme import current_theme, token_color
from visualizer.ui.panels.next_token.bars import ROW_HEIGHT
from visualizer.ui.panels.next_token.panel import NextTokenPanel


@pytest.fixture
def panel(session: Session, qtbot: QtBot) -> NextTokenPanel:
    """The panel, shown."""
    return on_screen(NextTokenPanel(session), qtbot, 280, 260)


def shown(panel: NextTokenPanel) -> NextTokens:
    """What is on screen."""
    assert panel.shown is not None
    return panel.shown


def title(panel: NextTokenPanel) -> str:
    """Which position it says it is about."""
    return child(panel, QLabel, "nextTokenTitle").text()


def many_tokens(size: int) -> Session:
    """A model of random weights over `size` characters."""
    random = np.random.default_rng(5)
    config = visualizer.ModelConfig(
        n_layers=1, d_model=4, n_ctx=8, d_vocab=size, n_heads=1, d_head=4,
        normalization_type=None, attn_only=True, tie_embeddings=True,
    )  # fmt: skip
    shapes = {
        "wte": (size, 4),
        "wpe": (8, 4),
        "blocks.0.attn.c_attn.w": (4, 12),
        "blocks.0.attn.c_proj.w": (4, 4),
    }
    arrays = {name: random.normal(size=shape).astype(np.float32) for name, shape in shapes.items()}
    alphabet = [chr(0x4E00 + i) for i in range(size)]
    model = visualizer.Model(config, arrays, CharacterTokenizer(alphabet))
    return Session(OpenedModel(model, "random", "random"), prompt=alphabet[3] + alphabet[1])


def test_it_is_about_the_end_of_the_context_under_the_cursor(panel: NextTokenPanel, session: Session) -> None:
    assert title(panel) == "after a₄"
    assert [(row.text, row.probability) for row in shown(panel).rows] == [("b", 1.0), ("a", 0.0)]
    session.go_to_step(1)
    assert title(panel) == "after b₄"
    assert [row.text for row in shown(panel).rows] == ["a", "b"]


def test_a_chosen_row_is_shown_in_place_of_the_last(panel: NextTokenPanel, session: Session) -> None:
    session.selection.choose(row=2)
    assert title(panel) == "after b₂"
    assert session.trace is not None
    for row in shown(panel).rows:
        assert row.probability == session.trace["probs"][2, row.token]
        assert row.logit == session.trace["logits"][2, row.token]
    session.selection.choose(row=None)
    assert title(panel) == "after a₄"


def test_logarithms_belong_to_the_probabilities(panel: NextTokenPanel, session: Session) -> None:
    session.document.apply(SetCells("blocks.0.attn.c_proj.w", several((7, 5), (7, 6)), (-0.5, 0.5)))
    session.document.apply(SetCells("blocks.0.attn.c_proj.b", (5,), 0.6))
    for row in shown(panel).rows:
        assert 0 < row.probability < 1
        assert math.isclose(row.log_probability, math.log(row.probability), rel_tol=1e-5)


def test_a_log_probability_is_told_where_the_probability_rounds_to_zero(panel: NextTokenPanel) -> None:
    assert shown(panel).rows[1].probability == 0
    assert shown(panel).rows[1].log_probability == pytest.approx(-1023)


def test_the_token_that_was_taken_is_marked(panel: NextTokenPanel, session: Session) -> None:
    assert (shown(panel).taken, shown(panel).taken_how) == (1, "the most probable")
    assert "◀ the most probable" in panel.bars.tooltip(shown(panel).rows[0])
    assert "◀" not in panel.bars.tooltip(shown(panel).rows[1])
    session.selection.choose(row=0)
    assert (shown(panel).taken, shown(panel).taken_how) == (0, "what the text has here")
    session.selection.choose(row=None)
    session.document.apply(SetGeneration(10, Sampling(temperature=1.0, seed=3)))
    assert shown(panel).taken_how == "drawn"


def test_an_empty_prompt_is_explained(panel: NextTokenPanel, session: Session) -> None:
    session.document.apply(SetPrompt(""))
    assert shown(panel).rows == ()
    note = child(panel, QLabel, "nextTokenNote")
    assert note.isVisible()
    assert note.text() == "The prompt is empty: the first token of the vocabulary, a, comes first."
    session.document.apply(SetPrompt("a"))
    assert not note.isVisible()


def test_nan_is_shown_as_nan(panel: NextTokenPanel, session: Session) -> None:
    session.document.apply(SetCells("wte", (0, 5), float("nan")))
    assert all(math.isnan(row.probability) for row in shown(panel).rows)
    assert "probability nan" in shown(panel).rows[0].readout
    assert not panel.grab().isNull()


def test_a_large_vocabulary_lists_the_most_probable_and_counts_the_rest(qtbot: QtBot) -> None:
    session = many_tokens(500)
    panel = NextTokenPanel(session)
    qtbot.addWidget(panel)
    panel.show()
    assert session.trace is not None
    probs = session.trace["probs"][-1]
    rows = shown(panel).rows
    assert [row.token for row in rows] == np.argsort(-probs, kind="stable")[:LISTED].tolist()
    rest = 1 - sum(row.probability for row in rows)
    assert shown(panel).more == f"… and 480 more, together {rest:.3g}"


def test_bars_are_as_long_as_probabilities_in_the_tokens_hue(panel: NextTokenPanel) -> None:
    image = panel.bars.grab().toImage()
    lengths = []
    for index, row in enumerate(shown(panel).rows):
        hue = QColor(token_color(row.token, current_theme())).rgb()
        y = round(ROW_HEIGHT * (index + 1) + 8)
        left, width = panel.bars._columns()["bar"]
        lengths.append(sum(image.pixel(x, y) == hue for x in range(round(left), round(left + width))))
    assert lengths[0] >= panel.bars._columns()["bar"][1] - 2
    assert lengths[1] <= 2


def at(panel: NextTokenPanel, column: str, row: int) -> QPoint:
    """The middle of a cell of the list."""
    left, width = panel.bars._columns()[column]
    return QPoint(round(left + width / 2), round(ROW_HEIGHT * (row + 1.5)))


@pytest.mark.parametrize(
    ("column", "name"), [("bar", "probs"), ("p", "probs"), ("log p", "probs"), ("logit", "logits")]
)
def test_a_click_on_a_number_asks_where_it_comes_from(
    panel: NextTokenPanel, session: Session, qtbot: QtBot, column: str, name: str
) -> None:
    session.selection.choose(row=2)
    qtbot.mouseClick(panel.bars, Qt.MouseButton.LeftButton, pos=at(panel, column, 0))
    assert session.selection.now.cell == CellRef("activation", name, (2, shown(panel).rows[0].token))
    assert session.selection.now.row == 2


def test_a_click_on_a_token_forces_it_and_branches(panel: NextTokenPanel, session: Session, qtbot: QtBot) -> None:
    qtbot.mouseMove(panel.bars, at(panel, "token", 1))
    qtbot.mouseClick(panel.bars, Qt.MouseButton.LeftButton, pos=at(panel, "token", 1))
    assert session.document.state.branches[1].forced == ((5, 0),)
    # A token of the prompt was chosen by nobody: there the click explains.
    session.selection.choose(row=1)
    qtbot.mouseClick(panel.bars, Qt.MouseButton.LeftButton, pos=at(panel, "token", 0))
    assert len(session.document.state.branches) == 2
    assert session.selection.now.cell == CellRef("activation", "probs", (1, shown(panel).rows[0].token))


def test_it_is_walked_by_keyboard(panel: NextTokenPanel, session: Session, qtbot: QtBot) -> None:
    assert panel.bars.accessibleDescription().startswith("after a₄: b (id 1); probability 1")
    qtbot.keyClick(panel.bars, Qt.Key.Key_Down)
    assert ": a (id 0)" in panel.bars.accessibleDescription()
    qtbot.keyClick(panel.bars, Qt.Key.Key_Return)
    assert session.selection.now.cell == CellRef("activation", "probs", (4, 0))
    qtbot.keyClick(panel.bars, Qt.Key.Key_Escape)
    assert session.selection.now.cell is None


def test_a_narrow_panel_drops_the_logit_and_then_the_log_probability(panel: NextTokenPanel) -> None:
    for width, columns in ((250, {"log p", "logit"}), (200, {"log p"}), (150, set())):
        panel.resize(width, 260)
        assert panel.bars._columns().keys() & {"log p", "logit"} == columns


def test_choosing_another_cell_computes_no_distribution_anew(panel: NextTokenPanel, session: Session) -> None:
    before = shown(panel)
    session.selection.choose(cell=CellRef("activation", "probs", (4, 0)))
    assert shown(panel) is before
    session.document.apply(SetCells("wpe", (0, 0), 2.0))
    assert shown(panel) is not before


# -- sampling and forcing


def field(panel: NextTokenPanel, name: str) -> QDoubleSpinBox | QSpinBox:
    """One of the sampling fields."""
    return panel.findChild(QDoubleSpinBox, name) or child(panel, QSpinBox, name)


def turn(panel: NextTokenPanel, name: str, value: float) -> None:
    """Give a field another value."""
    found = field(panel, name)
    if isinstance(found, QSpinBox):
        found.setValue(int(value))
    else:
        found.setValue(value)


def evened(session: Session) -> None:
    """Weights with which both tokens are possible."""
    session.document.apply(SetCells("blocks.0.attn.c_proj.w", several((7, 5), (7, 6)), (-0.5, 0.5)))
    session.document.apply(SetCells("blocks.0.attn.c_proj.b", (5,), 0.6))


def test_sampling_is_set_by_fields_that_show_the_document(panel: NextTokenPanel, session: Session) -> None:
    button = child(panel, QToolButton, "samplingButton")
    assert button.text() == "greedy"
    assert not field(panel, "temperatureField").isVisible()
    button.click()
    assert field(panel, "temperatureField").isVisible()
    assert not field(panel, "topKField").isEnabled()
    turn(panel, "temperatureField", 0.7)
    turn(panel, "topKField", 1)
    turn(panel, "topPField", 0.9)
    turn(panel, "seedField", 4)
    assert session.document.state.sampling == Sampling(0.7, 1, 0.9, 4)
    assert button.text() == "T 0.7 · k 1 · p 0.9"
    for _ in range(4):
        session.document.undo()
    assert session.document.state.sampling == Sampling()
    assert field(panel, "temperatureField").text() == "0"


def test_tab_goes_on_to_the_fields_that_a_temperature_enables(
    panel: NextTokenPanel, session: Session, qtbot: QtBot
) -> None:
    button = child(panel, QToolButton, "samplingButton")
    button.click()
    temperature, top_k = field(panel, "temperatureField"), field(panel, "topKField")
    panel.activateWindow()
    temperature.setFocus()
    temperature.selectAll()
    qtbot.keyClicks(temperature, "1.5")
    qtbot.keyClick(temperature, Qt.Key.Key_Tab)
    assert session.document.state.sampling == Sampling(1.5)
    assert panel.focusWidget() is top_k


def test_turning_one_field_is_one_step_of_the_history(panel: NextTokenPanel, session: Session) -> None:
    temperature = field(panel, "temperatureField")
    for value in (0.1, 0.2, 0.3):
        turn(panel, "temperatureField", value)
    assert session.document.history()[0] == ["sampling: T 0.3"]
    temperature.editingFinished.emit()
    turn(panel, "temperatureField", 0.4)
    assert len(session.document.history()[0]) == 2


def test_probabilities_are_shown_before_and_after_the_filters(panel: NextTokenPanel, session: Session) -> None:
    evened(session)
    assert [row.final for row in shown(panel).rows] == [None, None]
    session.document.apply(SetGeneration(10, Sampling(temperature=2.0, top_k=1)))
    result = session.result
    assert result is not None
    first, second = shown(panel).rows
    assert 0.5 < first.probability < 1
    assert (first.final, second.final) == (1.0, 0.0)
    stages = result.steps[0].stages
    assert f"after temperature 2: {float(stages.tempered[second.token]):.4f}"[:26] in second.readout
    assert "after top-k 1: 0" in second.readout
    assert "after top-k 1: 1, log 0" in first.readout
    assert "top-p" not in second.readout
    assert not panel.grab().isNull()
    # After an earlier position too, where nothing was drawn.
    session.selection.choose(row=1)
    assert sorted(row.final or 0.0 for row in shown(panel).rows) == [0.0, 1.0]


def test_ctrl_and_a_click_forces_a_token_and_branches(panel: NextTokenPanel, session: Session, qtbot: QtBot) -> None:
    assert session.result is not None
    assert session.result.generated[0] == 1
    at = QPoint(20, round(ROW_HEIGHT * 2.5))
    qtbot.mouseClick(panel.bars, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.ControlModifier, at)
    assert session.result.generated[0] == 0
    state = session.document.state
    assert (len(state.branches), state.branch, state.branches[1].forced) == (2, 1, ((5, 0),))
    assert session.selection.now.step == 1
    session.go_to_step(0)
    assert (shown(panel).taken, shown(panel).taken_how) == (0, "forced")
    session.document.undo()
    assert session.result.generated[0] == 1
    assert len(session.document.state.branches) == 1


def test_a_token_can_be_forced_by_key_and_by_button(panel: NextTokenPanel, session: Session, qtbot: QtBot) -> None:
    session.go_to_step(3)
    button = child(panel, QToolButton, "forceButton")
    assert button.text() == "Force b"
    qtbot.keyClick(panel.bars, Qt.Key.Key_Down)
    assert button.text() == "Force a"
    qtbot.keyClick(panel.bars, Qt.Key.Key_Return, Qt.KeyboardModifier.ControlModifier)
    assert session.document.state.branches[-1].forced == ((8, shown_before(session)),)
    session.document.undo()
    session.go_to_step(3)
    qtbot.mouseClick(button, Qt.MouseButton.LeftButton)
    assert len(session.document.state.branches) == 2


def shown_before(session: Session) -> int:
    """The token that the shown branch has at place 8."""
    assert session.result is not None
    return session.result.tokens[8]


def test_forcing_after_the_last_token_makes_the_text_longer_in_one_step(
    panel: NextTokenPanel, session: Session, qtbot: QtBot
) -> None:
    session.reset_generation()
    steps = len(session.document.history()[0])
    panel.actions_by_name["forceToken"].trigger()
    assert session.result is not None
    assert session.result.generated == (1,)
    assert session.selection.now.step == 1
    assert len(session.document.history()[0]) == steps + 1
    session.document.undo()
    assert session.result.generated == ()


def test_a_token_of_the_prompt_cannot_be_forced(panel: NextTokenPanel, session: Session, qtbot: QtBot) -> None:
    session.selection.choose(row=1)
    assert not panel.actions_by_name["forceToken"].isEnabled()
    at = QPoint(20, round(ROW_HEIGHT * 1.5))
    with qtbot.waitSignal(panel.message) as said:
        qtbot.mouseClick(panel.bars, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.ControlModifier, at)
    assert "belongs to the prompt" in said.args[0]
    assert len(session.document.state.branches) == 1


def test_the_context_menu_forces_and_explains(panel: NextTokenPanel, session: Session, qtbot: QtBot) -> None:
    panel.bars.menu_asked.emit(0, panel.mapToGlobal(QPoint(5, 5)))
    menu = child(panel, QMenu, "nextTokenMenu")
    actions = {action.text(): action for action in menu.actions() if action.text()}
    assert list(actions) == ["Force a here and branch", "Explain its probability", "Explain its logit"]
    actions["Explain its logit"].trigger()
    assert session.selection.now.cell == CellRef("activation", "logits", (4, 0))
    actions["Force a here and branch"].trigger()
    assert session.document.state.branch == 1
    menu.close()


def test_the_baseline_and_the_difference_from_it_are_shown_as_everywhere(
    panel: NextTokenPanel, session: Session
) -> None:
    session.document.apply(pin_baseline(session.document.state))
    session.document.apply(SetCells("blocks.0.attn.c_proj.w", (7, 6), 0.0))
    a, b = 1 / (1 + math.exp(-1)), 1 / (1 + math.exp(1))
    assert numbers(panel) == {"a": (pytest.approx(a), 1), "b": (pytest.approx(b), 0)}
    session.selection.choose(comparison="baseline")
    assert title(panel) == "after a₄ of the baseline"
    assert numbers(panel) == {"b": (1, 1024), "a": (0, 1)}
    assert (shown(panel).taken, shown(panel).taken_how) == (1, "what the baseline takes")
    session.selection.choose(comparison="difference")
    assert title(panel) == "after a₄ − baseline"
    assert numbers(panel) == {"a": (pytest.approx(a), 0), "b": (pytest.approx(b - 1), -1024)}
    row = next(row for row in shown(panel).rows if row.text == "b")
    assert "logit 0 (baseline 1024, difference −1024)" in panel.bars.tooltip(row)
    gold, blue = (signed_color(value).name() for value in (1, -1))
    picture = panel.bars.grab().toImage()
    colors = {picture.pixelColor(x, y).name() for x in range(picture.width()) for y in range(picture.height())}
    assert {gold, blue} <= colors
    session.document.go_to(0)
    assert title(panel) == "after a₄"


def numbers(panel: NextTokenPanel) -> dict[str, tuple[float, float]]:
    """Probability and logit of each token on screen, in their order."""
    return {row.text: (row.probability, row.logit) for row in shown(panel).rows}


def test_the_token_that_the_button_forces_stays_the_same_when_differences_are_shown(
    panel: NextTokenPanel, session: Session
) -> None:
    """Differences stand in an order of their own."""
    session.document.apply(SetPrompt("aa"))
    button = child(panel, QToolButton, "forceButton")
    assert button.text() == "Force b"
    session.document.apply(pin_baseline(session.document.state))
    session.selection.choose(comparison="difference")
    assert button.text() == "Force b"
    session.selection.choose(comparison="value")
    assert button.text() == "Force b"
