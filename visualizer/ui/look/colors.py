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


@dataclass(frozen=True)
class Scale:
    """How values become colours.

    ``sequential`` runs from 0 to 1, always. ``diverging`` is centred on zero and runs from -limit to +limit;
    without a `limit` it takes the largest finite magnitude of the matrix at hand.
    """

    kind: Literal["sequential", "diverging"]
    limit: float | None = None

    def __post_init__(self) -> None:
        if self.kind not in ("sequential", "diverging"):
            raise ValueError(f"scale kind {self.kind!r} is not one of sequential, diverging")
        if self.limit is not None and (self.kind == "sequential" or not 0.0 <= self.limit < np.inf):
            raise ValueError(f"limit {self.limit!r}: a diverging scale takes a finite limit of 0 or more, others none")


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


@lru_cache(maxsize=16)
def lookup_table(kind: str, theme: Theme) -> LookupTable:
    """The table for a kind of scale in a theme.

    viridis for sequential; for diverging a pair from blue to yellow that survives red-green blindness (P. Kovesi,
    "Good Colour Maps: How to Design Them", 2015), with a light middle in the light theme, a dark one in the dark.
    """
    name = "viridis" if kind == "sequential" else ("CET-D6" if theme.dark else "CET-CBD1")
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
    counted = np.isfinite(values)
    if masked is not None:
        counted &= ~masked
    if not values.size:
        return 0.0
    safe = np.where(counted, values, 0)
    return max(float(safe.max()), -float(safe.min()), 0.0)


def color_indices(values: NDArray[Any], masked: NDArray[np.bool_] | None, kind: str, limit: float) -> NDArray[np.uint8]:
    """Each cell's row in the `lookup_table`, same shape as `values`. Beyond the limits the end colours hold.

    `limit` is the end of a diverging scale, in the unit of the values; a sequential scale ends at 1.
    """
    numbers = values if values.dtype in (np.float32, np.float64) else values.astype(np.float64)
    info = np.finfo(numbers.dtype)
    if kind == "diverging" and limit != 0 and not float(info.tiny) <= limit <= float(info.max):
        numbers = numbers.astype(np.float64)
    finite = np.isfinite(numbers)
    all_finite = bool(finite.all())
    safe = numbers if all_finite else np.where(finite, numbers, 0)

    if kind == "sequential":
        scaled = np.clip(safe, 0, 1)
        scaled *= STEPS - 1
    elif limit == 0:
        scaled = np.where(safe == 0, 0.5, safe > 0) * (STEPS - 1.0)
    else:
        scaled = np.clip(safe, -limit, limit)
        scaled /= limit
        scaled *= STEPS // 2
        scaled += STEPS // 2
    scaled += 0.5
    indices = scaled.astype(np.uint8)

    if not all_finite:
        indices[np.isnan(numbers)] = NOT_A_NUMBER
        indices[np.isposinf(numbers)] = POSITIVE_INFINITY
        indices[np.isneginf(numbers)] = NEGATIVE_INFINITY
    if masked is not None:
        np.copyto(indices, MASKED, where=masked)
    return indices


def scale_limit(values: NDArray[Any], masked: NDArray[np.bool_] | None, scale: Scale) -> float:
    """The upper end of `scale` for this matrix: 1 if sequential, else the given or the symmetric limit."""
    if scale.kind == "sequential":
        return 1.0
    return scale.limit if scale.limit is not None else symmetric_limit(values, masked)


def paint_rgba(values: NDArray[Any], masked: NDArray[np.bool_] | None, scale: Scale, theme: Theme) -> NDArray[np.uint8]:
    """Colours of a matrix [rows, columns] as uint8 [rows, columns, 4].

    Masked cells are flat (the hatch is the widget's); NaN, +Inf and -Inf have colours that no map contains.
    """
    indices = color_indices(values, masked, scale.kind, scale_limit(values, masked, scale))
    return lookup_table(scale.kind, theme).rgba[indices]
