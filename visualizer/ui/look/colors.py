"""Values to colours: lookup tables, limits, and the colours of masked and non-finite cells. NumPy alone."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from visualizer.ui.look.theme import Theme

# An odd number of steps, so that zero has an entry of its own in the middle of the diverging map; with the four
# special ones an index is a byte, which Qt turns into colours by itself.
STEPS = 251
MASKED, NOT_A_NUMBER, POSITIVE_INFINITY, NEGATIVE_INFINITY = range(STEPS, STEPS + 4)


Kind = Literal["sequential", "diverging"]
Mode = Literal["fixed", "data", "log", "row"]
Levels = tuple[float, float]

#: Of the largest magnitude on a logarithmic scale: below this part it is linear, so that zero has a place.
LINEAR_PART = 1e-4
#: So many rows are coloured at once: a block that fits the cache.
BLOCK_ROWS = 64


@dataclass(frozen=True)
class Scale:
    """How values become colours.

    Attributes:
        kind: ``sequential`` for what lies between 0 and 1, ``diverging`` for signed numbers, centred on zero with
            symmetric levels.
        limit: where a diverging scale ends; without one at the largest finite magnitude of the matrix at hand.
        mode: ``fixed`` (0 to 1, or ±limit), ``data`` (from the least to the largest number, or ± the largest
            magnitude), ``log`` (symmetric logarithmic: asinh), ``row`` (each row by itself).
        first_key: whether the first column counts where the levels are taken from the data.
        map: the name of one of pyqtgraph's colour maps; None for the usual one.
    """

    kind: Kind
    limit: float | None = None
    mode: Mode = "fixed"
    first_key: bool = True
    map: str | None = None

    def __post_init__(self) -> None:
        if self.kind not in ("sequential", "diverging"):
            raise ValueError(f"scale kind {self.kind!r} is not one of sequential, diverging")
        if self.limit is not None and (self.kind == "sequential" or not 0.0 <= self.limit < np.inf):
            raise ValueError(f"limit {self.limit!r}: a diverging scale takes a finite limit of 0 or more, others none")

    def levels(self, values: NDArray[Any], masked: NDArray[np.bool_] | None) -> Levels:
        """The values at the two ends of the scale; in ``row`` mode the parts of each row's largest magnitude."""
        sequential = self.kind == "sequential"
        if self.mode == "row":
            return (0.0, 1.0) if sequential else (-1.0, 1.0)
        if self.mode == "fixed" and self.first_key:
            if sequential:
                return 0.0, 1.0
            if self.limit is not None:
                return -self.limit, self.limit
        if not self.first_key and values.shape[1] > 1:
            values, masked = values[:, 1:], None if masked is None else masked[:, 1:]
        limit = symmetric_limit(values, masked)
        if not sequential:
            return -limit, limit
        return (0.0, limit) if self.mode == "log" else (least(values, masked), limit)

    def words(self) -> tuple[str, ...]:
        """What is not plain about it, to be said on the bar."""
        words = {"fixed": (), "data": ("to data",), "log": ("log",), "row": ("each row",)}[self.mode]
        return words if self.first_key else (*words, "less key 0")


SEQUENTIAL = Scale("sequential")
DIVERGING = Scale("diverging")


@dataclass(frozen=True)
class LookupTable:
    """Colours by index: `STEPS` of the map, then masked, NaN, +Inf, -Inf.

    `rgba` [STEPS + 4, 4] uint8, and the same as integers 0xAARRGGBB; `dark_ink` says where black text reads better
    than white.
    """

    rgba: NDArray[np.uint8]
    argb: tuple[int, ...]
    dark_ink: tuple[bool, ...]


