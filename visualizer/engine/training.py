"""Training on a text of token ids: batches of random windows, Adam, evaluation, and a state to go on from."""

from __future__ import annotations

import math
import time
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from visualizer.engine.adam import Adam, AdamSettings
from visualizer.engine.checked import require_number, require_whole
from visualizer.engine.config import ModelConfig
from visualizer.engine.gradients import cross_entropy, global_norm, loss_gradients
from visualizer.engine.graph import build_graph
from visualizer.engine.ops.base import Run
from visualizer.engine.parameters import Parameters, parameter_shapes
from visualizer.engine.threads import WorkerPool, one_thread_each
from visualizer.errors import ExplodedError, TrainingError

Array = NDArray[Any]

#: A batch is always worked on in this many blocks, so that its sums do not depend on how many cores there are.
PARTS = 2
#: Loss above this many times that of knowing nothing counts as exploded.
EXPLODED = 4.0


@dataclass(frozen=True)
class TrainingSettings:
    """How long and on what.

    Attributes:
        steps: how many batches.
        batch: windows in each.
        seed: of the first parameters and of the windows.
        validation_fraction: the part at the end of the text that is kept for validation.
        evaluate_every: steps between evaluations.
        evaluation_windows: how many windows of each split an evaluation looks at.
        begin_after: the id of the token after which windows begin, such as a line end; None for anywhere.
        optimizer: the optimizer's settings.
    """

    steps: int = 2000
    batch: int = 32
    seed: int = 0
    validation_fraction: float = 0.1
    evaluate_every: int = 100
    evaluation_windows: int = 128
    begin_after: int | None = None
    optimizer: AdamSettings = field(default_factory=AdamSettings)

    def __post_init__(self) -> None:
        for name in ("steps", "batch", "evaluate_every", "evaluation_windows"):
            require_whole(name, getattr(self, name), 1)
        require_number(
            "validation_fraction", self.validation_fraction, "a part between 0 and 1", math.ulp(0.0), below=1.0
        )
        require_whole("seed", self.seed, 0)
        if self.begin_after is not None:
            require_whole("begin_after", self.begin_after, 0)


@dataclass(frozen=True)
class Progress:
    """What one step tells.

    Attributes:
        step: how many steps are done.
        loss: cross-entropy in nats of the step's batch, before its update.
        lr, gradient_norm: of the step; the norm is before clipping.
        train, validation: losses of the last evaluation (None before the first).
        evaluated: whether this step made one.
        tokens_per_second: since this run of the trainer began.
    """

    step: int
    loss: float
    lr: float
    gradient_norm: float
    train: float | None
    validation: float | None
    evaluated: bool
    tokens_per_second: float


def init_parameters(config: ModelConfig, seed: int) -> dict[str, Array]:
    """Parameters to begin with: normal with deviation 0.02 for embeddings, 1/√in for matrices (those that write
    into the residual stream 1/√(2 · blocks) of that, as in GPT-2), gains 1, biases 0.
    """
    random = np.random.default_rng(seed)
    parameters = {}
    for name, shape in parameter_shapes(config).items():
        if name.endswith(".g"):
            parameters[name] = np.ones(shape)
        elif name.endswith(".b"):
            parameters[name] = np.zeros(shape)
        else:
            deviation = 0.02 if name in ("wte", "wpe") else 1 / math.sqrt(shape[0])
            if name.endswith("c_proj.w"):
                deviation /= math.sqrt(2 * config.n_layers)
            parameters[name] = random.normal(0.0, deviation, shape)
    if config.tie_embeddings:
        parameters.pop("lm_head.b", None)
    return parameters


