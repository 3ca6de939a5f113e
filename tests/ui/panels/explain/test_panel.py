"""The explain panel: what it says of a cell, where its links lead, and the way back."""

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QColor
from PySide6.QtWidgets import QPushButton, QTableView, QToolButton
from pytestqt.qtbot import QtBot

from tests.ui.finding import child, on_screen, words
from visualizer.engine.interventions import Intervention
from visualizer.formats import open_model
from visualizer.session.document.edits import OpenModel, SetCells, SetInterventions, SetPrompt, pin_baseline
from visualizer.session.selection import CellRef
from visualizer.session.session import Session
from visualizer.ui.look.theme import current_theme
from visualizer.ui.panels.explain.panel import ExplainPanel

ATTN = "blocks.0.attn."
PATTERN = CellRef("activation", ATTN + "pattern", (0, 2, 1))
QK = CellRef("activation", ATTN + "qk", (0, 2, 1))


@pytest.fixture
def panel(session: Session, qtbot: QtBot) -> ExplainPanel:
    """The panel, shown."""
    return on_screen(ExplainPanel(session), qtbot, 420, 420)


def said(panel: ExplainPanel, name: str) -> str:
    """The text of a label, empty where it is hidden."""
    return words(panel, f"explain{name}")


def table(panel: ExplainPanel) -> QTableView:
    """The list of terms."""
    return child(panel, QTableView, "explainTerms")


def texts(panel: ExplainPanel) -> list[list[str]]:
    """The texts in the list of terms."""
    model = table(panel).model()
    return [[model.index(r, c).data() for c in range(model.columnCount())] for r in range(model.rowCount())]


def click(panel: ExplainPanel, row: int, column: int, qtbot: QtBot) -> None:
    """Click on a cell of the list of terms."""
    where = table(panel).visualRect(table(panel).model().index(row, column)).center()
    qtbot.mouseClick(table(panel).viewport(), Qt.MouseButton.LeftButton, pos=where)


def test_while_nothing_is_chosen_it_says_what_to_do(panel: ExplainPanel) -> None:
    assert said(panel, "Formula") == "Click any number to see where it comes from."
    assert panel.shown is None
    assert not table(panel).isVisible()


def test_a_softmax_weight_is_taken_apart(panel: ExplainPanel, session: Session) -> None:
    session.selection.choose(cell=PATTERN)
    assert said(panel, "Title") == "pattern[b₂, a₁] = 0.5"
    assert said(panel, "Place") == "blocks.0.attn.pattern[0, 2, 1]"
    assert said(panel, "Formula") == "pattern = e^(score − max) / Σ e^(score − max)"
    assert said(panel, "Numbers") == "= e^(362 − 362) / (0 + 1 + 1) = 0.5"
    assert said(panel, "Note") == ""
    assert texts(panel) == [
        ["▸ 1", "scores[b₂, a₁] = 362"],
        ["1", "scores[b₂, b₂] = 362"],
        ["0", "scores[b₂, a₀] = 0"],
    ]


def test_a_changed_number_is_made_of_what_was_there_and_what_was_done(panel: ExplainPanel, session: Session) -> None:
    session.document.apply(SetInterventions((Intervention(QK.name, "scale", (), 0.5),)))
    session.selection.choose(cell=QK)
    assert said(panel, "Formula") == "qk = scaled by an intervention: factor · (q · k)"
    assert said(panel, "Numbers").endswith("0.5·1024·1 + 7 terms of 0 = 512")
    assert said(panel, "Note") == "Without the intervention it would be 1024."
    assert texts(panel)[0][0] == "512"
    session.document.apply(SetInterventions((Intervention(QK.name, "zero"),)))
    assert said(panel, "Formula") == "qk = zeroed by an intervention"
    assert said(panel, "Note") == "Without the intervention it would be 1024."


def test_the_value_has_all_its_digits(panel: ExplainPanel, session: Session) -> None:
    session.selection.choose(cell=CellRef("activation", ATTN + "scaled", (0, 2, 1)))
    assert said(panel, "Title") == "scaled[b₂, a₁] = 362.03867"


