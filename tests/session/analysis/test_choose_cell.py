"""Choosing a number chooses the block, head, row and key that it lies in, or its matrix."""

from __future__ import annotations

import pytest

from tests.engine.models import of_kind
from visualizer.formats import OpenedModel
from visualizer.session.analysis.choose_cell import choose_cell
from visualizer.session.selection import CellRef
from visualizer.session.session import Session


@pytest.fixture
def session() -> Session:
    """A model of the Llama kind: two query heads share each head of keys and values."""
    model = of_kind("llama", n_heads=4, n_key_value_heads=2)
    assert (model.config.n_layers, model.config.group_size) == (2, 2)
    return Session(OpenedModel(model, "llama", ""))


def chosen(session: Session, kind: str, name: str, cell: tuple[int, ...]) -> tuple[int, int, int | None, int | None]:
    choose_cell(session, CellRef(kind, name, cell))
    now = session.selection.now
    assert now.cell == CellRef(kind, name, cell)
    return now.block, now.head, now.row, now.key


def test_a_weight_of_attention_lies_at_a_query_and_a_key_of_a_head(session: Session) -> None:
    assert chosen(session, "activation", "blocks.1.attn.pattern", (3, 2, 1)) == (1, 3, 2, 1)


def test_what_has_no_head_or_key_leaves_the_head_and_marks_no_key(session: Session) -> None:
    session.selection.choose(head=2, key=1)
    assert chosen(session, "activation", "blocks.0.resid_mid", (1, 0)) == (0, 2, 1, None)
    assert chosen(session, "activation", "logits", (2, 3)) == (0, 2, 2, None)


def test_a_key_belongs_to_the_first_head_that_reads_it_unless_the_chosen_one_does(session: Session) -> None:
    assert chosen(session, "activation", "blocks.1.attn.k", (2, 1, 0)) == (1, 2, 2, None)
    session.selection.choose(head=3)
    assert chosen(session, "activation", "blocks.1.attn.v", (0, 1, 1)) == (1, 3, 0, None)


def test_a_weight_is_chosen_with_its_matrix_and_block_and_leaves_the_row(session: Session) -> None:
    session.selection.choose(row=1, key=0)
    assert chosen(session, "parameter", "blocks.1.attn.c_proj.w", (0, 0)) == (1, 0, 1, 0)
    assert session.selection.now.parameter == "blocks.1.attn.c_proj.w"


def test_what_this_model_does_not_have_is_chosen_alone(session: Session) -> None:
    session.selection.choose(block=1, row=2)
    assert chosen(session, "activation", "blocks.7.attn.gate", (0,)) == (1, 0, 2, None)


def test_what_else_is_said_comes_before_what_the_number_says(session: Session) -> None:
    choose_cell(session, CellRef("parameter", "lm_head.w", (0, 0)), row=4, key=None)
    assert (session.selection.now.row, session.selection.now.parameter) == (4, "lm_head.w")