class Trainer:
    """Trains one model. Iterating it makes steps; stop by not asking for the next.

    Args:
        config: the model's shape.
        ids: the text, [tokens].
        settings: how.
        parameters: where to begin; None for new ones from the seed.

    Raises:
        TrainingError: the text is too short for the context, or no window can begin where it should.
    """

    def __init__(
        self,
        config: ModelConfig,
        ids: Array,
        settings: TrainingSettings,
        parameters: dict[str, Array] | None = None,
    ) -> None:
        if config.tie_embeddings is None:
            config = replace(config, tie_embeddings=True)
        self.config, self.settings = config, settings
        self.train_ids, self.validation_ids = split(ids, config.n_ctx, settings.validation_fraction)
        self._train_starts = window_starts(self.train_ids, config.n_ctx, settings.begin_after)
        self._validation_starts = window_starts(self.validation_ids, config.n_ctx, settings.begin_after)
        checked = Parameters(config, parameters if parameters is not None else init_parameters(config, settings.seed))
        self.names = list(checked)
        self.graph = build_graph(config, frozenset(checked))
        shapes = {name: array.shape for name, array in checked.items()}
        self.flat = np.concatenate([array.reshape(-1) for array in checked.values()])
        self.arrays = _named_views(self.flat, shapes)
        decayed = [np.full(a.size, a.ndim > 1 and n not in ("wte", "wpe")) for n, a in checked.items()]
        self.optimizer = Adam(
            settings.optimizer, self.flat.size, np.concatenate(decayed).astype(config.dtype), config.dtype
        )
        self.last_good = self.flat.copy()
        self.train_loss: float | None = None
        self.validation_loss: float | None = None

    @property
    def step(self) -> int:
        """How many steps are done."""
        return self.optimizer.steps

    def parameters(self) -> dict[str, Array]:
        """A copy of the present parameters by name."""
        return {name: view.copy() for name, view in self.arrays.items()}

    def steps(self) -> Iterator[Progress]:
        """Make steps until all are made.

        Raises:
            ExplodedError: the loss is NaN or has exploded; the parameters are the last good ones.
        """
        began, first = time.perf_counter(), self.step
        pool = WorkerPool(PARTS)
        try:
            while self.step < self.settings.steps:
                yield self._step(pool, began, first)
        finally:
            pool.close()

    def _step(self, pool: WorkerPool, began: float, first: int) -> Progress:
        settings, step = self.settings, self.step
        windows = self._windows(step)
        with one_thread_each():
            loss, gradients = self._loss_gradients(pool, windows)
            norm = global_norm(gradients)
            self._refuse_what_exploded(step, loss, norm)
            np.copyto(self.last_good, self.flat)
            clip = settings.optimizer.grad_clip
            gradient = np.concatenate([gradients[name].reshape(-1) for name in self.names])
            if clip and norm > clip:
                gradient *= clip / norm
            lr = settings.optimizer.rate(step, settings.steps)
            self.optimizer.update(self.flat, gradient, lr)
            evaluated = self.step % settings.evaluate_every == 0 or self.step == settings.steps
            if evaluated:
                self.train_loss = self._evaluate(pool, self.train_ids, self._train_starts)
                self.validation_loss = self._evaluate(pool, self.validation_ids, self._validation_starts)
        done = (self.step - first) * settings.batch * self.config.n_ctx
        rate = done / max(time.perf_counter() - began, 1e-9)
        return Progress(self.step, loss, lr, norm, self.train_loss, self.validation_loss, evaluated, rate)

    def _windows(self, step: int) -> Array:
        """The batch of a step, ids [batch, n_ctx + 1]; it depends on the seed and the step alone."""
        random = np.random.default_rng([self.settings.seed, step])
        return windows_at(self.train_ids, self._train_starts, self.config.n_ctx, random, self.settings.batch)

    def _loss_gradients(self, pool: WorkerPool, windows: Array) -> tuple[float, dict[str, Array]]:
        parts = [part for part in np.array_split(windows, PARTS) if len(part)]
        results = pool.map(
            lambda part: loss_gradients(self.graph, self.arrays, part[:, :-1], part[:, 1:]),
            parts,
        )
        shares = [len(part) / len(windows) for part in parts]
        loss = sum(share * result.loss for share, result in zip(shares, results, strict=True))
        gradients = {name: results[0].parameters[name] * shares[0] for name in self.names}
        for share, result in zip(shares[1:], results[1:], strict=True):
            for name in self.names:
                gradients[name] += share * result.parameters[name]
        return float(loss), gradients

    def _evaluate(self, pool: WorkerPool, ids: Array, starts: Array | int) -> float:
        """Mean loss over windows that are the same every time."""
        random = np.random.default_rng(self.settings.seed)
        windows = windows_at(ids, starts, self.config.n_ctx, random, self.settings.evaluation_windows)
        parts = [part for part in np.array_split(windows, max(PARTS, len(windows) // 16)) if len(part)]
        losses = pool.map(lambda part: batch_loss(self, part), parts)
        return float(np.average(losses, weights=[len(part) for part in parts]))

    def _refuse_what_exploded(self, step: int, loss: float, norm: float) -> None:
        limit = EXPLODED * math.log(self.config.d_vocab + 1) + 10
        if math.isfinite(loss) and math.isfinite(norm) and loss < limit:
            return
        np.copyto(self.flat, self.last_good)
        what = f"the loss is {loss:.3g}" if not math.isfinite(loss) or loss >= limit else f"the gradient is {norm:.3g}"
        raise ExplodedError(
            f"training stopped at step {step}: {what}; the last good parameters are kept, and a lower lr than "
            f"{self.settings.optimizer.lr:g} may do"
        )

    def state(self) -> dict[str, Array]:
        """Everything that a later run needs to go on with the very same numbers."""
        losses = [math.nan if loss is None else loss for loss in (self.train_loss, self.validation_loss)]
        return {
            "parameters": self.flat.copy(),
            "first": self.optimizer.first.copy(),
            "second": self.optimizer.second.copy(),
            "step": np.array(self.step),
            "losses": np.array(losses),
        }

    def restore(self, state: dict[str, Array]) -> None:
        """Go on from what `state` returned.

        Raises:
            TrainingError: it is of another model, or no state.
        """
        own = {"parameters": self.flat, "first": self.optimizer.first, "second": self.optimizer.second}
        shapes = {name: array.shape for name, array in own.items()} | {"step": (), "losses": (2,)}
        for name, shape in shapes.items():
            if name not in state or state[name].shape != shape or state[name].dtype.kind not in "fiu":
                raise TrainingError("the checkpoint is of a model of another shape")
        for name, array in own.items():
            np.copyto(array, state[name])
        self.optimizer.steps = int(state["step"])
        np.copyto(self.last_good, self.flat)
        losses = [None if math.isnan(loss) else float(loss) for loss in state["losses"]]
        self.train_loss, self.validation_loss = losses


def batch_loss(trainer: Trainer, windows: Array) -> float:
    """Mean loss of windows [batch, n_ctx + 1], without gradients."""
    with np.errstate(all="ignore"):
        run = Run(windows[:, :-1], trainer.arrays)
        for op in trainer.graph.schedule(("logits",)):
            op.forward(run)
        return cross_entropy(run.values["logits"], windows[:, 1:])[0]


def split(ids: Array, n_ctx: int, validation_fraction: float) -> tuple[Array, Array]:
    """The text's beginning to train on and its end to validate on, each at least n_ctx + 1 tokens.

    Raises:
        TrainingError: the text is too short.
    """
    ids = np.asarray(ids, dtype=np.intp)
    needed = n_ctx + 1
    held = max(needed, round(validation_fraction * len(ids)))
    if len(ids) - held < needed:
        raise TrainingError(
            f"the text has {len(ids)} tokens; with a context of {n_ctx}, at least {2 * needed} are needed "
            "(half to train on, half to validate), or a shorter context"
        )
    return ids[:-held], ids[-held:]


def window_starts(ids: Array, n_ctx: int, begin_after: int | None) -> Array | int:
    """Where windows of n_ctx + 1 tokens may begin: the places [starts] after a token, or how many there are from 0 on.

    Raises:
        TrainingError: there is none.
    """
    last = len(ids) - n_ctx
    if begin_after is None:
        return last
    starts = np.flatnonzero(ids[: last - 1] == begin_after) + 1
    if not starts.size:
        raise TrainingError(
            f"no window of {n_ctx} tokens begins after token {begin_after} in a part of the text of {len(ids)} tokens; "
            "a longer text, a shorter context or windows that begin anywhere are needed"
        )
    return starts


def windows_at(ids: Array, starts: Array | int, n_ctx: int, random: np.random.Generator, count: int) -> Array:
    """`count` random windows [count, n_ctx + 1] of a text, each from one of its `starts`."""
    drawn = random.integers(0, starts, size=count) if isinstance(starts, int) else random.choice(starts, size=count)
    windows: Array = ids[drawn[:, None] + np.arange(n_ctx + 1)]
    return windows


def _named_views(flat: Array, shapes: dict[str, tuple[int, ...]]) -> dict[str, Array]:
    views, start = {}, 0
    for name, shape in shapes.items():
        size = math.prod(shape)
        views[name] = flat[start : start + size].reshape(shape)
        start += size
    return views