def test_a_click_on_a_number_explains_that_one(panel: ExplainPanel, session: Session, qtbot: QtBot) -> None:
    session.selection.choose(cell=PATTERN)
    click(panel, 0, 1, qtbot)
    assert session.selection.now.cell == CellRef("activation", ATTN + "scores", (0, 2, 1))
    assert said(panel, "Title").startswith("scores[b₂, a₁] = 362.0")


def test_a_followed_number_is_marked_in_the_heatmaps(panel: ExplainPanel, session: Session, qtbot: QtBot) -> None:
    session.selection.choose(cell=CellRef("activation", ATTN + "z", (2, 0, 7)))
    click(panel, 0, 1, qtbot)
    now = session.selection.now
    assert now.cell is not None
    assert now.cell.name == ATTN + "pattern"
    assert (0, now.row, now.key) == now.cell.cell


def test_a_click_on_a_constant_leads_nowhere(panel: ExplainPanel, session: Session, qtbot: QtBot) -> None:
    scaled = CellRef("activation", ATTN + "scaled", (0, 2, 1))
    session.selection.choose(cell=scaled)
    click(panel, 0, 2, qtbot)
    assert session.selection.now.cell == scaled


def test_from_a_logit_to_a_weight_by_keyboard_alone(panel: ExplainPanel, session: Session, qtbot: QtBot) -> None:
    session.selection.choose(cell=QK)
    terms = table(panel)
    walked: list[CellRef] = []
    while len(walked) < 12 and (not walked or walked[-1].kind == "activation"):
        cell = session.selection.now.cell
        assert cell is not None
        walked.append(cell)
        qtbot.keyClick(terms, Qt.Key.Key_Return)
    assert [cell.name for cell in walked[:2]] == [ATTN + "qk", ATTN + "q"]
    assert walked[-1].kind == "parameter"
    assert session.selection.now.parameter == walked[-1].name
    assert "a weight" in said(panel, "Formula")


def test_back_and_forward_as_in_a_browser(panel: ExplainPanel, session: Session, qtbot: QtBot) -> None:
    back, forward = (panel.findChild(QToolButton, name) for name in ("explainBack", "explainForward"))
    assert back is not None
    assert forward is not None
    session.selection.choose(cell=PATTERN)
    assert not back.isEnabled()
    session.selection.choose(cell=QK)
    qtbot.mouseClick(back, Qt.MouseButton.LeftButton)
    assert session.selection.now.cell == PATTERN
    assert forward.isEnabled()
    qtbot.mouseClick(forward, Qt.MouseButton.LeftButton)
    assert session.selection.now.cell == QK
    assert not forward.isEnabled()
    qtbot.mouseClick(back, Qt.MouseButton.LeftButton)
    other = CellRef("activation", "logits", (0, 0))
    session.selection.choose(cell=other)
    assert not forward.isEnabled()
    qtbot.mouseClick(back, Qt.MouseButton.LeftButton)
    assert session.selection.now.cell == PATTERN


def test_backspace_goes_back_while_the_keyboard_is_in_the_panel(
    panel: ExplainPanel, session: Session, qtbot: QtBot
) -> None:
    with qtbot.waitExposed(panel):
        panel.activateWindow()
    session.selection.choose(cell=PATTERN)
    session.selection.choose(cell=QK)
    table(panel).setFocus()
    qtbot.keyClick(table(panel), Qt.Key.Key_Backspace)
    assert session.selection.now.cell == PATTERN
    qtbot.keyClick(table(panel), Qt.Key.Key_Backspace, Qt.KeyboardModifier.ShiftModifier)
    assert session.selection.now.cell == QK


def test_after_letting_go_back_leads_to_what_was_explained_last(
    panel: ExplainPanel, session: Session, qtbot: QtBot
) -> None:
    session.selection.choose(cell=QK)
    qtbot.keyClick(table(panel), Qt.Key.Key_Escape)
    assert session.selection.now.cell is None
    panel.back()
    assert session.selection.now.cell == QK


