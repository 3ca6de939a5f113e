"""The ripple of a change: the first operation, how far each stage moved, and the first token that flipped."""

from __future__ import annotations

import math

import numpy as np
import pytest

from tests.engine.models import KINDS, of_kind
from visualizer.engine.interventions import Intervention
from visualizer.formats import OpenedModel, open_model
from visualizer.session.document.edits import SetCells, SetInterventions, SetPrompt, pin_baseline
from visualizer.session.evaluation import difference as ripples
from visualizer.session.evaluation.comparison import Comparison, compare
from visualizer.session.evaluation.difference import ripple
from visualizer.session.session import Session

TOKENS = [1, 5, 0, 2]


@pytest.fixture
def session() -> Session:
    """The article's model."""
    return Session(open_model("aab"))


def compared(session: Session, step: int = 0) -> Comparison:
    assert session.result is not None
    return compare(session.result, step)


def changed_places(session: Session) -> frozenset[int]:
    """The places of the text that are marked as changed."""
    assert session.result is not None
    return session.result.changed


@pytest.mark.parametrize("kind", KINDS)
def test_every_stage_tells_its_largest_difference_and_where_it_is(kind: str) -> None:
    model = of_kind(kind)
    name = next(n for n in model.graph.names if n.endswith(("mlp.post", "attn_out")))
    before = model.forward(TOKENS)
    now = model.forward(TOKENS, interventions=[Intervention(name, "scale", (), 1.5)])
    found = ripple(now, before)
    assert found is not None
    assert found.first is not None
    assert found.first.name == name
    assert [stage.name for stage in found.stages] == list(model.graph.names)
    for stage in found.stages:
        differences = np.abs(now[stage.name] - before[stage.name])
        if stage.name.endswith((".scores", ".pattern")):
            differences = np.tril(differences)
        assert stage.largest == differences.max()
        if stage.moved:
            assert differences[stage.cell] == stage.largest
            assert (stage.before, stage.now) == (before[stage.name][stage.cell], now[stage.name][stage.cell])


def test_nan_is_an_infinite_difference_but_not_against_itself() -> None:
    model = of_kind("gpt-2")
    poisoned = [Intervention("blocks.0.resid_mid", "set", (("position", 1), ("d_model", 2)), math.nan)]
    now, before = model.forward(TOKENS, interventions=poisoned), model.forward(TOKENS)
    found = ripple(now, before)
    assert found is not None
    assert found.first is not None
    assert (found.first.name, found.first.cell, found.first.largest) == ("blocks.0.resid_mid", (1, 2), math.inf)
    itself = ripple(now, model.forward(TOKENS, interventions=poisoned))
    assert itself is not None
    assert itself.first is None


def test_other_tokens_are_not_compared() -> None:
    model = of_kind("gpt-2")
    assert ripple(model.forward(TOKENS), model.forward(TOKENS[:3])) is None


def test_without_a_baseline_the_state_before_the_last_change_is_compared_with(session: Session) -> None:
    assert compared(session).against == ""
    session.document.apply(SetCells("blocks.0.attn.c_attn.w", (6, 23), 3.0))
    found = compared(session)
    assert found.against == "last change"
    assert found.ripple is not None
    assert found.ripple.first is not None
    assert found.ripple.first.name == "blocks.0.attn.v"
    # Looking at another step, generating more, or moving about is no change.
    session.generate(12)
    assert compared(session).ripple == found.ripple
    session.document.apply(SetPrompt("ab"))
    assert compared(session).against == ""


def test_a_baseline_is_compared_with_until_it_is_unpinned(session: Session) -> None:
    session.document.apply(pin_baseline(session.document.state))
    same = compared(session)
    assert same.against == "baseline"
    assert same.ripple is not None
    assert same.ripple.first is None
    assert same.flip is None
    session.document.apply(SetCells("blocks.0.attn.c_attn.w", (6, 23), 3.0))
    session.document.apply(SetCells("wpe", (0, 0), 2.0))
    moved = compared(session)
    assert moved.ripple is not None
    assert moved.ripple.first is not None
    assert moved.ripple.first.name == "pos_embed"
    assert moved.flip is not None
    result = session.result
    assert result is not None
    assert result.baseline is not None
    old = [step.token for step in result.baseline.steps]
    new = [step.token for step in result.steps]
    assert old[: moved.flip.step] == new[: moved.flip.step]
    assert (old[moved.flip.step], new[moved.flip.step]) == (moved.flip.before, moved.flip.now)
    assert moved.flip.before != moved.flip.now


def test_a_large_pass_is_compared_where_it_is_evaluated(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ripples, "AT_ONCE", 10)
    session = Session(OpenedModel(of_kind("gpt-2"), "random", "random"))
    session.document.apply(SetPrompt((1, 2, 3)))
    session.document.apply(pin_baseline(session.document.state))
    session.document.apply(SetInterventions((Intervention("blocks.1.attn.z", "zero"),)))
    assert session.result is not None
    assert session.result.baseline is not None
    assert session.result.baseline.ripple is not None
    found = compared(session)
    assert found.ripple is session.result.baseline.ripple
    assert found.ripple.partial
    assert found.ripple.first is not None
    assert found.ripple.first.name == "blocks.1.attn.z"
    assert "blocks.1.attn.qk" not in [stage.name for stage in found.ripple.stages]


def test_of_what_takes_much_memory_only_the_tokens_are_kept_to_compare_with(
    monkeypatch: pytest.MonkeyPatch, session: Session
) -> None:
    monkeypatch.setattr(ripples, "KEPT_BYTES", 100)
    session.document.apply(SetCells("blocks.0.attn.c_attn.w", (6, 23), 3.0))
    found = compared(session)
    assert not found.kept
    assert found.ripple is None
    assert found.flip is not None


def test_a_drag_is_compared_with_what_was_there_before_it_began(session: Session) -> None:
    cell = (6, 23)
    for value in (0.5, 2.0, 3.0):
        session.document.apply(SetCells("blocks.0.attn.c_attn.w", cell, value, gesture="drag"))
    dragged, changed = compared(session), changed_places(session)
    session.document.undo()
    assert changed_places(session) == changed  # undo is a change of its own
    session.document.apply(SetCells("blocks.0.attn.c_attn.w", cell, 3.0))
    assert compared(session) == dragged
    assert changed_places(session) == changed != set()


def test_dragging_back_leaves_nothing_changed(session: Session) -> None:
    value = float(session.document.state.model.parameters["blocks.0.attn.c_attn.w"][6, 23])
    for dragged in (3.0, value):
        session.document.apply(SetCells("blocks.0.attn.c_attn.w", (6, 23), dragged, gesture="drag"))
    found = compared(session)
    assert found.ripple is not None
    assert found.ripple.first is None
    assert not changed_places(session)
