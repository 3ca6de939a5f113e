"""Numbers that settings must be: whole, or finite, and not below a bound."""

from __future__ import annotations

import math

import numpy as np

from visualizer.errors import TrainingError, short_repr

#: No setting or size is larger, so that products of a few of them are numbers that can be written out.
LARGEST = 2**63 - 1


def require_whole(name: str, value: object, lowest: int) -> None:
    """Refuse what is not a whole number from `lowest` on. Raises TrainingError."""
    whole = isinstance(value, int | np.integer) and not isinstance(value, bool)
    if not whole or not lowest <= value <= LARGEST:  # type: ignore[operator]
        raise TrainingError(f"{name} is {short_repr(value)}; a whole number of at least {lowest} is needed")


def require_number(name: str, value: object, needed: str, lowest: float = 0.0, below: float = math.inf) -> None:
    """Refuse what is no number from `lowest` up to, not including, `below`; `needed` says so. Raises TrainingError."""
    try:
        number = math.nan if isinstance(value, bool | str) else float(value)  # type: ignore[arg-type]
    except (TypeError, ValueError, OverflowError):
        number = math.nan
    if not lowest <= number < below:
        raise TrainingError(f"{name} is {short_repr(value)}; {needed} is needed")