def test_a_weight_says_what_it_was_and_leads_to_the_grid(panel: ExplainPanel, session: Session, qtbot: QtBot) -> None:
    session.selection.choose(cell=CellRef("parameter", ATTN + "c_attn.w", (6, 23)))
    assert said(panel, "Title") == "c_attn.w[b, V7] = −1"
    assert said(panel, "Note") == ""
    session.document.apply(SetCells(ATTN + "c_attn.w", (6, 23), 3.0))
    assert said(panel, "Title") == "c_attn.w[b, V7] = 3"
    assert said(panel, "Note") == "It was −1 when the model was opened."
    button = child(panel, QPushButton, "explainParameter")
    qtbot.mouseClick(button, Qt.MouseButton.LeftButton)
    assert session.selection.now.parameter == ATTN + "c_attn.w"


def test_an_edit_is_followed_at_once(panel: ExplainPanel, session: Session) -> None:
    session.selection.choose(cell=QK)
    session.document.apply(SetCells(ATTN + "c_attn.w", (2, 1), 7.0))
    assert said(panel, "Title") == "qk[b₂, a₁] = 7"
    assert said(panel, "Numbers") == "= 7·1 + 7 terms of 0 = 7"


def test_the_step_under_the_cursor_is_explained(panel: ExplainPanel, session: Session) -> None:
    session.selection.choose(cell=CellRef("activation", "embed", (4, 6)))
    assert said(panel, "Title") == "embed[a₄, b] = 0"
    session.go_to_step(1)
    assert said(panel, "Title") == "embed[b₄, b] = 1"


@pytest.mark.parametrize("edit", [SetPrompt("b"), SetPrompt(""), OpenModel(open_model("aaab"))], ids=["b", "", "model"])
def test_a_cell_that_vanishes_leaves_the_empty_state(panel: ExplainPanel, session: Session, edit: SetPrompt) -> None:
    session.selection.choose(cell=PATTERN)
    session.document.apply(edit)
    assert panel.shown is None
    assert said(panel, "Formula") == "Click any number to see where it comes from."


def test_a_cell_that_the_step_does_not_have_is_said_to_be_missing(panel: ExplainPanel, session: Session) -> None:
    session.document.apply(SetPrompt("a"))
    session.go_to_step(3)
    session.selection.choose(cell=CellRef("activation", ATTN + "pattern", (0, 3, 3)))
    assert said(panel, "Title").startswith("pattern")
    session.go_to_step(0)
    assert panel.shown is None
    assert said(panel, "Formula").startswith("That number is not there at this step")
    session.document.apply(SetPrompt(""))
    session.selection.choose(cell=PATTERN)
    assert said(panel, "Formula") == "The prompt is empty, so nothing was computed at this step."


def test_what_is_hovered_is_explained_only_while_nothing_is_chosen(panel: ExplainPanel, session: Session) -> None:
    session.selection.hover(PATTERN)
    assert said(panel, "Title").startswith("pattern")
    session.selection.choose(cell=QK)
    assert said(panel, "Title").startswith("qk")
    session.selection.hover(None)
    assert said(panel, "Title").startswith("qk")


def test_nan_is_explained_by_nan(panel: ExplainPanel, session: Session) -> None:
    session.document.apply(SetCells("wte", (0, 5), float("nan")))
    session.selection.choose(cell=CellRef("activation", "logits", (0, 0)))
    assert said(panel, "Title") == "logits[a₀, a] = nan"
    assert texts(panel)[0][:2] == ["nan", "resid_post[a₀, P0] = nan"]


def headings(panel: ExplainPanel) -> list[str]:
    """What stands over the table's columns."""
    model = table(panel).model()
    return [model.headerData(column, Qt.Orientation.Horizontal) for column in range(model.columnCount())]


def test_a_narrow_panel_shows_products_and_what_tells_the_names_apart(panel: ExplainPanel, session: Session) -> None:
    session.selection.choose(cell=QK)
    assert texts(panel)[0] == ["1024", "q[b₂, 1] = 1024", "k[a₁, 1] = 1"]
    panel.resize(200, 420)
    assert headings(panel) == ["term", "q[…, ·]", "k[…, ·]"]
    assert texts(panel)[0] == ["1024·1", "1", "1"]
    session.selection.choose(cell=CellRef("activation", "blocks.0.attn.q", (2, 0, 1)))
    assert headings(panel) == ["term", "resid_pre[…, ·]", "c_attn.w[·, …]"]
    assert [row[1] for row in texts(panel)][-1] == "c_attn.b[Q1]"


