"""Arrays as Python source: exact, in rows that can be read."""

from __future__ import annotations

import textwrap
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]
WIDTH = 118


def number_literal(value: float | np.floating[Any]) -> str:
    """The fewest digits that give `value` back among the numbers of its dtype; `nan` and `inf` as NumPy names them."""
    if np.isnan(value):
        return "np.nan"
    if np.isinf(value):
        return "np.inf" if value > 0 else "-np.inf"
    return str(value).removesuffix("0") if str(value).endswith(".0") else str(value)


def array_literal(array: Array) -> str:
    """Source of a NumPy expression that makes `array` again, with its dtype and its bits.

    The source needs `np` and a variable `dtype`.
    """
    flat = [number_literal(value) for value in array.reshape(-1)]
    if array.ndim <= 1:
        return f"np.array([{_wrapped(flat, 4, room=60)}], dtype=dtype)"
    columns = array.shape[-1]
    width = max((len(text) for text in flat), default=0)
    aligned = [text.rjust(width) for text in flat] if columns * (width + 2) < WIDTH - 8 else flat
    starts = range(0, len(flat), columns) if columns else range(array.shape[0])
    rows = [f"    [{_wrapped(aligned[i : i + columns], 8, room=WIDTH - 8)}],\n" for i in starts]
    whole = f"np.array([\n{''.join(rows)}], dtype=dtype)"
    return whole if array.ndim == 2 else f"{whole}.reshape({', '.join(map(str, array.shape))})"


def _wrapped(texts: list[str], indent: int, room: int) -> str:
    """The texts with commas on one line of at most `room` characters, or on indented lines of their own."""
    line = ", ".join(texts)
    if len(line) <= room:
        return line
    space = " " * indent
    inside = textwrap.fill(line, WIDTH, initial_indent=space, subsequent_indent=space, break_on_hyphens=False)
    return f"\n{inside}\n{' ' * (indent - 4)}"
