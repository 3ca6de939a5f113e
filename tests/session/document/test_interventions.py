"""Interventions as edits: their names, what they refuse, and what becomes of them when the prompt changes."""

from __future__ import annotations

import numpy as np
import pytest

from tests.engine.models import KINDS, of_kind
from visualizer.engine.interventions import Intervention, Kind
from visualizer.engine.model import Model
from visualizer.engine.trace import Trace
from visualizer.errors import EditError, InputError
from visualizer.formats import OpenedModel
from visualizer.session.document import interventions as intervening
from visualizer.session.document.edits import SetInterventions, SetPrompt, pin_baseline
from visualizer.session.document.interventions import freeze, intervene, patch, set_value, standing, switch, switch_all
from visualizer.session.session import Session
from visualizer.session.words.activation_parts import ActivationPart, parts_around
from visualizer.tokenizers import CharacterTokenizer

PATTERN, Z = "blocks.0.attn.pattern", "blocks.0.attn.z"


@pytest.fixture
def session() -> Session:
    """A random model of two blocks with two heads over the characters a to f, on five of its six positions."""
    kind = of_kind("gpt-2")
    model = Model(kind.config, dict(kind.parameters.items()), CharacterTokenizer(list("abcdef")))
    return Session(OpenedModel(model, "random", "random"), prompt="abcde")


def trace_of(session: Session, step: int = 0) -> Trace:
    assert session.result is not None
    trace = session.result.trace(step)
    assert trace is not None
    return trace


def part(session: Session, name: str, cell: tuple[int, ...], kind: str) -> ActivationPart:
    return next(p for p in parts_around(session.document.state.model, name, cell) if p.kind == kind)


@pytest.mark.parametrize(
    ("name", "cell", "kind", "words"),
    [
        (Z, (2, 1, 3), "cell", "zero z[2,1,3] of block 0"),
        (Z, (2, 1, 3), "head", "zero head 1 of block 0"),
        (Z, (2, 1, 3), "position", "zero position 2 of z, block 0"),
        (PATTERN, (1, 3, 2), "cell", "zero pattern[1,3,2] of block 0"),
        (PATTERN, (1, 3, 2), "row", "zero query 3 of pattern, head 1, block 0"),
        (PATTERN, (1, 3, 2), "column", "zero key 2 of pattern, head 1, block 0"),
        (PATTERN, (1, 3, 2), "head", "zero head 1 of pattern, block 0"),
        ("blocks.1.mlp.post", (2, 7), "dimension", "zero dimension 7 of mlp.post, block 1"),
        ("blocks.1.mlp_out", (2, 7), "whole", "zero all of mlp_out, block 1"),
        ("embed", (2, 7), "position", "zero position 2 of embed"),
    ],
)
def test_undo_names_what_was_done(session: Session, name: str, cell: tuple[int, ...], kind: str, words: str) -> None:
    session.document.apply(intervene(session.document.state, part(session, name, cell, kind), "zero"))
    assert session.document.history()[0] == [words]


@pytest.mark.parametrize("kind", KINDS)
def test_every_part_of_every_activation_can_be_zeroed_and_undone(kind: str) -> None:
    session = Session(OpenedModel(of_kind(kind), kind, kind))
    session.document.apply(SetPrompt((1, 2, 3, 4)))
    plain = trace_of(session)
    before = {name: np.array(plain[name]) for name in plain}
    for name in plain:
        if name == "probs":
            continue
        cell = tuple(min(1, size - 1) for size in before[name].shape)
        for around in parts_around(session.document.state.model, name, cell):
            session.document.apply(intervene(session.document.state, around, "zero"))
            axes = plain.axes(name)
            where = dict(around.where)
            index = tuple(
                slice(*i) if isinstance(i, tuple) else slice(None) if i is None else i
                for i in (where.get(axis) for axis in axes)
            )
            changed = trace_of(session)[name]
            outside = np.ones(changed.shape, dtype=bool)
            outside[index] = False
            if "key" in axes:
                outside |= np.triu(np.ones(changed.shape, dtype=bool), 1)
            assert not changed[~outside].any(), around
            assert np.array_equal(changed[outside], before[name][outside]), around
            session.document.undo()
    for name, array in before.items():
        assert np.array_equal(trace_of(session)[name], array), name


def test_a_row_of_the_pattern_ends_where_the_mask_begins(session: Session) -> None:
    edit = intervene(session.document.state, part(session, PATTERN, (0, 2, 0), "row"), "set", 0.25)
    session.document.apply(edit)
    assert trace_of(session)[PATTERN][0, 2].tolist() == [0.25, 0.25, 0.25, 0, 0]


@pytest.mark.parametrize(
    ("name", "cell", "extent", "kind", "said"),
    [
        (PATTERN, (0, 1, 3), "cell", "set", "hidden by the mask"),
        ("blocks.0.attn.scores", (0, 1, 3), "cell", "zero", "hidden by the mask"),
        ("probs", (0, 1), "cell", "set", "nothing follows from the probabilities"),
    ],
)
def test_what_would_do_nothing_is_refused(
    session: Session, name: str, cell: tuple[int, ...], extent: str, kind: Kind, said: str
) -> None:
    with pytest.raises(EditError, match=said):
        intervene(session.document.state, part(session, name, cell, extent), kind)


