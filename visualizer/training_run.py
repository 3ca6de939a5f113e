"""`visualizer train`: what it prints, and how it is stopped."""

from __future__ import annotations

import argparse
import signal
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from visualizer.errors import ExplodedError, FormatError, InputError, TrainingError
from visualizer.formats.checkpoint import checkpoint_path
from visualizer.formats.writing import is_same_file, require_writable
from visualizer.session.training.corpora import Corpus, open_corpus
from visualizer.session.training.file_run import FileRun, loss_text
from visualizer.session.training.plan import TrainingPlan, TrainingText
from visualizer.standard_streams import tell
from visualizer.training_options import recipe_words, refuse_other_options, settings_of, shape_of

REPORT_SECONDS = 2.0
#: The signals that end a run after its present step, by their names; not every system has all of them.
STOPPING = ("SIGINT", "SIGTERM", "SIGHUP", "SIGBREAK")


def run(options: argparse.Namespace) -> int:
    """Train, report on stderr, write the model; the last line of stdout is `loss TRAIN VALIDATION`.

    Returns 0, or 1 where the loss exploded: then the last good parameters are written, and stderr says so.

    Raises:
        TrainingError, FormatError, ConfigError: before anything is written; or the model itself cannot be.
        KeyboardInterrupt: it was asked to stop; what was learned is kept.
    """
    output = Path(options.output)
    _require_places(options.corpus, output)
    if not options.checkpoint_every > 0:
        raise TrainingError(f"--checkpoint-every is {options.checkpoint_every:g}; seconds above 0 are needed")
    corpus = open_corpus(options.corpus)
    if options.resume:
        work = FileRun.resume(corpus, output, options.steps, options.lr)
        refuse_other_options(options, work.trainer, work.tokenizer, work.recipe)
    else:
        work = FileRun.begin(plan_of(options, corpus), " ".join(recipe_words(options)), output)
    with stop_signals() as asked:  # until all is written: whoever asks twice must not take the half of it
        try:
            _train(work, options.checkpoint_every, asked)
        except ExplodedError as error:
            work.save()
            _say(f"visualizer: {error}; they are in {str(output)!r}")
            return 1
        except KeyboardInterrupt:
            _stopped(work, output)
            raise
        _keep(work)
        work.save()
    _report_accuracy(work, corpus)
    print(f"loss {loss_text(work.trainer.train_loss)} {loss_text(work.trainer.validation_loss)}")
    return 0


def _require_places(corpus: str, output: Path) -> None:
    """Refuse, before hours of training, what could not be written after them, and what must not be written over.

    Raises:
        FormatError: the model or its checkpoint has no place, or it is the corpus's.
    """
    if output.suffix != ".safetensors":
        raise FormatError(f"{str(output)!r} does not end in .safetensors, the format that is written")
    if not output.parent.is_dir():
        raise FormatError(f"there is no folder {str(output.parent)!r} to write to")
    for place in (output, checkpoint_path(output)):
        if is_same_file(corpus, place):
            raise FormatError(f"{str(place)!r} is the corpus, which would be overwritten; name another output")
        require_writable(place)


def _keep(work: FileRun) -> bool:
    """Write the checkpoint, and return whether it is; a run goes on without one, for a while or to its end."""
    try:
        work.keep()
    except FormatError as error:
        _say(f"there is no checkpoint of step {work.trainer.step}: {error}")
        return False
    return True


def _stopped(work: FileRun, output: Path) -> None:
    """Keep what was learned before the end: in the checkpoint, or else in the model."""
    step = work.trainer.step
    if _keep(work):
        _say(f"stopped at step {step}; go on with --resume")
        return
    work.save()
    _say(f"stopped at step {step}; the model is in {str(output)!r}")


def _say(text: str) -> None:
    """A word on stderr, if anybody hears it."""
    tell(text, sys.stderr)


def plan_of(options: argparse.Namespace, corpus: Corpus) -> TrainingPlan:
    """What the options ask for, as the training panel would plan it."""
    text = TrainingText.of(corpus)
    if options.lines:
        text = replace(text, by_lines=True)
    return TrainingPlan(text, shape_of(options), settings=settings_of(options))


@contextmanager
def stop_signals() -> Iterator[threading.Event]:
    """An event that Ctrl+C, being asked to end, or a terminal that closes sets, in place of an error within a step."""
    asked = threading.Event()
    if threading.current_thread() is not threading.main_thread():  # signals are the main thread's
        yield asked
        return
    known = [getattr(signal, name) for name in STOPPING if hasattr(signal, name)]
    numbers = [number for number in known if signal.getsignal(number) != signal.SIG_IGN]  # `nohup` has it ignored
    before = {number: signal.signal(number, lambda *_: asked.set()) for number in numbers}
    try:
        yield asked
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _train(work: FileRun, checkpoint_seconds: float, asked_to_stop: threading.Event) -> None:
    """Make the steps that are left, with a word on stderr and a checkpoint from time to time.

    Raises:
        ExplodedError: as `Trainer.steps`.
        KeyboardInterrupt: it was asked to stop; the last step is whole.
    """
    trainer = work.trainer
    saved = reported = time.monotonic()
    _say(f"{trainer.flat.size:,} parameters, {len(trainer.train_ids):,} tokens to train on")
    for progress in trainer.steps():
        now = time.monotonic()
        if progress.evaluated or now - reported > REPORT_SECONDS:
            reported, steps = now, trainer.settings.steps
            tokens = (steps - progress.step) * trainer.settings.batch * trainer.config.n_ctx
            _say(
                f"step {progress.step}/{steps}  loss {progress.loss:.4f}  train {loss_text(progress.train)}  "
                f"validation {loss_text(progress.validation)}  lr {progress.lr:.2g}  "
                f"norm {progress.gradient_norm:.2g}  {progress.tokens_per_second:,.0f} tokens/s  "
                f"{tokens / progress.tokens_per_second:.0f} s left"
            )
        if asked_to_stop.is_set():
            raise KeyboardInterrupt
        if now - saved > checkpoint_seconds:
            _keep(work)
            saved = time.monotonic()


def _report_accuracy(work: FileRun, corpus: Corpus) -> None:
    """Where the corpus is a task, print how many of its held-out items the model completes exactly."""
    if corpus.task is None:
        return
    try:
        print(f"accuracy {corpus.task.accuracy(work.model()):.3f}")
    except InputError as error:
        _say(f"accuracy cannot be told: {error}")