@lru_cache(maxsize=32)
def lookup_table(kind: str, theme: Theme, map_name: str | None = None) -> LookupTable:
    """The table for a kind of scale in a theme, of the named colour map or the usual one.

    The usual ones: viridis for sequential; for diverging a pair from blue to yellow that survives red-green blindness
    (P. Kovesi, "Good Colour Maps: How to Design Them", 2015), with a light middle in the light theme, a dark one in the
    dark.
    """
    name = map_name or ("viridis" if kind == "sequential" else ("CET-D6" if theme.dark else "CET-CBD1"))
    rgba = np.empty((STEPS + 4, 4), dtype=np.uint8)
    rgba[:STEPS, :3] = map_colors(name, STEPS)
    rgba[:, 3] = 255
    special = (theme.masked, theme.not_a_number, theme.positive_infinity, theme.negative_infinity)
    rgba[STEPS:, :3] = [[int(color[i : i + 2], 16) for i in (1, 3, 5)] for color in special]

    linear = rgba[:, :3] / 255.0
    linear = np.where(linear <= 0.04045, linear / 12.92, ((linear + 0.055) / 1.055) ** 2.4)
    luminance = linear @ np.array([0.2126, 0.7152, 0.0722])
    # Black reads better where (L + 0.05) / 0.05 > 1.05 / (L + 0.05).
    dark_ink = (luminance + 0.05) ** 2 > 0.05 * 1.05
    rgba.flags.writeable = False
    argb = tuple(0xFF000000 | red << 16 | green << 8 | blue for red, green, blue, _ in rgba.tolist())
    return LookupTable(rgba, argb, tuple(dark_ink.tolist()))


def map_colors(name: str, steps: int) -> NDArray[np.uint8]:
    """One of pyqtgraph's colour maps, [steps, 3], from its file: loading the library takes a third of a start."""
    library = find_spec("pyqtgraph")
    assert library is not None
    assert library.origin is not None
    path = Path(library.origin).parent / "colors" / "maps" / f"{name}.csv"
    colors = np.loadtxt(path, delimiter=",", comments=";") * 255.0
    places, wanted = np.linspace(0.0, 1.0, len(colors)), np.linspace(0.0, 1.0, steps)
    return np.stack([np.interp(wanted, places, channel) for channel in colors.T], axis=-1).round().astype(np.uint8)


def symmetric_limit(values: NDArray[Any], masked: NDArray[np.bool_] | None) -> float:
    """The largest finite magnitude among the cells that are not masked; 0.0 where there is none."""
    if masked is None and values.size:
        low, high = _extremes(values)
        if np.isfinite(low) and np.isfinite(high):
            return max(high, -low, 0.0)
    counted = np.isfinite(values)
    if masked is not None:
        counted &= ~masked
    if not values.size:
        return 0.0
    safe = np.where(counted, values, 0)
    return max(float(safe.max()), -float(safe.min()), 0.0)


def least(values: NDArray[Any], masked: NDArray[np.bool_] | None) -> float:
    """The smallest finite number among the cells that are not masked; 0.0 where there is none."""
    counted = np.isfinite(values)
    if masked is not None:
        counted &= ~masked
    return float(np.min(values, where=counted, initial=np.inf)) if counted.any() else 0.0


def color_indices(values: NDArray[Any], masked: NDArray[np.bool_] | None, kind: str, limit: float) -> NDArray[np.uint8]:
    """Each cell's row in the `lookup_table` on the plain scale of its kind: from 0 to 1, or from -limit to limit."""
    scale = SEQUENTIAL if kind == "sequential" else DIVERGING
    return scale_indices(values, masked, scale, (0.0, 1.0) if kind == "sequential" else (-limit, limit))