def test_a_narrow_panel_writes_an_exponential_as_its_value(panel: ExplainPanel, session: Session) -> None:
    session.selection.choose(cell=PATTERN)
    assert texts(panel)[0] == ["▸ 1", "scores[b₂, a₁] = 362"]
    panel.resize(150, 420)
    assert headings(panel) == ["term", "scores[…, ·]"]
    assert texts(panel)[0] == ["▸ 1", "a₁"]


def test_a_number_that_is_only_passed_on_is_written_once(panel: ExplainPanel, session: Session) -> None:
    session.selection.choose(cell=CellRef("activation", "embed", (2, 6)))
    assert said(panel, "Numbers") == "= 1"


def test_the_keyboards_place_in_the_table_is_framed_and_leaves_the_accent_to_the_selection(
    panel: ExplainPanel, session: Session, qtbot: QtBot
) -> None:
    with qtbot.waitExposed(panel):
        panel.activateWindow()
    session.selection.choose(cell=PATTERN)
    table(panel).setFocus()
    image = table(panel).viewport().grab().toImage()
    accent = QColor(current_theme().accent).rgb()
    highlight = table(panel).palette().highlight().color().rgb()
    colors = {image.pixel(x, y) for x in range(image.width()) for y in range(image.height())}
    assert not colors & {accent, highlight}
    rect = table(panel).visualRect(table(panel).currentIndex())
    edge = {image.pixel(x, rect.top()) for x in range(rect.left(), rect.right())}
    assert len(edge) > 1


def test_every_activations_number_can_be_explained_and_drawn(panel: ExplainPanel, session: Session) -> None:
    assert session.trace is not None
    for name in session.trace:
        cell = tuple(n - 1 for n in session.trace[name].shape)
        session.selection.choose(cell=CellRef("activation", name, cell))
        assert panel.shown is not None, name
        assert not panel.grab().isNull()
        assert "In double precision" not in said(panel, "Note")


def test_a_click_below_the_terms_changes_nothing(panel: ExplainPanel, session: Session, qtbot: QtBot) -> None:
    session.selection.choose(cell=PATTERN)
    bottom = QPoint(20, table(panel).viewport().height() - 2)
    qtbot.mouseClick(table(panel).viewport(), Qt.MouseButton.LeftButton, pos=bottom)
    assert session.selection.now.cell == PATTERN


def test_a_number_is_told_beside_that_of_the_baseline_which_can_be_explained_too(
    panel: ExplainPanel, session: Session
) -> None:
    session.selection.choose(cell=QK)
    assert said(panel, "Compared") == ""
    session.document.apply(pin_baseline(session.document.state))
    session.document.apply(SetCells("blocks.0.attn.c_attn.w", (2, 1), 512.0))
    assert said(panel, "Title").endswith("= 512")
    assert said(panel, "Compared") == "baseline 1024, difference −512"
    session.selection.choose(comparison="baseline")
    assert said(panel, "Title").endswith("= 1024")
    assert "1024·1" in said(panel, "Numbers")
    assert said(panel, "Compared") == "in the baseline; at present 512"


def test_the_terms_stay_in_sight_when_links_are_followed(qtbot: QtBot) -> None:
    session = Session(open_model("rhymes"))
    panel = ExplainPanel(session)
    qtbot.addWidget(panel)
    panel.resize(260, 420)
    panel.show()
    for name, cell in (("attn.q", (3, 0, 1)), ("ln1.normalized", (3, 7)), ("attn.q", (3, 0, 1)), ("mlp.pre", (3, 1))):
        session.selection.choose(cell=CellRef("activation", f"blocks.0.{name}", cell))
        assert table(panel).columnViewportPosition(0) == 0
        assert table(panel).columnWidth(0) < table(panel).viewport().width() / 2
