"""The self-check: is what is shown what the formulas say, by another way of computing it."""

from __future__ import annotations

import math
import time
from collections.abc import Generator
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from visualizer.engine.config import ModelConfig
from visualizer.engine.explanation import Explanation
from visualizer.engine.model import Model
from visualizer.engine.reference import reference_forward
from visualizer.engine.trace import Trace
from visualizer.session.analysis.trace_at_position import at_position
from visualizer.session.selection import CellRef

Array = NDArray[Any]
Cell = tuple[int, ...]

#: The reference implementation does some ten million multiplications a second; more than these would be felt.
REFERENCE_COST = 150_000
#: So many cells of a larger model are taken apart, for no longer than so many seconds.
SAMPLED, SECONDS = 24, 0.012
#: Scores of so many cells in all heads together may be derived to explain one weight of a pattern.
DERIVED_SIZE = 200_000
#: Magnitudes from here on are the mask's.
MASKED = 1e9


@dataclass(frozen=True)
class Check:
    """What came of a check.

    Attributes:
        kind: "reference" against the reference implementation, "sampled" by recombining the explanations of some cells.
        count: how many numbers were compared.
        worst: the largest difference, relative to the larger of 1 and the largest number that went into it.
        where: the first number in the order of the model that does not agree; None where all do.
        got, expected: what is recorded there, and what the other way gives.
        without_interventions: whether the pass was made anew without the interventions that are shown.
    """

    kind: Literal["reference", "sampled"]
    count: int
    worst: float
    where: CellRef | None = None
    got: float = math.nan
    expected: float = math.nan
    without_interventions: bool = False

    @property
    def ok(self) -> bool:
        """Whether every number agrees."""
        return self.where is None


def reference_cost(config: ModelConfig, parameters: int, tokens: int) -> float:
    """A rough count of the multiplications of the reference implementation."""
    attention = 2 * config.n_layers * config.n_heads * config.d_head * tokens**2
    return float(tokens * parameters + attention)


def is_small(model: Model, trace: Trace) -> bool:
    """Whether all of a trace is checked, which does not take long; of a larger one a sample is, which may."""
    return reference_cost(model.config, trace.parameters.count(), len(trace.tokens)) <= REFERENCE_COST


def self_check(model: Model, trace: Trace, seed: int = 0) -> Check:
    """Check a trace: all of it where the model is small, else a random sample of its cells.

    The reference implementation knows no interventions; where some are active, it is held against a pass without them.
    """
    steps = check_steps(model, trace, seed)
    while True:
        try:
            next(steps)
        except StopIteration as end:
            check: Check = end.value
            return check


def check_steps(model: Model, trace: Trace, seed: int = 0) -> Generator[int, None, Check]:
    """`self_check` in steps, to be done beside the window; yields how many numbers are compared so far."""
    if not is_small(model, trace):
        return (yield from _sampled(trace, np.random.default_rng(seed)))
    intervened = any(change.enabled for change in trace.interventions)
    if intervened:
        trace = model.forward(trace.tokens)
    return _against_reference(model.config, trace, intervened)


def _against_reference(config: ModelConfig, trace: Trace, intervened: bool) -> Check:
    expected = reference_forward(config, trace.parameters, trace.tokens)
    given = {name: trace[name] for name in trace if name in expected}
    allowed = _allowed(given)
    count, worst = 0, 0.0
    for name, array in given.items():
        with np.errstate(over="ignore"):
            other = np.array(expected[name], dtype=np.float64).astype(array.dtype)
        off = _difference(array, other)
        count += array.size
        if off.size and not float(off.max()) <= allowed:
            cell = tuple(int(i) for i in np.argwhere(~(off <= allowed))[0])
            where = CellRef("activation", name, cell)
            return Check(
                "reference", count, float(off.max()), where, float(array[cell]), float(other[cell]), intervened
            )
        worst = max(worst, float(off.max(initial=0.0)))
    return Check("reference", count, worst, without_interventions=intervened)


