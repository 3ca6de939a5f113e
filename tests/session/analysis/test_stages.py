"""The stages: in the order of the operations, each with its shapes, and with one head's very numbers."""

from typing import Any

import numpy as np
import pytest

from tests.engine.models import KINDS, of_kind
from visualizer.engine.memory import LARGE_VOCABULARY
from visualizer.formats import OpenedModel, open_model
from visualizer.session.analysis.stage_values import StageValues
from visualizer.session.analysis.stages import Section, StageMatrix, sections_of
from visualizer.session.document.edits import SetBaseline, SetCells, SetPrompt
from visualizer.session.document.state import Baseline
from visualizer.session.selection import CellRef
from visualizer.session.session import Session


def session_of(kind: str, **changes: Any) -> Session:
    """A session on a random model of a kind, with five tokens."""
    session = Session(OpenedModel(of_kind(kind, **changes), kind, kind))
    session.document.apply(SetPrompt([3, 1, 4, 1, 5]))
    return session


def sections(session: Session, vocabulary: tuple[int, ...] = ()) -> tuple[Section, ...]:
    """The stages of the session's pass."""
    assert session.trace is not None
    return sections_of(session.trace, session.document.state.model.config, vocabulary)


def matrices(session: Session, vocabulary: tuple[int, ...] = ()) -> list[StageMatrix]:
    """Every matrix of every stage."""
    stages = [stage for section in sections(session, vocabulary) for stage in section.stages]
    return [matrix for stage in stages for matrix in (*stage.parameters, *stage.results)]


def named(found: list[StageMatrix], name: str) -> StageMatrix:
    """The first matrix with a name."""
    return next(matrix for matrix in found if matrix.name == name)


@pytest.mark.parametrize("kind", KINDS)
def test_the_stages_are_the_operations_in_their_order(kind: str) -> None:
    session = session_of(kind)
    assert session.trace is not None
    stages = [stage for section in sections(session) for stage in section.stages]
    assert [stage.name for stage in stages] == [op.name for op in session.trace.graph.operations]
    results = [result.name for stage in stages for result in stage.results]
    assert results == list(session.trace.graph.names)


@pytest.mark.parametrize("kind", KINDS)
def test_every_parameter_is_shown_where_it_is_used(kind: str) -> None:
    session = session_of(kind)
    shown = {matrix.name for matrix in matrices(session) if matrix.kind == "parameter"}
    assert shown == set(session.document.state.model.parameters)


def test_sections_are_the_input_each_block_and_the_output() -> None:
    titles = [(section.title, section.block) for section in sections(session_of("gpt-2"))]
    assert titles == [("Input", None), ("Block 0", 0), ("Block 1", 1), ("Output", None)]


@pytest.mark.parametrize("kind", KINDS)
def test_every_matrix_shows_the_numbers_of_the_trace(kind: str) -> None:
    session = session_of(kind)
    session.selection.choose(head=1)
    trace, values = session.trace, StageValues(session)
    assert trace is not None
    for matrix in matrices(session):
        shown = values.values(matrix)
        assert shown.shape == matrix.size, matrix.name
        whole = session.document.state.model.parameters if matrix.kind == "parameter" else trace
        for row, column in ((0, 0), (matrix.size[0] - 1, matrix.size[1] - 1)):
            ref = values.cell(matrix, row, column)
            np.testing.assert_allclose(shown[row, column], whole[ref.name][ref.cell], rtol=1e-12, atol=1e-14)
            assert values.place(matrix, ref) == (row, column)


@pytest.mark.parametrize("kind", KINDS)
def test_a_derived_activation_of_one_head_is_that_of_all_heads(kind: str) -> None:
    trace = session_of(kind).trace
    assert trace is not None
    for name in trace:
        axes = trace.axes(name)
        if "head" in axes:
            for head in range(2):
                own = head * trace[name].shape[axes.index("head")] // 2
                expected = trace[name].take(own, axis=axes.index("head"))
                np.testing.assert_allclose(trace.head(name, head), expected, rtol=1e-12, atol=1e-14)


