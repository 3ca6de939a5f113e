"""The present step beside what it is compared with: the pinned baseline, or the state before the last change."""

from __future__ import annotations

from dataclasses import dataclass

from visualizer.session.evaluation.difference import FlippedToken, Ripple, first_flip, is_small, ripple
from visualizer.session.evaluation.result import Result


@dataclass(frozen=True)
class Comparison:
    """The present step beside what it is compared with.

    Attributes:
        against: "baseline", "last change", or empty where there is nothing to compare with.
        ripple: None where the two saw different tokens, or where it is being computed.
        flip: the first generated token that differs.
        kept: whether the internals of what is compared with are at hand.
    """

    against: str = ""
    ripple: Ripple | None = None
    flip: FlippedToken | None = None
    kept: bool = True


def compare(result: Result, step: int) -> Comparison:
    """What differs at one step from the pinned baseline; without one, from the state before the last change."""
    trace = result.trace(step)
    pinned = result.baseline
    if pinned is not None:
        flip = first_flip(result.steps, [chosen.token for chosen in pinned.steps])
        if pinned.ripple is not None and result.snapshot.step == step:
            return Comparison("baseline", pinned.ripple, flip)
        base = pinned.trace
        moved = ripple(trace, base) if trace is not None and base is not None and is_small(trace) else None
        return Comparison("baseline", moved, flip)
    earlier = result.earlier
    if earlier is None:
        return Comparison()
    base = earlier.traces[step] if step < len(earlier.traces) else None
    moved = ripple(trace, base) if trace is not None and base is not None else None
    return Comparison("last change", moved, first_flip(result.steps, earlier.tokens), bool(earlier.traces))
