"""The lens panel: tokens in cells, bars that sum to the logit, and what clicks choose."""

import numpy as np
import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtWidgets import QCheckBox, QComboBox, QLabel
from pytestqt.qtbot import QtBot

from tests.engine.models import of_kind
from tests.ui.finding import child, on_screen
from visualizer.formats import OpenedModel, open_model
from visualizer.session.document.edits import SetCells, SetPrompt, pin_baseline
from visualizer.session.selection import CellRef
from visualizer.session.session import Session
from visualizer.ui.panels.lens.contribution_bars import ROW_HEIGHT
from visualizer.ui.panels.lens.panel import LensPanel


@pytest.fixture
def session() -> Session:
    """A model with two blocks of two heads, on four tokens."""
    session = Session(OpenedModel(of_kind("gpt-2"), "small", "small"))
    session.document.apply(SetPrompt((1, 4, 0, 4)))
    return session


@pytest.fixture
def panel(session: Session, qtbot: QtBot) -> LensPanel:
    """The panel, shown."""
    return shown_panel(session, qtbot)


def shown_panel(session: Session, qtbot: QtBot) -> LensPanel:
    """A panel on screen."""
    return on_screen(LensPanel(session), qtbot, 460, 560)


def sum_words(panel: LensPanel) -> str:
    """What stands under the bars."""
    return child(panel, QLabel, "lensSum").text()


def choose(panel: LensPanel, name: str, text: str) -> None:
    """Pick an entry of a chooser, as a person does."""
    box = child(panel, QComboBox, name)
    box.setCurrentText(text)
    box.activated.emit(box.currentIndex())


def total(panel: LensPanel) -> float:
    """What the bars add up to."""
    return sum(bar.value for bar in panel.bars.bars)


def logit(session: Session, position: int, token: int) -> float:
    """A logit of the present step."""
    assert session.trace is not None
    return float(session.trace["logits"][position, token])


def test_the_last_row_is_what_the_model_says(panel: LensPanel, session: Session) -> None:
    assert session.trace is not None
    assert panel.grid.image().shape == (5, 4)
    assert panel.grid.image()[-1] == pytest.approx(session.trace["probs"].max(axis=1))
    top = int(session.trace["logits"][2].argmax())
    lines = panel.grid.readout(4, 2).splitlines()
    assert lines[0] == "blocks.1.resid_post after 0₂ would predict"
    assert lines[1].startswith(f"  {top} ")
    assert len(lines) == 6


def test_bars_sum_to_the_logit_of_the_most_probable_token(panel: LensPanel, session: Session) -> None:
    assert session.trace is not None
    top = int(session.trace["logits"][3].argmax())
    assert total(panel) == pytest.approx(logit(session, 3, top))
    assert f"the logit of {top} after 4₃" in sum_words(panel)
    assert [bar.words for bar in panel.bars.bars[:3]] == ["token embedding", "position embedding", "head 0 of block 0"]


def test_bars_follow_row_token_and_minus_token(panel: LensPanel, session: Session) -> None:
    session.selection.choose(row=1)
    choose(panel, "lensToken", "5")
    assert total(panel) == pytest.approx(logit(session, 1, 5))
    choose(panel, "lensMinus", "2")
    assert total(panel) == pytest.approx(logit(session, 1, 5) - logit(session, 1, 2))
    assert "the logit of 5 less that of 2" in sum_words(panel)
    choose(panel, "lensToken", "Top token")
    choose(panel, "lensMinus", "Nothing")
    session.selection.choose(cell=CellRef("activation", "logits", (1, 3)))
    assert total(panel) == pytest.approx(logit(session, 1, 3))


def test_bars_follow_an_edit_at_once(panel: LensPanel, session: Session) -> None:
    before = panel.bars.bars
    session.document.apply(SetCells("blocks.1.mlp.c_proj.w", (0, 0), 3.0))
    assert panel.bars.bars != before
    choose(panel, "lensToken", "1")
    assert total(panel) == pytest.approx(logit(session, 3, 1))


def test_they_can_be_ordered_by_size(panel: LensPanel, qtbot: QtBot) -> None:
    box = child(panel, QCheckBox, "lensBySize")
    before = {bar.key for bar in panel.bars.bars}
    box.click()
    sizes = [abs(bar.value) for bar in panel.bars.bars]
    assert sizes == sorted(sizes, reverse=True)
    assert {bar.key for bar in panel.bars.bars} == before


