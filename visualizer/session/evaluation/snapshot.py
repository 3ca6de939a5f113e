"""What an evaluation is about: the document's state at one revision, and the step that is looked at."""

from __future__ import annotations

from dataclasses import dataclass

from visualizer.session.document.state import State


@dataclass(frozen=True)
class Snapshot:
    """The document as it was when an evaluation was asked for.

    Attributes:
        revision: the document's revision that it describes.
        state: model, prompt, generation settings and interventions, all immutable.
        step: the generation step that is looked at: its internals are kept whatever their size.
        began: the document's revision with which its last step began, a whole drag being one.
    """

    revision: int
    state: State
    step: int = 0
    began: int = 0

    def computes_as(self, other: Snapshot) -> bool:
        """Whether both compute the same from the same tokens."""
        left, right = self.state, other.state
        return left.model is right.model and left.interventions == right.interventions

    def continues_as(self, other: Snapshot) -> bool:
        """Whether both continue the same text in the same way, so that what differs comes of the model."""
        left, right = self.state, other.state
        forced = [state.branches[state.branch].forced for state in (left, right)]
        same = left.opened is right.opened and left.prompt == right.prompt and left.sampling == right.sampling
        return same and forced[0] == forced[1]