def test_a_cell_of_another_head_has_no_place() -> None:
    session = session_of("gpt-2")
    values = StageValues(session)
    pattern = named(matrices(session), "blocks.0.attn.pattern")
    assert values.place(pattern, CellRef("activation", pattern.name, (0, 3, 2))) == (3, 2)
    assert values.place(pattern, CellRef("activation", pattern.name, (1, 3, 2))) is None
    assert values.place(pattern, CellRef("activation", pattern.name, (0, 9, 2))) is None


def test_formulas_name_what_is_read_and_leave_out_an_absent_bias() -> None:
    found = matrices(session_of("gpt-2"))
    assert named(found, "blocks.0.resid_mid").formula == "resid_pre + attn_out"
    assert named(found, "blocks.0.attn.k").formula == "x W_k + b"
    assert named(found, "blocks.0.mlp.post").formula == "gelu_new(pre)"
    bare = session_of("gpt-2")
    parameters = {n: w for n, w in bare.document.state.model.parameters.items() if not n.endswith(".b")}
    model = type(bare.document.state.model)(bare.document.state.model.config, parameters)
    without = Session(OpenedModel(model, "bare", "bare"))
    without.document.apply(SetPrompt([1, 2]))
    assert named(matrices(without), "blocks.0.attn.k").formula == "x W_k"


def test_of_a_large_vocabulary_only_the_tokens_asked_for_are_computed() -> None:
    session = session_of("gpt-2", d_vocab=LARGE_VOCABULARY + 1)
    trace, values = session.trace, StageValues(session)
    assert trace is not None
    assert "logits" not in trace.recorded
    found = matrices(session, (7, 3, 5000 % LARGE_VOCABULARY))
    logits, probs, tokens = named(found, "logits"), named(found, "probs"), named(found, "wte")
    assert tokens.row_ids == (1, 3, 4, 5)
    shown, last = values.values(logits), values.values(probs)
    assert (shown.shape, last.shape) == ((5, 3), (1, 3))
    assert "logits" not in trace.recorded
    np.testing.assert_allclose(shown, trace["logits"][:, list(logits.column_ids or ())], rtol=1e-10)
    np.testing.assert_allclose(last[0], trace["probs"][-1, list(probs.column_ids or ())], rtol=1e-10)
    assert values.cell(probs, 0, 1) == CellRef("activation", "probs", (4, 3))


def test_the_comparison_shows_baseline_and_difference() -> None:
    session = Session(open_model("aab"))
    session.document.apply(SetBaseline(Baseline(session.document.state.model)))
    session.document.apply(SetCells("wte", (0, 5), 3.0))
    found = matrices(session)
    embed, table = named(found, "embed"), named(found, "wte")
    shown = {}
    for comparison in ("value", "baseline", "difference"):
        session.selection.choose(comparison=comparison)
        values = StageValues(session)
        shown[comparison] = (values.values(embed)[0, 5], values.values(table)[0, 5])
        assert values.is_difference(embed) == (comparison == "difference")
        beside = values.beside(embed)
        assert (None if beside is None else beside[0, 5]) == {"value": 1, "baseline": 3}.get(comparison)
    assert shown == {"value": (3, 3), "baseline": (1, 1), "difference": (2, 2)}


def test_an_edit_changes_the_origin_of_what_it_reaches_and_of_no_other_parameter() -> None:
    session = Session(open_model("aab"))
    found = matrices(session)
    before = StageValues(session)
    session.document.apply(SetCells("blocks.0.attn.c_proj.w", (0, 0), 3.0))
    after = StageValues(session)
    for name, same in (("blocks.0.attn_out", False), ("blocks.0.attn.c_proj.w", False), ("wte", True)):
        matrix = named(found, name)
        assert (before.origin(matrix)[0] is after.origin(matrix)[0]) == same, name
    changed = after.changed(named(found, "blocks.0.attn.c_proj.w"))
    assert changed is not None
    assert np.argwhere(changed).tolist() == [[0, 0]]