def test_a_click_on_a_head_chooses_it(panel: LensPanel, session: Session, qtbot: QtBot) -> None:
    index = [bar.words for bar in panel.bars.bars].index("head 1 of block 1")
    at = QPoint(60, round((index + 0.5) * ROW_HEIGHT))
    qtbot.mouseClick(panel.bars, Qt.MouseButton.LeftButton, pos=at)
    now = session.selection.now
    assert (now.block, now.head, now.row) == (1, 1, 3)
    assert now.cell is not None
    assert (now.cell.name, now.cell.cell[:2]) == ("blocks.1.attn.result", (3, 1))
    qtbot.keyClick(panel.bars, Qt.Key.Key_Down)
    qtbot.keyClick(panel.bars, Qt.Key.Key_Return)
    cell = session.selection.now.cell
    assert cell is not None
    assert (cell.kind, cell.name) == ("parameter", "blocks.1.attn.c_proj.b")
    qtbot.keyClick(panel.bars, Qt.Key.Key_Escape)
    assert session.selection.now.cell is None


def test_a_click_on_a_cell_chooses_its_position(panel: LensPanel, session: Session, qtbot: QtBot) -> None:
    layout = panel.grid.layout_now()
    assert layout is not None
    qtbot.mouseClick(panel.grid, Qt.MouseButton.LeftButton, pos=layout.cell_rect(2, 1).center().toPoint())
    now = session.selection.now
    assert now.row == 1
    assert now.cell is not None
    assert (now.cell.name, now.cell.cell[0]) == ("blocks.0.resid_post", 1)
    assert "after 4₁" in sum_words(panel)


def test_against_the_baseline_bars_are_differences(panel: LensPanel, session: Session) -> None:
    choose(panel, "lensToken", "1")
    session.document.apply(pin_baseline(session.document.state))
    before = logit(session, 3, 1)
    session.document.apply(SetCells("blocks.1.mlp.c_proj.w", (0, 0), 3.0))
    session.selection.choose(comparison="difference")
    assert total(panel) == pytest.approx(logit(session, 3, 1) - before)
    assert "the change of the logit of 1" in sum_words(panel)
    session.selection.choose(comparison="baseline")
    assert total(panel) == pytest.approx(before)


def test_against_the_baseline_cells_are_differences_of_their_tokens_probability(
    panel: LensPanel, session: Session
) -> None:
    session.document.apply(pin_baseline(session.document.state))
    session.document.apply(SetCells("blocks.1.mlp.c_proj.w", (0, 0), 3.0))
    base, now = session.baseline_trace, session.trace
    assert base is not None
    assert now is not None
    session.selection.choose(comparison="difference")
    token = int(now["probs"][3].argmax())
    difference = float(now["probs"][3, token] - base["probs"][3, token])
    assert panel.grid.image()[-1, 3] == pytest.approx(difference)
    assert np.abs(panel.grid.image()[0]).max() == 0  # before the edit's block nothing differs
    assert panel.grid.matrix is not None
    assert "baseline" in panel.grid.matrix.readout(panel.grid.image().shape[0] - 1, 3)
    session.selection.choose(comparison="value")
    assert panel.grid.image()[-1, 3] == pytest.approx(now["probs"][3, token])


def test_an_empty_prompt_is_explained(panel: LensPanel, session: Session) -> None:
    session.document.apply(SetPrompt(()))
    assert panel.grid.image().size == 0
    assert panel.bars.bars == ()
    session.document.undo()
    assert panel.grid.image().shape == (5, 4)


def test_a_large_vocabulary_is_read_beside_the_window(qtbot: QtBot) -> None:
    model = of_kind("gpt-2", d_vocab=30_000, d_model=16, n_ctx=64, dtype="float32")
    session = Session(OpenedModel(model, "large", "large"))
    session.document.apply(SetPrompt(tuple(range(60))))
    panel = shown_panel(session, qtbot)
    qtbot.waitUntil(lambda: panel.grid.image().size > 0, timeout=20_000)
    assert session.trace is not None
    assert total(panel) == pytest.approx(float(session.trace.logits_at(-1).max()), rel=1e-4)


def test_the_handmade_model_is_read(qtbot: QtBot) -> None:
    panel = shown_panel(Session(open_model("aab")), qtbot)
    assert "Σ = 1024, the logit of b after a₄" in sum_words(panel)
    assert not panel.grid.grab().isNull()
