"""Edits of many cells at once: fill, zero, scale, paste and reset, each one step with a name of its own."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from visualizer.errors import EditError
from visualizer.session.document.cells import Cells, check, named
from visualizer.session.document.edits import SetCells, SetParameters
from visualizer.session.document.state import State

Array = NDArray[Any]
#: From here on the whole array is kept for undo, which is smaller and faster than so many single cells.
MANY_CELLS = 4096


def write_cells(state: State, parameter: str, cells: Cells, values: ArrayLike, name: str) -> SetCells | SetParameters:
    """The edit that writes a number into each of the cells, or one into all of them.

    Raises:
        EditError: no cell is chosen, or every one of them holds its number already.
    """
    array = state.model.parameters[parameter]
    check(parameter, array, cells)
    with np.errstate(over="ignore"):
        new = np.asarray(values, dtype=np.float64).astype(array.dtype)
    new = np.broadcast_to(new, array[cells].shape)
    if np.array_equal(array[cells], new, equal_nan=True):
        raise EditError(f"nothing to do: “{name}” would change no number")
    if new.size < MANY_CELLS:
        return SetCells(parameter, cells, new, name=name)
    whole = array.copy()
    whole[cells] = new
    whole.flags.writeable = False
    return SetParameters(((parameter, whole),), name)


def fill_cells(state: State, parameter: str, cells: Cells, value: float, shown: str) -> SetCells | SetParameters:
    """The edit that writes one number into every cell; `shown` is how its title says the number."""
    name = f"fill {named(parameter, cells)} with {shown}"
    return write_cells(state, parameter, cells, value, name)


def zero_cells(state: State, parameter: str, cells: Cells) -> SetCells | SetParameters:
    """The edit that writes 0 into every cell."""
    return write_cells(state, parameter, cells, 0.0, f"zero {named(parameter, cells)}")


def scale_cells(state: State, parameter: str, cells: Cells, factor: float, shown: str) -> SetCells | SetParameters:
    """The edit that multiplies every cell by one number; `shown` is how its title says the number."""
    with np.errstate(over="ignore", invalid="ignore"):
        values = state.model.parameters[parameter][cells].astype(np.float64) * factor
    return write_cells(state, parameter, cells, values, f"scale {named(parameter, cells)} by {shown}")


def reset_cells(state: State, parameter: str, cells: Cells) -> SetCells | SetParameters:
    """The edit that gives every cell the number it had when the model was opened."""
    values = state.opened.model.parameters[parameter][cells]
    return write_cells(state, parameter, cells, values, f"reset {named(parameter, cells)}")


def paste_block(state: State, parameter: str, row: int, column: int, block: Array) -> SetCells | SetParameters:
    """The edit that writes `block` [rows, columns] with its first cell at (row, column); a vector is one row.

    Raises:
        EditError: the block reaches beyond the matrix; nothing is cut off.
    """
    shape = state.model.parameters[parameter].shape
    rows, columns = shape if len(shape) == 2 else (1, shape[0])
    height, width = block.shape
    if row + height > rows or column + width > columns:
        raise EditError(
            f"a block of {height}×{width} does not fit into {parameter} {rows}×{columns} at [{row},{column}]: "
            f"there is room for {rows - row}×{columns - column}"
        )
    down, across = np.meshgrid(np.arange(row, row + height), np.arange(column, column + width), indexing="ij")
    cells = (down.ravel(), across.ravel()) if len(shape) == 2 else (across.ravel(),)
    return write_cells(state, parameter, cells, block.ravel(), f"paste {height}×{width} into {parameter}")