def _difference(array: Array, other: Array) -> Array:
    """How far two arrays lie apart, relative to the larger of 1 and the largest number short of the mask."""
    wide, expected = array.astype(np.float64), other.astype(np.float64)
    magnitudes = np.abs(expected)
    ordinary = magnitudes[magnitudes < MASKED]
    scale = np.maximum(max(1.0, float(ordinary.max(initial=0.0))), np.where(np.isfinite(magnitudes), magnitudes, 1.0))
    with np.errstate(invalid="ignore"):
        off = np.abs(wide - expected) / scale
    same = (wide == expected) | (np.isnan(wide) & np.isnan(expected))
    return np.where(same, 0.0, np.where(np.isnan(off), np.inf, off))


def _allowed(trace: dict[str, Array]) -> float:
    """The rounding that a pass may have: a softmax or a norm enlarges an error by its steepness.

    Where handmade weights are large, as in the article, and two logits are all but equal, it shows in percent.
    """
    single = next(iter(trace.values())).dtype == np.float32
    steep, smallest = 1.0, 1.0
    for name, array in trace.items():
        finite = array[np.isfinite(array)]
        if name.endswith(("scaled", "logits", "pre")):
            steep = max(steep, float(np.abs(finite).max(initial=0.0)))
        elif name.endswith(".scale"):
            smallest = min(smallest, float(finite.min(initial=1.0)))
    rounding = 2e-5 if single else 1e-12
    return min(rounding * steep / max(smallest, 1e-6), 1e-2 if single else 1e-9)


# A sample of a larger model: each number must be what its own explanation recombines to.


def _sampled(trace: Trace, random: np.random.Generator) -> Generator[int, None, Check]:
    names = _checkable(trace)
    chosen = sorted(random.choice(len(names), size=min(SAMPLED, len(names)), replace=False).tolist())
    began = time.perf_counter()
    # A random start, so that the time there is does not always go to the first blocks.
    turn = int(random.integers(len(chosen)))
    count, worst = 0, 0.0
    failed: list[tuple[int, Check]] = []
    for place in (*chosen[turn:], *chosen[:turn]):
        if count >= 4 and time.perf_counter() - began > SECONDS:
            break
        yield count
        name = names[place]
        cell = tuple(int(random.integers(size)) for size in trace.recorded[name].shape)
        explanation = _explained(trace, name, cell)
        got, expected = explanation.value, explanation.recombine()
        off, allowed = _apart(explanation, expected), 1e-4 if trace.recorded[name].dtype == np.float32 else 1e-9
        count += 1
        worst = max(worst, off)
        if not off <= allowed:
            failed.append((place, Check("sampled", count, off, CellRef("activation", name, cell), got, expected)))
    if failed:
        return min(failed, key=lambda item: item[0])[1]
    return Check("sampled", count, worst)


def _checkable(trace: Trace) -> list[str]:
    """The recorded activations whose explanation reads nothing that would first have to be made for all positions."""
    producer, intervened = trace.graph.producer, any(change.enabled for change in trace.interventions)
    names = []
    for name in trace.graph.names:
        if name not in trace.recorded or producer[name].name != name:
            continue
        at_hand = all(read in trace.recorded for read in producer[name].reads)
        by_key = "key" in trace.graph.axes(name) and trace.recorded[name].size <= DERIVED_SIZE
        if at_hand or by_key or (not intervened and _by_position(trace, name)):
            names.append(name)
    return names


def _by_position(trace: Trace, name: str) -> bool:
    reads = (name, *trace.graph.producer[name].reads)
    return all(trace.graph.axes(read)[0] == "position" for read in reads)


def _explained(trace: Trace, name: str, cell: Cell) -> Explanation:
    reads = trace.graph.producer[name].reads
    if "key" in trace.graph.axes(name) or all(read in trace.recorded for read in reads):
        return trace.explain(name, cell)
    return at_position(trace, cell[0]).explain(name, (0, *cell[1:]))


def _apart(explanation: Explanation, expected: float) -> float:
    got = explanation.value
    if got == expected or (math.isnan(got) and math.isnan(expected)):
        return 0.0
    largest = max((abs(term.value) for term in explanation.terms if math.isfinite(term.value)), default=0.0)
    # The terms of a share are exponentials that say nothing about its size.
    scale = max(1.0, abs(got), largest if explanation.rule == "sum" else 0.0)
    off = abs(got - expected) / scale
    return math.inf if math.isnan(off) else off