def scale_indices(
    values: NDArray[Any], masked: NDArray[np.bool_] | None, scale: Scale, levels: Levels
) -> NDArray[np.uint8]:
    """Each cell's row in the `lookup_table`, same shape as `values`. Beyond the levels the end colours hold.

    `levels` are the ends of the scale in the unit of the values, as `Scale.levels` gives them.
    """
    numbers = values if values.dtype in (np.float32, np.float64) else values.astype(np.float64)
    info = np.finfo(numbers.dtype)
    if masked is None and values.ndim > 1 and values.size and scale.mode in ("fixed", "data"):
        plain = _plain_indices(numbers, *levels)
        if plain is not None:
            return plain
    if any(level != 0 and not float(info.tiny) <= abs(level) <= float(info.max) / 4 for level in levels):
        numbers = numbers.astype(np.float64)
    finite = np.isfinite(numbers)
    all_finite = bool(finite.all())
    safe = numbers if all_finite else np.where(finite, numbers, 0)
    scaled = _places(safe, masked, scale, levels)
    scaled *= STEPS - 1
    scaled += 0.5
    indices = scaled.astype(np.uint8)

    if not all_finite:
        indices[np.isnan(numbers)] = NOT_A_NUMBER
        indices[np.isposinf(numbers)] = POSITIVE_INFINITY
        indices[np.isneginf(numbers)] = NEGATIVE_INFINITY
    if masked is not None:
        np.copyto(indices, MASKED, where=masked)
    return indices


def _extremes(values: NDArray[Any]) -> tuple[float, float]:
    """The least and the largest number, or NaN where there is one."""
    return float(values.min()), float(values.max())


def _plain_indices(numbers: NDArray[Any], low: float, high: float) -> NDArray[np.uint8] | None:
    """`scale_indices` in one pass over blocks, where all numbers are finite and within the levels; None elsewhere."""
    if not 1e-30 < high - low < 1e30 or abs(low) > 1e30:
        return None
    least_number, largest = _extremes(numbers)
    if not low <= least_number <= largest <= high:  # NaN is not, either
        return None
    step = numbers.dtype.type((STEPS - 1) / (high - low))
    start = numbers.dtype.type(0.5 + (STEPS - 1) / 2 if low == -high else 0.5 - low * float(step))
    indices = np.empty(numbers.shape, dtype=np.uint8)
    for first in range(0, len(numbers), BLOCK_ROWS):
        scaled = numbers[first : first + BLOCK_ROWS] * step
        scaled += start
        indices[first : first + BLOCK_ROWS] = scaled  # which cuts off what is behind the point
    return indices


def _places(
    numbers: NDArray[Any], masked: NDArray[np.bool_] | None, scale: Scale, levels: Levels
) -> NDArray[np.floating[Any]]:
    """Where finite numbers lie on a scale, from 0 to 1; a new array."""
    low, high = levels
    if scale.mode == "row":
        counted = np.abs(numbers) if masked is None else np.where(masked, 0, np.abs(numbers))
        largest = counted.max(axis=-1, keepdims=True, initial=0)
        numbers = numbers / np.where(largest == 0, 1, largest)
    elif scale.mode == "log" and high > low:
        linear = max(abs(low), abs(high)) * LINEAR_PART
        numbers = np.arcsinh(numbers / linear)
        low, high = float(np.arcsinh(low / linear)), float(np.arcsinh(high / linear))
    if not high > low:
        return np.where(numbers == high, 0.5, numbers > high).astype(np.float64)
    scaled = np.clip(numbers, low, high)
    if high == -low:  # zero lies in the middle, whatever is rounded
        scaled /= 2 * high
        scaled += 0.5
    else:
        scaled -= low
        scaled /= high - low
    return scaled


def place_on_scale(value: float, scale: Scale, levels: Levels) -> float:
    """Where a finite number lies between the ends of a scale, from 0 to 1; in ``row`` mode it is a part of its row."""
    linear = Scale(scale.kind, mode="log" if scale.mode == "log" else "fixed")
    return float(_places(np.array([[value]], dtype=np.float64), None, linear, levels)[0, 0])


def paint_rgba(values: NDArray[Any], masked: NDArray[np.bool_] | None, scale: Scale, theme: Theme) -> NDArray[np.uint8]:
    """Colours of a matrix [rows, columns] as uint8 [rows, columns, 4].

    Masked cells are flat (the hatch is the widget's); NaN, +Inf and -Inf have colours that no map contains.
    """
    indices = scale_indices(values, masked, scale, scale.levels(values, masked))
    return lookup_table(scale.kind, theme, scale.map).rgba[indices]
