"""The cache map says of each row what generation really did with it."""

from dataclasses import fields, is_dataclass

import numpy as np
import pytest

from tests.engine.models import of_kind
from visualizer.engine.interventions import Intervention
from visualizer.engine.trace import Trace
from visualizer.formats import OpenedModel
from visualizer.session.document.edits import (
    SetCells,
    SetGeneration,
    SetInterventions,
    SetPrompt,
    SetSecondPrompt,
    pin_baseline,
)
from visualizer.session.evaluation.cache_map import (
    ABSENT,
    AGAIN,
    COMPUTED,
    COPIED,
    REUSED,
    cache_map,
    said,
    without_internals,
)
from visualizer.session.evaluation.result import Result
from visualizer.session.session import Session


@pytest.fixture
def session() -> Session:
    """Two blocks, a context of eight, a prompt of three, and four tokens after it."""
    session = Session(OpenedModel(of_kind("gpt-2", n_ctx=8), "small", "small"))
    session.document.apply(SetPrompt((1, 4, 0)))
    session.document.apply(SetGeneration(4, session.document.state.sampling))
    return session


def shown(session: Session) -> Result:
    """The present result."""
    assert session.result is not None
    return session.result


def passes_in(value: object) -> list[Trace]:
    """Every pass that a result keeps alive."""
    if isinstance(value, Trace):
        return [value]
    if is_dataclass(value):
        value = tuple(getattr(value, part.name) for part in fields(value))
    return [found for part in value for found in passes_in(part)] if isinstance(value, tuple) else []


def test_the_first_step_computes_the_prompt_and_each_next_one_row() -> None:
    session = Session(OpenedModel(of_kind("gpt-2", n_ctx=8), "small", "small"))
    session.document.apply(SetPrompt((1, 4, 0)))
    states = cache_map(shown(session), 0)
    assert states[:4, :3].tolist() == [
        [COMPUTED, REUSED, REUSED],
        [COMPUTED, REUSED, REUSED],
        [COMPUTED, REUSED, REUSED],
        [ABSENT, COMPUTED, REUSED],
    ]
    assert said(states, 1) == "3 reused from the key/value cache, 1 computed"
    assert said(states, 1, 3) == "computed"
    assert (states[:, -1] == COMPUTED).all()  # the window has slid: nothing can be reused


def test_what_no_edit_reaches_is_copied_and_the_rest_computed_again(session: Session) -> None:
    before = shown(session)
    session.document.apply(SetCells("blocks.1.attn.c_attn.w", (0, 9), 0.25))
    after = shown(session)
    first, second = (cache_map(after, block) for block in (0, 1))
    assert first[:, 0].tolist()[:3] == [COPIED] * 3
    assert second[:, 0].tolist()[:3] == [AGAIN] * 3
    assert (first[:3, 1] == REUSED).all()
    # Once the text is another one, what is computed is new.
    same = [before.context(step) == after.context(step) for step in range(5)]
    for step in range(1, 5):
        assert second[step + 2, step] == (AGAIN if same[step] else COMPUTED)


def test_a_longer_text_copies_and_invalidates_nothing(session: Session) -> None:
    session.document.apply(SetGeneration(5, session.document.state.sampling))
    states = cache_map(shown(session), 1)
    assert not np.isin(states, [AGAIN]).any()
    assert (states[:3, 0] == COPIED).all()


def test_a_slid_window_copies_what_nothing_reaches() -> None:
    session = Session(OpenedModel(of_kind("gpt-2", n_ctx=4), "small", "small"))
    session.document.apply(SetPrompt((1, 4, 0)))
    slid = [number for number, step in enumerate(shown(session).steps) if step.context_start > 0]
    before = shown(session)
    session.document.apply(SetGeneration(12, session.document.state.sampling))
    longer = shown(session)
    known = [step for step in slid if before.context(step) == longer.context(step)]
    assert known
    assert (cache_map(longer, 1)[:, known] == COPIED).all()
    last = len(longer.steps) - 1  # nobody has seen this window before
    assert (cache_map(longer, 1)[:, last] == COMPUTED).all()
    session.document.apply(SetCells("blocks.1.attn.c_attn.w", (0, 9), 0.25))
    after = shown(session)
    same = [step for step in slid if longer.context(step) == after.context(step)]
    assert same
    assert (cache_map(after, 0)[:, same] == COPIED).all()
    assert (cache_map(after, 1)[:, same] == AGAIN).all()


def test_an_intervention_behind_the_keys_leaves_them_copied(session: Session) -> None:
    session.document.apply(SetInterventions((Intervention("blocks.0.attn.z", "zero"),)))
    session.document.apply(SetInterventions((Intervention("blocks.1.attn.z", "zero"),)))
    first = shown(session)
    assert (cache_map(first, 0)[:3, 0] == COPIED).all()
    assert (cache_map(first, 1)[:3, 0] == AGAIN).all()


def test_interventions_reuse_nothing_of_the_cache(session: Session) -> None:
    session.document.apply(SetInterventions((Intervention("blocks.0.attn.q", "zero"),)))
    for block in (0, 1):
        states = cache_map(shown(session), block)
        assert not np.isin(states, [REUSED, COPIED]).any()
        assert (states[:3, 0] == AGAIN).all()


def test_an_empty_context_has_no_rows() -> None:
    session = Session(OpenedModel(of_kind("gpt-2"), "small", "small"))
    session.document.apply(SetPrompt(()))
    assert said(cache_map(shown(session), 0), 0) == "an empty context: nothing to compute"


def test_it_can_be_told_after_the_numbers_are_let_go_of(session: Session) -> None:
    session.document.apply(pin_baseline(session.document.state))
    session.document.apply(SetSecondPrompt((1, 2)))
    session.document.apply(SetCells("blocks.1.attn.c_attn.w", (0, 9), 0.25))
    assert passes_in(shown(session))
    light = without_internals(shown(session))
    assert not passes_in(light)
    assert (cache_map(light, 1) == cache_map(shown(session), 1)).all()
    assert AGAIN in cache_map(light, 1)
