"""A matrix from afar, where several cells share a pixel: the loudest of them is shown."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]


def loudest(
    values: Array, hidden: NDArray[np.bool_] | None, stride: tuple[int, int]
) -> tuple[Array, NDArray[np.bool_] | None]:
    """Of each `stride` cells [rows, columns] NaN, or the largest magnitude, so that nothing loud is lost from afar.

    What is hidden does not count, and a point is hidden where all of its cells are.
    """
    if max(stride) == 1:
        return values, hidden
    low = high = values
    if hidden is not None:
        low, high = np.where(hidden, np.inf, values), np.where(hidden, -np.inf, values)
        hidden = _combined(hidden, stride, np.logical_and)
    low, high = _combined(low, stride, np.minimum), _combined(high, stride, np.maximum)
    with np.errstate(invalid="ignore"):
        return np.where(-low > high, low, high), hidden


def _combined(array: Array, stride: tuple[int, int], combine: np.ufunc) -> Array:
    """`array` [rows, columns] with each `stride` cells combined to one."""
    for count in stride:
        lines = array if count == 1 else np.array(array[::count])
        for offset in range(1, count):
            others = array[offset::count]
            combine(lines[: len(others)], others, out=lines[: len(others)])
        array = np.ascontiguousarray(lines.T)  # whole lines are quick to combine: the other axis comes next
    return array
