"""What should change for a wanted next token: gradients, what they mean, steps of Adam, and a check of one cell."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from visualizer.engine.adam import Adam, AdamSettings
from visualizer.engine.gradients import LossGradients, cross_entropy, global_norm, loss_gradients
from visualizer.engine.model import Model
from visualizer.errors import TrainingError
from visualizer.session.analysis.objective import Objective
from visualizer.session.document.edits import SetParameters
from visualizer.session.document.state import State

Array = NDArray[Any]

#: The part of a loss that is lost to rounding, about.
ROUNDING = 4 * float(np.finfo(np.float64).eps)
#: Steps of a finite difference, in units of the weight or of 1, whichever is larger.
DIFFERENCES = tuple(10.0**-power for power in range(1, 10))


def cost(model: Model, objective: Objective) -> float:
    """About how many multiplications one reading, or one step, takes."""
    tokens = sum(group.size for group, _ in objective.groups)
    return 5.0 * tokens * model.parameters.count()


@dataclass(frozen=True)
class Reading:
    """What the loss says about a model.

    Attributes:
        loss: mean cross-entropy in nats of the wanted tokens.
        gradients: d loss / d parameter, by name.
        norms: the parameters by norm of their gradient, greatest first.
        activation: d loss / d activation of the first context, of the one that was asked for.
        activation_name: which one that is; None where none was asked for.
        context: the ids of the first context.
        correct: how many of the wanted tokens are the most probable ones.
        one_hot: the part of the pattern's rows with several keys in sight that are one-hot to the last bit.
        gap: by how much the wanted token's logit leads the best other one (negative: trails it), at worst.
    """

    loss: float
    gradients: dict[str, Array]
    norms: tuple[tuple[str, float], ...]
    activation: Array | None
    correct: int
    one_hot: float
    gap: float
    activation_name: str | None = None
    context: tuple[int, ...] = ()

    @property
    def norm(self) -> float:
        """√ of the sum of squares of all gradients together."""
        return global_norm(self.gradients)


def read(model: Model, objective: Objective, activation: str | None = None) -> Reading:
    """Loss and gradients of a model for an objective; interventions play no part."""
    found = _gradients(model, objective, activation)
    with np.errstate(all="ignore"):
        norms = {name: float(np.linalg.norm(array.reshape(-1))) for name, array in found.parameters.items()}
    correct, gap = _answers(model, objective)
    ordered = sorted(norms.items(), key=lambda item: -item[1] if item[1] == item[1] else -np.inf)
    picked = None if activation is None else found.activations[activation][0]
    one_hot, context = _one_hot(model, objective), tuple(map(int, objective.groups[0][0][0]))
    return Reading(found.loss, found.parameters, tuple(ordered), picked, correct, one_hot, gap, activation, context)


def _gradients(model: Model, objective: Objective, activation: str | None = None) -> LossGradients:
    """Those of the mean over all contexts."""
    parameters = model.parameters.as_dict()
    total = LossGradients(0.0, {}, {})
    for place, (tokens, targets) in enumerate(objective.groups):
        wanted = () if activation is None or place else (activation,)
        part = loss_gradients(model.graph, parameters, tokens, targets, last_only=True, activations=wanted)
        share = len(targets) / objective.count()
        with np.errstate(all="ignore"):
            sums = {
                name: share * array if name not in total.parameters else total.parameters[name] + share * array
                for name, array in part.parameters.items()
            }
        kept = part.activations or total.activations
        total = LossGradients(total.loss + share * part.loss, sums, kept)
    return total


def _answers(model: Model, objective: Objective) -> tuple[int, float]:
    """How many wanted tokens come first, and the smallest lead of a wanted token's logit."""
    correct, gap = 0, np.inf
    for tokens, targets in objective.groups:
        logits = model.forward_batch(tokens)["logits"][:, -1].astype(np.float64)
        correct += int(np.count_nonzero(logits.argmax(axis=-1) == targets))
        rows = np.arange(len(targets))
        wanted = logits[rows, targets].copy()
        logits[rows, targets] = -np.inf
        with np.errstate(all="ignore"):
            lead = wanted - logits.max(axis=-1)
        gap = min(gap, float(np.nanmin(lead, initial=np.inf)))
    return correct, gap


def _one_hot(model: Model, objective: Objective) -> float:
    """The part of the attention rows, of all blocks and heads, that are one-hot to the last bit."""
    hot = count = 0
    for tokens, _ in objective.groups:
        values = model.forward_batch(tokens)
        for block in range(model.config.n_layers):
            pattern = values[f"blocks.{block}.attn.pattern"][..., 1:, :]  # the first row has one key in any case
            hot += int(np.count_nonzero(pattern.max(axis=-1) == 1))
            count += pattern[..., 0].size
    return hot / count if count else 0.0


