"""What a training run tells as it goes: steps, evaluations, samples of text, snapshots of the parameters."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from numpy.typing import NDArray

from visualizer.formats import OpenedModel

Named = dict[str, NDArray[Any]]


@dataclass(frozen=True)
class Point:
    """One step: how many are done, its batch's loss in nats, learning rate and norm of the gradient."""

    step: int
    loss: float
    lr: float
    gradient_norm: float


@dataclass(frozen=True)
class Evaluation:
    """Losses in nats over windows of the training part and of the validation part of the text."""

    step: int
    train: float
    validation: float


@dataclass(frozen=True)
class TextSample:
    """Text that the model went on with after so many steps."""

    step: int
    prompt: str
    text: str


@dataclass(frozen=True, eq=False)
class TrainingSnapshot:
    """The parameters, read-only, after so many steps. Two are the same only where they are one."""

    step: int
    parameters: Named

    def nbytes(self) -> int:
        """Bytes that it takes."""
        return sum(array.nbytes for array in self.parameters.values())


@dataclass(frozen=True, eq=False)
class Report:
    """What has happened since the report before. It compares as its snapshots do.

    Attributes:
        phase: "preparing", "running", "paused", or at last "done", "stopped" or "failed".
        said: what is being prepared, why the run failed, or why it cannot be kept on disk; empty otherwise.
        step, steps: how many are done, and of how many.
        opened: the model that the run began with; from the first report after preparing on.
        prompt: a few characters that suit the text.
        newest: the parameters as they are now.
        points, evaluations, samples, snapshots: what is new.
        tokens_per_second, seconds_left: None before the first step.
    """

    phase: Literal["preparing", "running", "paused", "done", "stopped", "failed"]
    said: str = ""
    step: int = 0
    steps: int = 0
    opened: OpenedModel | None = None
    prompt: str = ""
    newest: TrainingSnapshot | None = None
    points: tuple[Point, ...] = ()
    evaluations: tuple[Evaluation, ...] = ()
    samples: tuple[TextSample, ...] = ()
    snapshots: tuple[TrainingSnapshot, ...] = ()
    tokens_per_second: float | None = None
    seconds_left: float | None = None

    @property
    def last(self) -> bool:
        """Whether the run is over."""
        return self.phase in ("done", "stopped", "failed")
