"""A training run as a generator of reports: it can be paused and stopped within one step, and is kept in a file."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Generator, Iterator
from dataclasses import replace
from typing import Literal, cast

from visualizer.engine.model import Model
from visualizer.engine.training import Progress, Trainer
from visualizer.errors import FormatError, InputError, TrainingError
from visualizer.formats import OpenedModel
from visualizer.session.training.files import KeptRun
from visualizer.session.training.plan import TrainingPlan, TrainingText, beginning
from visualizer.session.training.prepare import READING, Prepared, prepare
from visualizer.session.training.report import Evaluation, Point, Report, TextSample, TrainingSnapshot
from visualizer.tokenizers import Tokenizer

#: Seconds between two reports, and between two checkpoints.
REPORT_SECONDS, CHECKPOINT_SECONDS = 0.1, 30.0
#: So many snapshots are kept at most, and so many bytes of them.
SNAPSHOTS, SNAPSHOT_BYTES = 200, 128 * 2**20
#: Tokens in a sample of generated text, and the greatest part of the time that is spent on samples.
SAMPLE_TOKENS, SAMPLE_SHARE = 80, 0.05
SAMPLE_SECONDS = 2.0
TEMPERATURE = 0.8
#: Weight of the newest step in the running mean of the time that a step takes.
NEWEST = 0.1


class TrainingJob:
    """One run. `reports` belongs to the thread that trains; the rest may be called from any.

    Args:
        plan: what to train; None to go on with what `kept` holds.
        kept: where the run's state is written from time to time; None writes nothing.
        ready: whether a report would be read now; those that would not are put off.
    """

    def __init__(
        self, plan: TrainingPlan | None, kept: KeptRun | None = None, ready: Callable[[], bool] = lambda: True
    ) -> None:
        if plan is None and kept is None:
            raise TrainingError("there is neither a plan nor a kept run to train by")
        self.plan, self._kept, self._ready = plan, kept, ready
        self._stopping, self._going = threading.Event(), threading.Event()
        self._going.set()
        self._points: list[Point] = []
        self._evaluations: list[Evaluation] = []
        self._samples: list[TextSample] = []
        self._snapshots: list[TrainingSnapshot] = []
        self._opened: OpenedModel | None = None
        self._prompt = self._trouble = ""
        self._step_seconds: float | None = None

    @property
    def paused(self) -> bool:
        """Whether it waits, or will after the step under way."""
        return not self._going.is_set()

    def pause(self) -> None:
        """Wait after the step under way."""
        self._going.clear()

    def resume(self) -> None:
        """Go on."""
        self._going.set()

    def stop(self) -> None:
        """End after the step under way; what has been learned so far is reported."""
        self._stopping.set()
        self._going.set()

    def reports(self) -> Iterator[Report]:
        """Train, and tell how it goes; the last report says how it ended."""
        try:
            for report in self._reports():
                if report.last:
                    self._release()  # whoever hears of it may go on with the run
                yield report
        finally:
            self._release()

    def _reports(self) -> Iterator[Report]:
        try:
            prepared = yield from self._prepared()
        except InputError as error:
            yield Report("failed", str(error))
            return
        if prepared is None:
            yield Report("stopped")
            return
        yield from self._train(*prepared)

    def _release(self) -> None:
        if self._kept is not None:
            self._kept.release()

    # -- before the first step

    def _prepared(self) -> Generator[Report, None, tuple[Trainer, Tokenizer] | None]:
        """Reports of what is being prepared; returns trainer and tokenizer, or None where it was stopped."""
        if self.plan is None:
            assert self._kept is not None
            yield Report("preparing", "reading what was kept")
            kept, known, name = self._kept.load()
            self._opened = _opened(kept, known, name, None)
            return kept, known
        if self.plan.text.source:
            yield Report("preparing", READING)
            self.plan = replace(self.plan, text=self.plan.text.read())
        steps = prepare(self.plan)
        while True:
            try:
                said = next(steps)
            except StopIteration as end:
                made: Prepared = end.value
                break
            if self._stopping.is_set():
                return None
            if said == READING or self._ready():
                yield Report("preparing", said)
            time.sleep(0)
        self._opened = _opened(made.trainer, made.tokenizer, self.plan.text.name, self.plan.present)
        if self._kept is not None:
            self._kept.begin(self.plan.text, made.digest)
        return made.trainer, made.tokenizer

    # -- steps

    def _train(self, trainer: Trainer, tokenizer: Tokenizer) -> Iterator[Report]:
        assert self._opened is not None
        self._prompt = beginning(self._text(trainer), trainer.config.n_ctx)
        sampler = TextSampler(self._opened, self._prompt)
        stride = _stride(trainer)
        self._snapshots.append(_snapshot(trainer))
        yield self._report("running", trainer)
        reported = saved = time.monotonic()
        ended: Literal["done", "stopped", "failed"] = "done"
        said = ""
        steps = cast(Generator[Progress, None, None], trainer.steps())
        while not self._stopping.is_set():
            began = time.monotonic()
            try:
                progress = next(steps)
            except StopIteration:
                break
            except TrainingError as error:
                ended, said = "failed", str(error)
                break
            self._note(progress, time.monotonic() - began)
            if trainer.step % stride == 0 and trainer.step < trainer.settings.steps:
                self._snapshots.append(_snapshot(trainer))
            now = time.monotonic()
            if sampler.due(now):
                self._samples += sampler.sample(trainer, self._stopping)
            if now - saved > CHECKPOINT_SECONDS:
                saved = now
                self._keep(trainer, tokenizer)
            if now - reported >= REPORT_SECONDS and self._ready():
                reported = now
                yield self._report("running", trainer)
            if self.paused:
                self._keep(trainer, tokenizer)
                yield self._report("paused", trainer)
                self._going.wait()
        steps.close()
        if self._stopping.is_set() and trainer.step < trainer.settings.steps and ended == "done":
            ended = "stopped"
        self._keep(trainer, tokenizer)
        if not self._stopping.is_set():
            self._samples += sampler.sample(trainer, self._stopping)
        self._snapshots.append(_snapshot(trainer))
        yield self._report(ended, trainer, said)

    def _text(self, trainer: Trainer) -> TrainingText:
        """What is trained on: the plan's text, or the kept run's."""
        if self.plan is not None:
            return self.plan.text
        assert self._kept is not None
        return TrainingText("", self._kept.text, by_lines=trainer.settings.begin_after is not None)

    def _keep(self, trainer: Trainer, tokenizer: Tokenizer) -> None:
        """Write a checkpoint. A disk that is full stops nothing: the run is in memory, and it is tried again."""
        if self._kept is None:
            return
        try:
            self._kept.save(trainer, tokenizer)
        except FormatError as error:
            self._trouble = f"the run is not kept on disk: {error}"
        else:
            self._trouble = ""

    def _note(self, progress: Progress, seconds: float) -> None:
        self._points.append(Point(progress.step, progress.loss, progress.lr, progress.gradient_norm))
        if progress.evaluated and progress.train is not None and progress.validation is not None:
            self._evaluations.append(Evaluation(progress.step, progress.train, progress.validation))
        mean = self._step_seconds
        self._step_seconds = seconds if mean is None else mean + NEWEST * (seconds - mean)

    def _report(
        self, phase: Literal["running", "paused", "done", "stopped", "failed"], trainer: Trainer, said: str = ""
    ) -> Report:
        seconds = self._step_seconds
        settings = trainer.settings
        report = Report(
            phase,
            said or self._trouble,
            trainer.step,
            settings.steps,
            self._opened,
            self._prompt,
            self._snapshots[-1] if self._snapshots and self._snapshots[-1].step == trainer.step else _snapshot(trainer),
            tuple(self._points),
            tuple(self._evaluations),
            tuple(self._samples),
            tuple(self._snapshots),
            None if seconds is None else settings.batch * trainer.config.n_ctx / max(seconds, 1e-9),
            None if seconds is None else (settings.steps - trainer.step) * seconds,
        )
        for told in (self._points, self._evaluations, self._samples, self._snapshots):
            told.clear()
        return report


class TextSampler:
    """Generates text now and then, for a small part of the time."""

    def __init__(self, opened: OpenedModel, prompt: str) -> None:
        self._opened, self._prompt = opened, prompt
        self._next = 0.0

    def due(self, now: float) -> bool:
        """Whether it is time for another sample."""
        return now >= self._next

    def sample(self, trainer: Trainer, stopping: threading.Event) -> list[TextSample]:
        """One sample of the present parameters; none where the run is to stop meanwhile."""
        began = time.monotonic()
        model = self._opened.model.replace(_snapshot(trainer).parameters)
        tokens: list[int] = []
        for step in model.generate(self._prompt, SAMPLE_TOKENS, temperature=TEMPERATURE):
            tokens.append(step.token)
            if stopping.is_set():
                return []
        now = time.monotonic()
        self._next = now + max(SAMPLE_SECONDS, (now - began) / SAMPLE_SHARE)
        return [TextSample(trainer.step, self._prompt, model.text(tokens))]


def _snapshot(trainer: Trainer) -> TrainingSnapshot:
    parameters = trainer.parameters()
    for array in parameters.values():
        array.flags.writeable = False
    return TrainingSnapshot(trainer.step, parameters)


def _stride(trainer: Trainer) -> int:
    """Steps between two snapshots, so that neither their number nor their size goes beyond bounds."""
    count = max(2, min(SNAPSHOTS, SNAPSHOT_BYTES // max(trainer.flat.nbytes, 1)))
    return max(1, -(-trainer.settings.steps // count))


def _opened(trainer: Trainer, tokenizer: Tokenizer, name: str, present: OpenedModel | None) -> OpenedModel:
    """What the run begins with: the present model as it is, or a new one named after its text."""
    if present is not None:
        return present
    return OpenedModel(Model(trainer.config, trainer.parameters(), tokenizer), f"trained on {name}", "")
