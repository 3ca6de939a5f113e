"""The document's content at one moment, as a value."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from visualizer.engine.interventions import Intervention
from visualizer.engine.memory import pass_bytes, require_pass_memory
from visualizer.engine.model import Model
from visualizer.engine.sampling import Sampling
from visualizer.errors import TokenError
from visualizer.formats import OpenedModel

Array = NDArray[Any]
DEFAULT_LENGTH = 10
#: So many numbers fit the cache beside those that they are compared with.
COMPARED_AT_ONCE = 2**15
#: Repetitions of the pattern over which the accuracy is measured.
PATTERN_REPEATS = 10
#: A pattern is repeated up to so many tokens to begin with, however long the context is.
LONGEST_EXAMPLE = 64


@dataclass(frozen=True)
class Branch:
    """One way that the text goes on: tokens that are forced at some places, and the model's own between them.

    Attributes:
        name: what a person calls it.
        forced: (place in the text, token id), in the order of places.
    """

    name: str
    forced: tuple[tuple[int, int], ...] = ()


@dataclass(frozen=True)
class Baseline:
    """What the present is compared with: a model and the interventions that were pinned.

    It is run on whatever prompt is shown, so that the two can be compared number by number.
    """

    model: Model
    interventions: tuple[Intervention, ...] = ()


@dataclass(frozen=True)
class State:
    """Everything that an edit can change, and undo can bring back.

    Attributes:
        opened: the model as it was opened, which a reset goes back to.
        model: the model as it is now.
        prompt: ids of the prompt.
        length: how many tokens are generated after it.
        sampling: how they are chosen.
        interventions: what is done to activations on the way.
        branches, branch: the ways that the text can go on, and which of them is shown.
        baseline: what is compared with; None where nothing is pinned.
        second_prompt: ids of a second prompt to look at beside the first; None where there is none.
    """

    opened: OpenedModel
    model: Model
    prompt: tuple[int, ...]
    length: int = DEFAULT_LENGTH
    sampling: Sampling = field(default_factory=Sampling)
    interventions: tuple[Intervention, ...] = ()
    branches: tuple[Branch, ...] = (Branch("main"),)
    branch: int = 0
    baseline: Baseline | None = None
    second_prompt: tuple[int, ...] | None = None

    @classmethod
    def opening(cls, opened: OpenedModel, prompt: str | None = None) -> State:
        """The first state for a model: the given prompt, or one that suits it."""
        model = opened.model
        if prompt is None:
            prompt = default_prompt(opened)
        # No text is no tokens, also for a model that has no tokenizer to read it.
        return cls(opened, model, tuple(map(int, model.ids(prompt or ()))))

    def with_(self, **changes: Any) -> State:  # noqa: ANN401
        """A copy with some fields replaced."""
        return replace(self, **changes)

    @property
    def prompt_text(self) -> str:
        """The prompt as text."""
        return self.model.text(self.prompt)

    def is_changed(self, parameter: str) -> bool:
        """Whether a parameter's numbers differ from the model as it was opened."""
        now, then = self.model.parameters[parameter], self.opened.model.parameters[parameter]
        return now is not then and not _are_same(now, then)


def _are_same(left: Array, right: Array) -> bool:
    """Whether two parameters have the same numbers, NaN being one; of large ones no more is read than it takes."""
    rows = max(1, COMPARED_AT_ONCE // max(1, left[:1].size))
    for start in range(0, len(left), rows):
        one, other = left[start : start + rows], right[start : start + rows]
        if not (one == other).all() and not np.array_equal(one, other, equal_nan=True):
            return False
    return True


def check_memory(state: State) -> None:
    """Refuse a state whose passes, of the model, the baseline and a second prompt, need more memory than there is.

    Raises:
        TooLargeError: with what they need.
    """
    config = state.model.config
    passes = 1 if state.baseline is None else 2
    measured = PATTERN_REPEATS * len(state.opened.pattern or "")
    longest = min(max(len(state.prompt) + state.length, measured), config.n_ctx)
    second = min(len(state.second_prompt or ()), config.n_ctx)
    needed = passes * (pass_bytes(config, longest) + (pass_bytes(config, second) if second else 0))
    require_pass_memory(needed, f"a text of {len(state.prompt)} tokens and {state.length} more")


def default_prompt(opened: OpenedModel) -> str:
    """A prompt to begin with: the model's own example, else its pattern repeated, until a short context is full."""
    model = opened.model
    if opened.prompt is not None and is_readable(model, opened.prompt):
        return opened.prompt
    if opened.pattern:
        length = min(model.config.n_ctx, LONGEST_EXAMPLE)
        return (opened.pattern * length)[:length]
    return ""


def is_readable(model: Model, text: str) -> bool:
    """Whether the model has a token for every part of the text."""
    try:
        model.ids(text)
    except TokenError:
        return False
    return True
