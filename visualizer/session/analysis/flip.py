"""The flip finder: the smallest change of a weight, or of a row of weights, that changes the next token."""

from __future__ import annotations

import math
from collections.abc import Generator
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from visualizer.engine.model import Model
from visualizer.engine.trace import Trace
from visualizer.errors import EditError
from visualizer.session.analysis.behaviour import top_and_margin
from visualizer.session.document.cell_edits import write_cells
from visualizer.session.document.edits import SetCells, SetParameters
from visualizer.session.document.state import State

Array = NDArray[Any]
Kind = Literal["cell", "shift", "scale"]

#: The search goes outward from the first of these to the last, in units of the largest weight of the matrix.
FIRST, LAST, RATIO = 1e-4, 1000.0, 1.5
#: So many margins are sampled evenly for the curve.
CURVE = 41


@dataclass(frozen=True)
class Target:
    """What is changed.

    Attributes:
        parameter: its name.
        cell: the chosen cell.
        kind: "cell" gives the cell another value x; "shift" adds x to each number of its row; "scale" multiplies
            each by x. The row of a vector is the whole of it.
    """

    parameter: str
    cell: tuple[int, ...]
    kind: Kind = "cell"

    def present(self, model: Model) -> float:
        """The x at which nothing is changed."""
        if self.kind == "cell":
            return float(model.parameters[self.parameter][self.cell])
        return 1.0 if self.kind == "scale" else 0.0

    @property
    def place(self) -> tuple[int | slice, ...]:
        """The numbers that change, as an index."""
        return self.cell if self.kind == "cell" else (*self.cell[:-1], slice(None))

    def changed(self, array: Array, x: float) -> Array:
        """A copy of the parameter's array with `x` put in."""
        new = np.array(array)
        with np.errstate(over="ignore", invalid="ignore"):
            number = array.dtype.type(x)
            if self.kind == "cell":
                new[self.place] = number
            elif self.kind == "shift":
                new[self.place] += number
            else:
                new[self.place] *= number
        return new


@dataclass(frozen=True)
class Trial:
    """What x leads to.

    Attributes:
        x: as the target's kind says.
        margin: the logit of the present next token less the largest other one: negative where that has taken over.
        token: the next token then.
    """

    x: float
    margin: float
    token: int


@dataclass(frozen=True)
class Flip:
    """What a search found.

    Attributes:
        target: what was changed.
        present: where nothing is changed yet; its token is what was to be flipped.
        found: the change nearest to it that has another next token; None where there is none in the range.
        trials: everything that was tried, by x.
        range: the smallest and largest x that were searched.
    """

    target: Target
    present: Trial
    found: Trial | None
    trials: tuple[Trial, ...]
    range: tuple[float, float]

    @property
    def change(self) -> float:
        """The found x less the present one; NaN where nothing was found."""
        return math.nan if self.found is None else self.found.x - self.present.x


def find_flip(model: Model, trace: Trace, target: Target) -> Generator[tuple[Trial, ...], None, Flip]:
    """Search outward on both sides in growing steps, then halve the interval until no number lies between.

    Yields all trials so far after each pass. Between two neighbouring steps a token that comes and goes again is not
    seen. Each pass runs only what lies downstream of the parameter.

    Raises:
        EditError: there is no such cell.
    """
    search = _Search(model, trace, target)
    yield search.trials
    brackets: list[tuple[float, float]] = []
    lowest = highest = search.present.x
    for step in _steps(model, target):
        for x in (search.present.x + step, search.present.x - step):
            before = highest if x > search.present.x else lowest
            lowest, highest = min(lowest, x), max(highest, x)
            if search.at(x).token != search.present.token and not math.isnan(search.at(x).margin):
                brackets.append((before, x))
            yield search.trials
        if brackets:
            break
    found: Trial | None = None
    for same, flipped in brackets:
        edge = yield from search.halved(same, flipped)
        if found is None or abs(edge.x - search.present.x) < abs(found.x - search.present.x):
            found = edge
    for x in _curve(search.present.x, found, lowest, highest):
        search.at(x)
        yield search.trials
    return Flip(target, search.present, found, search.trials, (lowest, highest))


