"""Interventions as lines of plain NumPy, for scripts that repeat a pass."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from visualizer.engine.interventions import Intervention
from visualizer.formats.literals import number_literal
from visualizer.formats.script_operations import variable

Array = NDArray[Any]


def intervention_lines(
    change: Intervention, axes: Sequence[str], shape: Sequence[int], patches: dict[str, Array]
) -> list[str]:
    """The lines that make one change right after its activation [shape] with these axes was computed.

    The numbers of a patch are added to `patches` under the variable that the lines read.

    Raises:
        InterventionError: the axis or the place is not there.
    """
    slices = change.slices(axes, shape)
    x = variable(change.name)
    place = f"[{', '.join(_said(s, size) for s, size in zip(slices, shape, strict=True))}]"
    if change.kind == "mean":
        return _mean_lines(x, place, axes)
    # Nothing is done to a key that lies after its query, so such an array is changed aside.
    aside = "changed" if "key" in axes else x
    value = number_literal(change.value)
    lines = {"zero": "= 0", "set": f"= {value}", "scale": f"*= {value}", "add": f"+= {value}"}
    if change.kind == "patch":
        assert change.array is not None
        change.apply(np.zeros(shape), axes)  # refuses a run that is too short
        name = f"patch_{len(patches)}"
        patches[name] = change.array[slices]
        lines["patch"] = f"= {name}"
    made = f"{aside}{place} {lines[change.kind]}"
    if aside == x:
        return [made]
    return [f"changed = {x}.copy()", made, f"{x} = np.where(visible, changed, {x})"]


def _mean_lines(x: str, place: str, axes: Sequence[str]) -> list[str]:
    """The mean over the positions, or over the visible keys where there is a key axis."""
    if "key" in axes:
        mean = f"np.where(visible, {x}, 0).sum(axis=-1, keepdims=True) / visible.sum(axis=-1, keepdims=True)"
        return [f"mean = np.where(visible, {mean}, {x}).astype(dtype)", f"{x}{place} = mean{place}"]
    axis = list(axes).index("position")
    mean = f"np.broadcast_to({x}.mean(axis={axis}, keepdims=True), {x}.shape)"
    return [f"mean = {mean}", f"{x}{place} = mean{place}"]


def _said(part: slice, size: int) -> str:
    if part.start == 0 and part.stop == size:
        return ":"
    return f"{part.start}:{part.stop}"
