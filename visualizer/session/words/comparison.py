"""Present numbers, the baseline's, or the difference of the two: which are shown, and what a title says of it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]

#: What is added to a title, by what is shown of the numbers.
ADDED = {"value": "", "baseline": " of the baseline", "difference": " − baseline"}
#: The same as a sentence.
SENTENCES = {
    "value": "",
    "baseline": "The numbers are those of the baseline.",
    "difference": "The numbers are the present ones minus the baseline's.",
}


def compared(comparison: str, now: Callable[[], Array], baseline: Callable[[], Array] | None) -> Array:
    """The numbers to show, of the same shape in each case; without a baseline the present ones.

    Only those that are needed are asked for.
    """
    if baseline is None or comparison == "value":
        return now()
    before = baseline()
    if comparison == "baseline":
        return before
    with np.errstate(all="ignore"):
        difference: Array = now() - before
    return difference