class _Search:
    """The passes made so far, each once, by x."""

    def __init__(self, model: Model, trace: Trace, target: Target) -> None:
        array = model.parameters[target.parameter]
        fits = len(target.cell) == array.ndim
        if not fits or not all(0 <= i < n for i, n in zip(target.cell, array.shape, strict=True)):
            raise EditError(f"{target.parameter} {list(array.shape)} has no cell {list(target.cell)}")
        self._model, self._trace, self._target = model, trace, target
        self._type = array.dtype.type
        self._tried: dict[float, Trial] = {}
        logits = trace.logits_at(-1)
        token, margin = top_and_margin(logits)
        self.present = Trial(target.present(model), float(margin), int(token))
        self._tried[self.present.x] = self.present

    @property
    def trials(self) -> tuple[Trial, ...]:
        """Everything tried, by x."""
        return tuple(self._tried[x] for x in sorted(self._tried))

    def at(self, x: float) -> Trial:
        """The pass with `x` put in, as near to it as the model's precision comes."""
        x = self._rounded(x)
        trial = self._tried.get(x)
        if trial is None:
            name = self._target.parameter
            model = self._model.replace({name: self._target.changed(self._model.parameters[name], x)})
            changes = self._trace.interventions
            logits = model.forward(self._trace.tokens, interventions=changes, reuse=self._trace).logits_at(-1)
            trial = self._tried[x] = self._trial(x, logits)
        return trial

    def halved(self, same: float, flipped: float) -> Generator[tuple[Trial, ...], None, Trial]:
        """The first x with another token, between one that has the present token and one that has not."""
        same, flipped = self._rounded(same), self._rounded(flipped)
        while True:
            middle = self._rounded(same + (flipped - same) / 2)
            if middle in (same, flipped):
                return self.at(flipped)
            trial = self.at(middle)
            if trial.token != self.present.token and not math.isnan(trial.margin):
                flipped = middle
            else:
                same = middle
            yield self.trials

    def _rounded(self, x: float) -> float:
        with np.errstate(over="ignore"):
            return float(self._type(x))

    def _trial(self, x: float, logits: Array) -> Trial:
        token, margin = top_and_margin(logits)
        if int(token) == self.present.token:
            return Trial(x, float(margin), int(token))
        others = np.delete(logits, self.present.token)
        with np.errstate(invalid="ignore"):
            below = float(logits[self.present.token]) - float(others.max())
        return Trial(x, math.nan if math.isnan(float(margin)) else below, int(token))


def _steps(model: Model, target: Target) -> list[float]:
    """How far from the present x to look, growing; in units of 1 for a factor."""
    array = model.parameters[target.parameter]
    finite = np.abs(array[np.isfinite(array)])
    unit = 1.0 if target.kind == "scale" else float(finite.max(initial=0.0)) or 1.0
    count = math.ceil(math.log(LAST / FIRST) / math.log(RATIO))
    return [unit * FIRST * RATIO**i for i in range(count + 1)]


def _curve(present: float, found: Trial | None, lowest: float, highest: float) -> list[float]:
    """Evenly spread x around the present and the found one, or over all that was searched."""
    if found is not None:
        reach = 1.6 * abs(found.x - present)
        lowest, highest = present - reach, present + reach
    return [lowest + (highest - lowest) * i / (CURVE - 1) for i in range(CURVE)]


def apply_flip(state: State, target: Target, x: float, shown: str, token: str) -> SetCells | SetParameters:
    """The edit that makes a change that was found; `shown` and `token` are how its title says x and the new token.

    Raises:
        EditError: it would change no number.
    """
    array = state.model.parameters[target.parameter]
    place = target.cell if target.kind == "cell" else target.cell[:-1]
    where = f"{target.parameter}[{','.join(map(str, place))}]" if place else target.parameter
    verb = {"cell": f"{where} = {shown}", "shift": f"add {shown} to {where}", "scale": f"scale {where} by {shown}"}
    mask = np.zeros(array.shape, dtype=np.bool_)
    mask[target.place] = True
    index = tuple(np.nonzero(mask))
    return write_cells(
        state, target.parameter, index, target.changed(array, x)[index], f"{verb[target.kind]} → {token}"
    )


def cost(model: Model, trace: Trace) -> float:
    """A rough count of the multiplications of a whole search."""
    return 200.0 * len(trace.tokens) * model.parameters.count()