class Descent:
    """Steps of Adam towards one objective. The moments last while it, the model and the learning rate stay as left.

    Attributes:
        taken: how many steps the moments are of.
    """

    def __init__(self) -> None:
        self._adam: Adam | None = None
        self._key: tuple[object, ...] = ()
        self._left: tuple[Array, ...] = ()

    @property
    def taken(self) -> int:
        """How many steps the moments are of."""
        return 0 if self._adam is None else self._adam.steps

    def step(
        self, state: State, objective: Objective, lr: float, steps: int = 1, only: str | None = None
    ) -> SetParameters:
        """The edit that takes some steps of Adam, over all parameters or `only` one.

        Raises:
            TrainingError: the gradient is 0 or not finite, so there is nothing to follow; or a setting is refused.
        """
        model = state.model
        names = [name for name in model.parameters if only in (None, name)]
        self._continue(model, objective, lr, only, names)
        assert self._adam is not None
        flat = np.concatenate([model.parameters[name].reshape(-1) for name in names])
        for taken in range(steps):
            gradients = _gradients(model, objective).parameters
            gradient = np.concatenate([gradients[name].reshape(-1) for name in names])
            if not np.isfinite(gradient).all():
                raise TrainingError("the gradient holds NaN or infinity, so no step is taken; undo what made them")
            if not gradient.any():
                if taken:
                    break
                raise TrainingError("the gradient is exactly 0, so no step would change anything")
            self._adam.update(flat, gradient, lr)
            model = model.replace(_named(flat, names, model))
        self._left = tuple(model.parameters[name] for name in model.parameters)
        count = "Adam step" if steps == 1 else f"{steps} Adam steps"
        where = "" if only is None else f" of {only}"
        arrays = tuple((name, model.parameters[name]) for name in names)
        return SetParameters(arrays, f"{count}{where} on {objective.name}, lr {lr:g}")

    def _continue(self, model: Model, objective: Objective, lr: float, only: str | None, names: list[str]) -> None:
        key = (objective.key, lr, only)
        now = model.parameters
        same = len(self._left) == len(now) and all(
            np.array_equal(left, now[name]) for left, name in zip(self._left, now, strict=True)
        )
        if self._adam is None or key != self._key or not same:
            size = sum(model.parameters[name].size for name in names)
            dtype = model.config.dtype
            self._adam = Adam(AdamSettings(lr=lr, warmup=0, grad_clip=0), size, np.zeros(size, dtype=dtype), dtype)
            self._key = key


@dataclass(frozen=True)
class Difference:
    """One cell's gradient by two ways, in double precision.

    Attributes:
        analytic: by the backward pass.
        numeric: by the loss at the weight ± `step`.
        uncertainty: by how much the numeric one changes with the next larger step, and what rounding may add.
        relative_error: |analytic − numeric| over the larger of the two; 0 where both are 0.
    """

    analytic: float
    numeric: float
    step: float
    uncertainty: float
    relative_error: float


def check(
    model: Model, objective: Objective, parameter: str, cell: tuple[int, ...]
) -> Generator[int, None, Difference]:
    """Compare a gradient with central differences, the step being the one that leaves least doubt.

    Yields how many differences are made. Raises ParameterError where there is no such parameter.
    """
    double = model.with_dtype("float64")
    analytic = float(_gradients(double, objective).parameters[parameter][cell])
    array = double.parameters[parameter]
    unit = max(1.0, abs(float(array[cell])))
    found: list[tuple[float, float]] = []
    lost = 0.0
    for made, size in enumerate(DIFFERENCES):
        step = size * unit
        losses = []
        with np.errstate(all="ignore"):  # a weight of NaN or infinity has a slope of NaN
            for sign in (1, -1):
                changed = np.array(array)
                changed[cell] += sign * step
                losses.append((changed[cell], _loss(double.replace({parameter: changed}), objective)))
            (high, above), (low, below) = losses
            found.append((float((above - below) / (high - low)), step))
        lost = max(lost, ROUNDING * max(abs(above), abs(below)))
        yield made + 1
    # What neighbouring steps disagree by, and what is lost to rounding when nearly equal losses are subtracted.
    doubts = [abs(b[0] - a[0]) + lost / b[1] for a, b in pairwise(found)]
    best = int(np.argmin(doubts)) + 1
    numeric, step = found[best]
    larger = max(abs(analytic), abs(numeric))
    error = abs(analytic - numeric) / larger if larger else 0.0
    return Difference(analytic, numeric, step, doubts[best - 1], error)


def _loss(model: Model, objective: Objective) -> float:
    total = 0.0
    for tokens, targets in objective.groups:
        logits = model.forward_batch(tokens)["logits"][:, -1]
        total += cross_entropy(logits, targets)[0] * len(targets) / objective.count()
    return total


def _named(flat: Array, names: list[str], model: Model) -> dict[str, Array]:
    arrays, start = {}, 0
    for name in names:
        shape = model.parameters[name].shape
        size = int(np.prod(shape))
        array = flat[start : start + size].reshape(shape).copy()
        array.flags.writeable = False
        arrays[name] = array
        start += size
    return arrays


def usual_rate(model: Model) -> float:
    """A learning rate to begin with: Adam moves every weight by about so much a step."""
    with np.errstate(all="ignore"):
        largest = max((float(np.abs(array).max()) for array in model.parameters.values() if array.size), default=1.0)
    return 0.1 if largest > 100 else 0.01


def words(reading: Reading, objective: Objective) -> str:
    """What the loss means, and what a gradient of 0 or a saturated softmax means for descent."""
    count = objective.count()
    if np.isnan(reading.loss):
        return "The loss is not a number: a weight is NaN or infinite. There is no way down from here."
    said = []
    if count > 1:
        said.append(f"{reading.correct} of {count} next tokens are right.")
    if reading.norm == 0:
        said.append(
            f"The wanted token leads by {reading.gap:.4g} and has probability 1 to the last bit: the softmax is "
            "saturated, loss and every gradient are exactly 0, and there is nothing to descend."
            if reading.loss == 0
            else "Every gradient is exactly 0: the loss is level here, and descent finds no way down."
        )
        return " ".join(said)
    if reading.gap < -20:
        said.append(
            f"The wanted token trails by {-reading.gap:.4g}: its probability is 0 to single precision, and the loss is "
            "that gap. At the logits the gradient is −1 and +1 however wide the gap is: it says where to, not how far."
        )
    if reading.one_hot > 0:
        said.append(
            f"{100 * reading.one_hot:.0f} % of the attention rows are one-hot to the last bit; through those no "
            "gradient reaches queries and keys."
        )
    return " ".join(said)
