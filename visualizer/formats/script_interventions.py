"""Interventions as lines of plain NumPy, for scripts that repeat a pass."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

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
    part = f"{x}[{', '.join(_said(s, size) for s, size in zip(slices, shape, strict=True))}]"
    value = number_literal(change.value)
    if change.kind == "patch":
        assert change.array is not None
        name = f"patch_{len(patches)}"
        change.apply(change.array[tuple(slice(0, size) for size in shape)], axes)  # refuses a run that is too short
        patches[name] = change.array[slices]
        return [f"{part} = {name}"]
    if change.kind == "mean":
        return _mean_lines(x, part, axes)
    by_kind = {"zero": f"{part} = 0", "set": f"{part} = {value}", "scale": f"{part} *= {value}"}
    return [by_kind.get(change.kind, f"{part} += {value}")]


def _mean_lines(x: str, part: str, axes: Sequence[str]) -> list[str]:
    """The mean over the positions, or over the visible keys where there is a key axis."""
    if "key" in axes:
        mean = f"({x} * visible).sum(axis=-1, keepdims=True) / visible.sum(axis=-1, keepdims=True)"
        return [f"mean = np.where(visible, {mean}, {x}).astype(dtype)", f"{part} = {part.replace(x, 'mean', 1)}"]
    axis = list(axes).index("position")
    mean = f"np.broadcast_to({x}.mean(axis={axis}, keepdims=True), {x}.shape)"
    return [f"mean = {mean}", f"{part} = {part.replace(x, 'mean', 1)}"]


def _said(part: slice, size: int) -> str:
    if part.start == 0 and part.stop == size:
        return ":"
    return f"{part.start}:{part.stop}"
