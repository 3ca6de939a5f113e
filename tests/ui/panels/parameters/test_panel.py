"""The parameter tree."""

import numpy as np
import pytest
from PySide6.QtCore import Qt, QTimer
from PySide6.QtWidgets import QApplication, QMenu, QTreeWidget, QTreeWidgetItem, QTreeWidgetItemIterator
from pytestqt.qtbot import QtBot

from tests.cells import several
from tests.ui.finding import child
from visualizer.engine.config import ModelConfig
from visualizer.engine.model import Model
from visualizer.engine.parameters import parameter_shapes
from visualizer.formats import OpenedModel, open_model
from visualizer.session.document.edits import OpenModel, SetCells
from visualizer.session.session import Session
from visualizer.ui.panels.parameters.panel import ParameterPanel

C_ATTN = "blocks.0.attn.c_attn.w"


def tree_of(qtbot: QtBot, session: Session) -> QTreeWidget:
    panel = ParameterPanel(session)
    qtbot.addWidget(panel)
    panel.resize(260, 400)
    panel.show()
    return child(panel, QTreeWidget, "parameterTree")


def items(tree: QTreeWidget) -> list[QTreeWidgetItem]:
    found, iterator = [], QTreeWidgetItemIterator(tree)
    while iterator.value() is not None:
        found.append(iterator.value())
        iterator += 1
    return found


def path(item: QTreeWidgetItem) -> str:
    parent: QTreeWidgetItem | None = item.parent()
    return f"{path(parent)} › {item.text(0)}" if parent is not None else item.text(0)


def find(tree: QTreeWidget, wanted: str) -> QTreeWidgetItem:
    return next(item for item in items(tree) if path(item) == wanted)


def click(qtbot: QtBot, tree: QTreeWidget, wanted: str) -> None:
    place = tree.visualItemRect(find(tree, wanted)).center()
    qtbot.mouseClick(tree.viewport(), Qt.MouseButton.LeftButton, pos=place)


@pytest.fixture
def session() -> Session:
    session = Session(open_model("aab"))
    session.selection.choose(parameter="wte")
    return session


@pytest.fixture
def tree(qtbot: QtBot, session: Session) -> QTreeWidget:
    return tree_of(qtbot, session)


def test_the_tree_groups_parameters_by_block_and_part_with_their_shapes(tree: QTreeWidget) -> None:
    shown = [(path(item), item.text(1)) for item in items(tree)]
    assert shown == [
        ("wte", "2×8"),
        ("wpe", "5×8"),
        ("blocks.0", ""),
        ("blocks.0 › attn", ""),
        ("blocks.0 › attn › c_attn.w", "8×24"),
        ("blocks.0 › attn › c_attn.b", "24"),
        ("blocks.0 › attn › c_proj.w", "8×8"),
        ("blocks.0 › attn › c_proj.b", "8"),
    ]


def test_a_tooltip_says_what_a_parameter_is_for(tree: QTreeWidget) -> None:
    tip = find(tree, "blocks.0 › attn › c_attn.w").toolTip(0)
    assert tip.splitlines()[0] == f"{C_ATTN} 8×24"
    assert "[dimension, q | k | v]" in tip


def test_choosing_works_by_mouse_and_by_keyboard(qtbot: QtBot, tree: QTreeWidget, session: Session) -> None:
    click(qtbot, tree, "blocks.0 › attn › c_proj.w")
    assert session.selection.now.parameter == "blocks.0.attn.c_proj.w"
    qtbot.keyClick(tree, Qt.Key.Key_Down)
    assert session.selection.now.parameter == "blocks.0.attn.c_proj.b"
    click(qtbot, tree, "blocks.0 › attn")
    assert session.selection.now.parameter == "blocks.0.attn.c_proj.b"
    qtbot.keyClick(tree, Qt.Key.Key_Return)
    assert not find(tree, "blocks.0 › attn").isExpanded()


