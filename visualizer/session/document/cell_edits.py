"""Edits of many cells at once: fill, zero, scale, paste and reset, each one step with a name of its own."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from visualizer.errors import EditError
from visualizer.session.document.edits import SetCells, SetParameters
from visualizer.session.document.state import State

Array = NDArray[Any]
#: Which cells: one integer array for each axis of the parameter, all of one length, as `np.nonzero` gives them.
Index = tuple[NDArray[np.intp], ...]
#: From here on the whole array is kept for undo, which is smaller and faster than so many single cells.
MANY_CELLS = 4096


def write_cells(state: State, parameter: str, index: Index, values: Array, name: str) -> SetCells | SetParameters:
    """The edit that writes `values` [cells] into the cells of `index`.

    Raises:
        EditError: no cell is chosen, or every one of them holds its number already.
    """
    array = state.model.parameters[parameter]
    if not index or index[0].size == 0:
        raise EditError(f"no cell of {parameter} is selected; select at least one")
    with np.errstate(over="ignore"):
        new = np.asarray(values, dtype=np.float64).astype(array.dtype)
    if np.array_equal(array[index], new, equal_nan=True):
        raise EditError(f"nothing to do: “{name}” would change no number")
    if new.size < MANY_CELLS:
        cells = tuple(zip(*(axis.tolist() for axis in index), strict=True))
        return SetCells(parameter, cells, tuple(new.tolist()), name=name)
    whole = array.copy()
    whole[index] = new
    whole.flags.writeable = False
    return SetParameters(((parameter, whole),), name)


def fill_cells(state: State, parameter: str, index: Index, value: float, shown: str) -> SetCells | SetParameters:
    """The edit that writes one number into every cell; `shown` is how its title says the number."""
    name = f"fill {counted(parameter, index)} with {shown}"
    return write_cells(state, parameter, index, np.full(_size(index), value), name)


def zero_cells(state: State, parameter: str, index: Index) -> SetCells | SetParameters:
    """The edit that writes 0 into every cell."""
    return write_cells(state, parameter, index, np.zeros(_size(index)), f"zero {counted(parameter, index)}")


def scale_cells(state: State, parameter: str, index: Index, factor: float, shown: str) -> SetCells | SetParameters:
    """The edit that multiplies every cell by one number; `shown` is how its title says the number."""
    with np.errstate(over="ignore", invalid="ignore"):
        values = state.model.parameters[parameter][index].astype(np.float64) * factor
    return write_cells(state, parameter, index, values, f"scale {counted(parameter, index)} by {shown}")


def reset_block(state: State, parameter: str, index: Index) -> SetCells | SetParameters:
    """The edit that gives every cell the number it had when the model was opened."""
    values = state.opened.model.parameters[parameter][index]
    return write_cells(state, parameter, index, values, f"reset {counted(parameter, index)}")


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
    index = (down.ravel(), across.ravel()) if len(shape) == 2 else (across.ravel(),)
    return write_cells(state, parameter, index, block.ravel(), f"paste {height}×{width} into {parameter}")


def counted(parameter: str, index: Index) -> str:
    """How a title names the cells: `wte[0,5]`, or `12 cells of wte`."""
    count = _size(index)
    if count == 1:
        return f"{parameter}[{','.join(str(int(axis[0])) for axis in index)}]"
    return f"{count} cells of {parameter}"


def _size(index: Index) -> int:
    return int(index[0].size) if index else 0
