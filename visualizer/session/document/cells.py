"""Which cells of a parameter: one form from the grid to the array, that of a NumPy index."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from visualizer.errors import EditError

Array = NDArray[Any]
#: An entry for each axis of the parameter: whole numbers for one cell, as in `CellRef.cell`; for several, integer
#: arrays of one length, as `np.nonzero` gives them.
Cells = tuple[int | NDArray[np.intp], ...]


def count(cells: Cells) -> int:
    """How many cells there are."""
    return np.broadcast(*cells).size if cells else 0


def named(parameter: str, cells: Cells) -> str:
    """How a title names the cells: `wte[0,5]`, or `12 cells of wte`."""
    if count(cells) == 1:
        return f"{parameter}[{','.join(str(int(np.asarray(axis).item())) for axis in cells)}]"
    return f"{count(cells)} cells of {parameter}"


def are_same(left: Cells, right: Cells) -> bool:
    """Whether both are the same cells in the same order."""
    return len(left) == len(right) and all(map(np.array_equal, left, right))


def check(parameter: str, array: Array, cells: Cells) -> None:
    """See that the array of a parameter has the cells.

    Raises:
        EditError: there are none, or it does not have one of them.
    """
    if count(cells) == 0:
        raise EditError(f"no cell of {parameter} is selected; select at least one")
    places = [np.atleast_1d(axis) for axis in cells]
    wrong = np.zeros(count(cells), dtype=np.bool_)
    if len(cells) != array.ndim:
        wrong[:] = True
    for axis, size in zip(places, array.shape, strict=False):
        wrong |= (axis < 0) | (axis >= size)
    if wrong.any():
        cell = [int(axis[int(wrong.argmax())]) for axis in places]
        raise EditError(f"{parameter} {list(array.shape)} has no cell {cell}")