def test_the_tree_follows_a_choice_made_elsewhere(tree: QTreeWidget, session: Session) -> None:
    assert path(tree.currentItem()) == "wte"
    session.selection.choose(parameter=C_ATTN)
    assert path(tree.currentItem()) == "blocks.0 › attn › c_attn.w"


def dotted(tree: QTreeWidget) -> list[str]:
    return [path(item) for item in items(tree) if item.text(2)]


def test_a_dot_stands_where_numbers_differ_from_the_model_as_opened(tree: QTreeWidget, session: Session) -> None:
    assert dotted(tree) == []
    session.document.apply(SetCells(C_ATTN, several((0, 0), (0, 1)), (3.0, 4.0)))
    assert dotted(tree) == ["blocks.0", "blocks.0 › attn", "blocks.0 › attn › c_attn.w"]
    assert "differs" in find(tree, "blocks.0 › attn › c_attn.w").toolTip(2)
    session.document.apply(SetCells(C_ATTN, (0, 1), 0.0))
    assert "blocks.0 › attn › c_attn.w" in dotted(tree)
    session.document.apply(SetCells(C_ATTN, (0, 0), 1024.0))
    assert dotted(tree) == []
    session.document.apply(SetCells("wte", (0, 0), float("nan")))
    assert dotted(tree) == ["wte"]
    session.document.undo()
    assert dotted(tree) == []


def choose_in_menu(words: str) -> None:
    """Choose an entry of the context menu that is open, and close it."""
    menus = [widget for widget in QApplication.topLevelWidgets() if isinstance(widget, QMenu) and widget.isVisible()]
    assert len(menus) == 1
    next(action for action in menus[0].actions() if action.text() == words).trigger()
    menus[0].close()


@pytest.mark.parametrize(("words", "left"), [("Reset wte", ["wpe"]), ("Reset all weights", [])], ids=["one", "all"])
def test_the_context_menu_resets_one_or_all(
    qtbot: QtBot, tree: QTreeWidget, session: Session, words: str, left: list[str]
) -> None:
    session.document.apply(SetCells("wte", (0, 0), 3.0))
    session.document.apply(SetCells("wpe", (0, 0), 3.0))
    place = tree.visualItemRect(find(tree, "wte")).center()
    QTimer.singleShot(0, lambda: choose_in_menu(words))
    tree.customContextMenuRequested.emit(place)
    qtbot.waitUntil(lambda: dotted(tree) == left)
    assert session.document.history()[1] == 3


def test_a_model_of_twelve_blocks_opens_closed_and_shows_the_chosen_one(qtbot: QtBot, session: Session) -> None:
    config = ModelConfig(
        n_layers=12, d_model=8, n_ctx=4, d_vocab=4, n_heads=2, d_head=4, d_mlp=16, act_fn="relu",
        normalization_type="LN", tie_embeddings=False,
    )  # fmt: skip
    arrays = {name: np.zeros(shape) for name, shape in parameter_shapes(config).items()}
    tree = tree_of(qtbot, session)
    session.document.apply(OpenModel(OpenedModel(Model(config, arrays), "deep", "deep")))
    leaves = [item for item in items(tree) if item.childCount() == 0]
    assert len(leaves) == len(arrays) > 148
    tops = [item.text(0) for item in items(tree) if path(item) == item.text(0)]
    assert tops == ["wte", "wpe", *(f"blocks.{i}" for i in range(12)), "ln_f.g", "ln_f.b", "lm_head.w", "lm_head.b"]
    assert not find(tree, "blocks.7").isExpanded()
    session.selection.choose(parameter="blocks.7.mlp.c_fc.w")
    assert path(tree.currentItem()) == "blocks.7 › mlp › c_fc.w"
    assert find(tree, "blocks.7").isExpanded()
    assert tree.visualItemRect(tree.currentItem()).intersects(tree.viewport().rect())
    session.document.undo()
    assert len(items(tree)) == 8
