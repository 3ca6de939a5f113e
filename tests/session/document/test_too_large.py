"""What memory has no room for is refused before it is evaluated, and nothing has changed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from visualizer.engine.config import ModelConfig
from visualizer.engine.model import Model
from visualizer.engine.parameters import parameter_shapes
from visualizer.errors import TooLargeError
from visualizer.formats import OpenedModel, open_model
from visualizer.session.document.edits import Edit, OpenModel, SetGeneration, SetPrompt, SetSecondPrompt, pin_baseline
from visualizer.session.document.state import LONGEST_EXAMPLE, PATTERN_REPEATS, State, check_memory, default_prompt
from visualizer.session.evaluation.request import Request, accuracy_rows
from visualizer.session.evaluation.snapshot import Snapshot
from visualizer.session.session import Session
from visualizer.tokenizers import CharacterTokenizer


def of_long_context(n_heads: int = 1, pattern: str | None = "aab") -> OpenedModel:
    """A model that is small on disk and allows a billion positions."""
    config = ModelConfig(
        n_layers=1, d_model=8, n_heads=n_heads, d_head=1, n_ctx=10**9, d_vocab=2, attn_only=True,
        positional_embedding_type="sinusoidal", normalization_type=None,
    )  # fmt: skip
    arrays = {name: np.zeros(shape) for name, shape in parameter_shapes(config).items()}
    return OpenedModel(Model(config, arrays, CharacterTokenizer("ab")), "long", "long", pattern)


def test_a_pattern_is_repeated_up_to_a_bound_however_long_the_context_is() -> None:
    opened = of_long_context()
    assert default_prompt(opened) == ("aab" * LONGEST_EXAMPLE)[:LONGEST_EXAMPLE]
    assert Session(opened).result is not None
    assert default_prompt(open_model("aab")) == "aabaa"


LARGE: dict[str, Callable[[Session], Edit]] = {
    "prompt": lambda _session: SetPrompt("a" * 200_000),
    "second prompt": lambda _session: SetSecondPrompt("a" * 200_000),
    "generation": lambda session: SetGeneration(200_000, session.document.state.sampling),
    "model": lambda _session: OpenModel(of_long_context(), "a" * 200_000),
    "heads": lambda _session: OpenModel(of_long_context(n_heads=20_000, pattern="aab" * 20)),
}


@pytest.mark.parametrize("edit", LARGE.values(), ids=LARGE)
def test_an_edit_that_memory_has_no_room_for_is_refused(edit: Callable[[Session], Edit]) -> None:
    session = Session(of_long_context())
    before = session.document.state
    with pytest.raises(TooLargeError, match="GB of memory"):
        session.document.apply(edit(session))
    assert session.document.state is before
    assert session.document.history() == ([], 0)


def test_a_baseline_counts_as_a_second_pass(monkeypatch: pytest.MonkeyPatch) -> None:
    from visualizer.engine import memory

    state = State.opening(of_long_context(), "a" * 100)
    pinned = pin_baseline(state).apply(state)[0]
    monkeypatch.setattr(memory, "pass_limit", lambda: 300_000)
    check_memory(state)
    with pytest.raises(TooLargeError, match="a text of 100 tokens and 10 more needs about"):
        check_memory(pinned)


# -- what is counted to tell small work from large


def cost(state: State) -> float:
    return Request(Snapshot(0, state)).cost()


def test_the_handmade_model_is_evaluated_at_once_whatever_is_looked_at() -> None:
    state = State.opening(open_model("aab"))
    full = pin_baseline(SetSecondPrompt("abaab").apply(state)[0]).apply(SetSecondPrompt("abaab").apply(state)[0])[0]
    assert cost(state) < cost(full) < 5e6


def test_all_that_an_evaluation_computes_is_counted() -> None:
    state = State.opening(of_long_context(pattern=None), "a" * 10).with_(length=0)
    pattern = replace(state.opened, pattern="aab" * 50)
    wider = {
        "a longer prompt": state.with_(prompt=state.prompt * 2),
        "a second prompt": SetSecondPrompt("a" * 100).apply(state)[0],
        "a baseline": pin_baseline(state).apply(state)[0],
        "a pattern": state.with_(opened=pattern),
        "a branch": state.with_(branches=state.branches * 2),
    }
    for name, other in wider.items():
        assert cost(other) > 1.5 * cost(state), name


def test_the_rows_of_the_accuracy_are_those_of_its_passes() -> None:
    assert accuracy_rows(3, 5, False) == 5 + (3 * PATTERN_REPEATS - 5) * 5
    assert accuracy_rows(3, 5, True) == 1 + 2 + 3 + 4 + 5 + (3 * PATTERN_REPEATS - 5) * 5
    assert accuracy_rows(3, 10**9, False) == 3 * PATTERN_REPEATS