def test_what_the_model_does_not_have_is_refused_before_anything_is_computed(session: Session) -> None:
    for change in (
        Intervention(Z, "zero", (("head", 2),)),
        Intervention(Z, "zero", (("query", 0),)),
        Intervention(Z, "zero", (("position", 6),)),
        Intervention(Z, "patch", (), array=np.zeros((2, 3, 4))),
        Intervention("blocks.9.attn.z", "zero"),
    ):
        with pytest.raises(InputError):
            session.document.apply(SetInterventions((change,)))
    assert session.document.state.interventions == ()


def test_an_intervention_outlives_a_prompt_that_is_too_short_for_it(session: Session) -> None:
    edit = intervene(session.document.state, part(session, "blocks.0.resid_mid", (4, 0), "position"), "zero")
    session.document.apply(edit)
    change = session.document.state.interventions[0]
    session.document.apply(SetPrompt("ab"))
    assert standing(session.document.state.model, change, 2) == "not in this context"
    assert trace_of(session)["blocks.0.resid_mid"].shape == (2, 8)
    # Once there are five tokens it holds again.
    assert not trace_of(session, 3)["blocks.0.resid_mid"][4].any()
    session.document.apply(SetPrompt(""))
    session.document.apply(SetPrompt("fedcb"))
    assert standing(session.document.state.model, change, 5) == "on"
    assert not trace_of(session)["blocks.0.resid_mid"][4].any()


def test_a_baseline_with_interventions_outlives_a_shorter_prompt(session: Session) -> None:
    session.document.apply(intervene(session.document.state, part(session, Z, (4, 0, 0), "position"), "zero"))
    session.document.apply(pin_baseline(session.document.state))
    session.document.apply(SetPrompt("a"))
    assert session.result is not None
    assert session.result.baseline is not None
    assert session.result.baseline.trace is not None


def test_a_frozen_head_stays_while_what_it_reads_changes(session: Session) -> None:
    head = part(session, Z, (0, 1, 0), "head")
    kept = np.array(trace_of(session)[Z])
    session.document.apply(freeze(session.document.state, trace_of(session), head))
    assert session.document.history()[0][-1] == "freeze head 1 of block 0"
    session.document.apply(intervene(session.document.state, ActivationPart("blocks.0.resid_pre", ()), "scale", 2.0))
    now = trace_of(session)[Z]
    assert np.array_equal(now[:, 1], kept[:, 1])
    assert not np.array_equal(now[:, 0], kept[:, 0])
    # Tokens that were not there when it was frozen are free.
    later = trace_of(session, 1)[Z]
    assert np.array_equal(later[:5, 1], kept[:, 1])
    change = session.document.state.interventions[0]
    assert standing(session.document.state.model, change, 6) == "in part"


def test_a_patch_puts_the_numbers_of_another_prompt_there(session: Session) -> None:
    model = session.document.state.model
    other = model.forward("fed")
    session.document.apply(patch(session.document.state, other, part(session, Z, (2, 0, 0), "position")))
    assert np.array_equal(trace_of(session)[Z][2], other[Z][2])
    assert session.document.history()[0][-1] == "patch position 2 of z, block 0 from “fed”"


def test_a_patch_can_go_to_another_position(session: Session) -> None:
    model, name = session.document.state.model, "blocks.0.resid_post"
    other, before = model.forward("fed"), np.array(trace_of(session)[name])
    session.document.apply(patch(session.document.state, other, part(session, name, (2, 0), "position"), 4))
    now = trace_of(session)[name]
    assert np.array_equal(now[4], other[name][2])
    assert np.array_equal(now[:4], before[:4])
    with pytest.raises(EditError, match="there is no position 6"):
        patch(session.document.state, other, part(session, name, (2, 0), "position"), 6)


def test_switching_changing_and_removing_are_steps_of_their_own(session: Session) -> None:
    document = session.document
    plain = np.array(trace_of(session)["logits"])
    document.apply(intervene(document.state, part(session, Z, (0, 0, 0), "head"), "zero"))
    document.apply(intervene(document.state, ActivationPart("blocks.1.mlp_out", ()), "scale", 2.0))
    both = np.array(trace_of(session)["logits"])
    document.apply(switch(document.state, 0, False))
    document.apply(set_value(document.state, 1, 1.0))
    np.testing.assert_allclose(trace_of(session)["logits"], plain, rtol=1e-12)
    document.apply(intervening.remove(document.state, 1))
    document.apply(switch_all(document.state, True))
    titles, done = document.history()
    assert titles[2:] == [
        "switch off: zero head 0 of block 0",
        "scale all of mlp_out, block 1 by 1",
        "remove: scale all of mlp_out, block 1 by 1",
        "switch all interventions on",
    ]
    document.go_to(2)
    assert np.array_equal(trace_of(session)["logits"], both)
    document.go_to(0)
    assert np.array_equal(trace_of(session)["logits"], plain)
    assert done == 6


def test_only_kinds_with_a_number_take_one(session: Session) -> None:
    session.document.apply(intervene(session.document.state, part(session, Z, (0, 0, 0), "head"), "mean"))
    with pytest.raises(EditError, match="has no number"):
        set_value(session.document.state, 0, 1.0)
