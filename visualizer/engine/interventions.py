"""Interventions: what is done to an activation in the middle of a pass, so that the rest follows from it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from operator import attrgetter
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import NDArray

from visualizer.engine.explanation import Cell, Explanation, Source, Term
from visualizer.errors import InterventionError

if TYPE_CHECKING:
    from visualizer.engine.graph import Graph

Array = NDArray[Any]
Index = int | tuple[int, int] | None
Pairs = tuple[tuple[str, Index], ...]
Kind = Literal["set", "zero", "mean", "scale", "add", "patch"]

#: Axes that are as long as the pass.
POSITIONS = ("position", "query", "key")
KINDS: tuple[Kind, ...] = ("set", "zero", "mean", "scale", "add", "patch")
WORDS = {
    "set": "set",
    "zero": "zeroed",
    "mean": "mean-ablated",
    "scale": "scaled",
    "add": "added to",
    "patch": "patched",
}


class _Where:
    """The field `where`, which is given as a mapping or as pairs, and kept as pairs."""

    def __get__(self, instance: Intervention | None, _owner: type[Intervention]) -> Pairs:
        where: Pairs = () if instance is None else vars(instance)["where"]
        return where

    def __set__(self, instance: Intervention, where: Pairs | Mapping[str, Index]) -> None:
        vars(instance)["where"] = tuple(where.items()) if isinstance(where, Mapping) else where


@dataclass(frozen=True)
class Intervention:
    """One change to one activation. Two are equal where all is, and a patch's array is the same object.

    Attributes:
        name: the activation, as a trace names it.
        kind: "set" to `value`; "zero"; "mean" (the mean over the positions of this pass, or over the visible
            keys for arrays with a key axis); "scale" by `value`; "add" `value`; "patch" in the numbers of
            `array` (from another run, or from this one: a freeze).
        where: an index for some axes by name, {"head": 3} or {"query": (2, 5)} for 2 ≤ query < 5; axes that
            are not named are taken whole. Negative numbers count from the end. Keys that lie after their query
            stay hidden: nothing is done to them. Pairs, (("head", 3),), will do as well, and are what is kept.
        value: the number for "set", "scale" and "add".
        array: for "patch", an array of the activation's shape in the run that it came from.
        enabled: whether it is applied.
    """

    name: str
    kind: Kind
    where: _Where = _Where()
    value: float = 0.0
    array: Array | None = field(default=None, compare=False)
    label: str = ""
    enabled: bool = True

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise InterventionError(f"{self.kind!r} is not a kind of intervention; {', '.join(KINDS)} are")
        if (self.kind == "patch") != (self.array is not None):
            raise InterventionError("an array goes with 'patch', and only with it")
        if self.array is not None and not isinstance(self.array, np.ndarray):
            raise InterventionError(f"the array of a patch is {type(self.array).__name__}; a NumPy array is needed")
        if isinstance(self.value, bool) or not isinstance(self.value, int | float | np.number):
            raise InterventionError(f"the value is {self.value!r}; a number is needed")
        if not _is_where(self.where):
            example = "{'head': 3, 'query': (2, 5)}"
            raise InterventionError(f"where is {self.where!r}; axes and their indices, as in {example}, are needed")

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Intervention) or self.array is not other.array:
            return False
        parts = attrgetter("name", "kind", "where", "value", "label", "enabled")
        return bool(parts(self) == parts(other))

    def __str__(self) -> str:
        places = ", ".join(f"{axis} {_said(index)}" for axis, index in self.where)
        number = f" {self.value:g}" if self.kind in ("set", "scale", "add") else ""
        return f"{self.label or self.kind + number}: {self.name}[{places or 'all'}]"

    def slices(self, axes: Sequence[str], shape: Sequence[int]) -> tuple[slice, ...]:
        """The part it touches of an array with these axes.

        Raises:
            InterventionError: an axis is not there, or an index lies outside it.
        """
        by_axis = dict(self.where)
        unknown = [axis for axis in by_axis if axis not in axes]
        if unknown:
            raise InterventionError(f"{self.name} has no axis {unknown[0]!r}; its axes are {', '.join(axes)}")
        return tuple(_slice(self.name, axis, by_axis.get(axis), size) for axis, size in zip(axes, shape, strict=True))

    def apply(self, array: Array, axes: Sequence[str]) -> Array:
        """A copy of `array` with the intervention made; before its own axes there may be one of many texts at once."""
        texts = array.ndim - len(axes)
        part = (slice(None),) * texts + self.slices(axes, array.shape[texts:])
        out = np.array(array)
        if self.kind == "zero":
            out[part] = 0
        elif self.kind == "set":
            out[part] = self.value
        elif self.kind == "scale":
            out[part] *= out.dtype.type(self.value)
        elif self.kind == "add":
            out[part] += out.dtype.type(self.value)
        elif self.kind == "mean":
            out[part] = _mean(array, axes)[part]
        else:
            assert self.array is not None
            _patch(self, out, part, texts)
        if "key" in axes and self.kind != "mean":
            return np.where(_visible(out), out, array)  # nothing is done to a key that lies after its query
        return out


def _said(index: Index) -> str:
    return f"{index[0]}–{index[1] - 1}" if isinstance(index, tuple) else str(index)


def _slice(name: str, axis: str, index: Index, size: int) -> slice:
    if index is None:
        return slice(0, size)
    start, stop = _bounds(index, size)
    if not 0 <= start < stop <= size:
        raise InterventionError(f"{name} has {size} entries on its axis {axis!r}; there is no {_said(index)}")
    return slice(start, stop)


def _visible(array: Array) -> NDArray[np.bool_]:
    """[query, key]: whether the key lies up to the query."""
    rows, keys = array.shape[-2:]
    return np.tri(rows, keys, keys - rows, dtype=bool)


def _mean(array: Array, axes: Sequence[str]) -> Array:
    """The mean over positions, as an array of the same shape; over the visible keys where there is a key axis."""
    if not array.size:
        return array
    if "key" in axes:
        visible = _visible(array)
        weights = visible.astype(array.dtype)
        mean = np.where(visible, array, 0).sum(-1, keepdims=True) / weights.sum(-1, keepdims=True)
        return np.where(visible, mean, array).astype(array.dtype)
    return np.broadcast_to(array.mean(axis=axes.index("position") - len(axes), keepdims=True), array.shape)


def _patch(change: Intervention, out: Array, part: tuple[slice, ...], texts: int) -> None:
    given, own = change.array, part[texts:]
    assert given is not None
    if given.ndim != len(own) or any(p.stop > n for p, n in zip(own, given.shape, strict=True)):
        raise InterventionError(
            f"{change.name}: the run to patch from has shape {list(given.shape)}, "
            f"too small for {list(out.shape[texts:])}"
        )
    out[part] = given[own]


def within(interventions: Sequence[Intervention], graph: Graph, count: int) -> tuple[Intervention, ...]:
    """What the enabled interventions come to in a pass over `count` positions.

    Positions that the pass does not have are left out, and so is a patch beyond the run that it came from: a
    generation begins with fewer positions than it ends with, and a prompt may get shorter under an intervention.
    Everything else, names, heads and dimensions, is left for the pass to check.
    """
    kept = []
    for change in interventions:
        part = _reaching(change, graph, count) if change.enabled else None
        if part is not None:
            kept.append(part)
    return tuple(kept)


def _reaching(change: Intervention, graph: Graph, count: int) -> Intervention | None:
    """The part of an intervention that lies within `count` positions; None where nothing does."""
    if change.name not in graph.producer:
        return change
    axes = graph.axes(change.name)
    where = dict(change.where)
    for number, axis in enumerate(axes):
        if axis not in POSITIONS:
            continue
        size = count
        if change.array is not None and change.array.ndim == len(axes):
            size = min(size, change.array.shape[number])
        index = where.get(axis)
        if index is None:
            if size == count:
                continue
            index = (0, count)
        start, stop = _bounds(index, count)
        if not 0 <= start < min(stop, size):
            return None
        if isinstance(index, tuple):
            where[axis] = (start, min(stop, size))
    clipped = tuple(where.items())
    return change if clipped == change.where else replace(change, where=clipped)


def _bounds(index: int | tuple[int, int], size: int) -> tuple[int, int]:
    """First place and one past the last, counted from the beginning."""
    start, stop = index if isinstance(index, tuple) else (index, index + 1 or size)
    return (start + size if start < 0 else start), (stop + size if stop < 0 else stop)


def _is_where(where: object) -> bool:
    return isinstance(where, tuple) and all(map(_is_pair, where))


def _is_pair(pair: object) -> bool:
    """Whether it is an axis with an index, with the first one and the one past the last, or with None."""
    match pair:
        case (str(), None | int() | np.integer() | (int() | np.integer(), int() | np.integer())):
            return True
    return False


def listed(interventions: object) -> tuple[Intervention, ...]:
    """The interventions as a tuple. Raises InterventionError where they are anything else."""
    changes = tuple(interventions) if isinstance(interventions, Iterable) else (interventions,)
    wrong = [change for change in changes if not isinstance(change, Intervention)]
    if wrong:
        raise InterventionError(f"{wrong[0]!r} is not an Intervention; a list of them is needed")
    return changes


def applied(interventions: Sequence[Intervention]) -> dict[str, list[Intervention]]:
    """The enabled interventions by activation, in order."""
    by_name: dict[str, list[Intervention]] = {}
    for change in interventions:
        if change.enabled:
            by_name.setdefault(change.name, []).append(change)
    return by_name


def touching(
    interventions: Sequence[Intervention], name: str, axes: Sequence[str], shape: Sequence[int], cell: Cell
) -> list[Intervention]:
    """The enabled interventions that changed this cell, in order."""
    if "key" in axes and cell[-1] > cell[-2]:  # hidden: nothing is done to it
        return []
    of_this = (change for change in interventions if change.enabled and change.name == name)
    return [
        change
        for change in of_this
        if all(p.start <= i < p.stop for p, i in zip(change.slices(axes, shape), cell, strict=True))
    ]


def explain_intervention(changes: Sequence[Intervention], own: Explanation, value: float) -> Explanation:
    """Where a number comes from that interventions changed: what the operation gives, and what was done to it.

    Args:
        changes: those that touched the cell, in order; the last one has put the number there.
        own: what the operation makes of the cell without them.
        value: the number as it is.
    """
    change, before = changes[-1], own.recombine() if len(changes) == 1 else None
    what = f"{WORDS[change.kind]} by an intervention"
    formula = what
    terms: tuple[Term, ...] = (Term(value, (Source("constant", what, (), value),)),)
    if before is not None and change.kind in ("scale", "add"):
        number = Source("constant", "factor" if change.kind == "scale" else "added", (), float(change.value))
        makes = own.terms if own.rule == "sum" else (Term(before, (Source("constant", "without it", (), before),)),)
        if change.kind == "scale":
            formula = f"{what}: factor · ({own.formula})"
            terms = tuple(Term(number.value * term.value, (number, *term.sources)) for term in makes)
        else:
            formula = f"{what}: {own.formula} + added"
            terms = (*makes, Term(number.value, (number,)))
    return Explanation(own.name, own.cell, value, formula, terms, without=before)
