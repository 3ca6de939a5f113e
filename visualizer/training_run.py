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
from visualizer.session.training.corpora import Corpus, open_corpus
from visualizer.session.training.file_run import FileRun, loss_text
from visualizer.session.training.plan import TrainingPlan, TrainingText
from visualizer.training_options import recipe_words, settings_of, shape_of

REPORT_SECONDS = 2.0


def run(options: argparse.Namespace) -> int:
    """Train, report on stderr, write the model; the last line of stdout is `loss TRAIN VALIDATION`.

    Returns 0, or 1 where the loss exploded: then the last good parameters are written, and stderr says so.

    Raises:
        TrainingError, FormatError, ConfigError: before anything is written.
    """
    output = Path(options.output)
    if output.suffix != ".safetensors":
        raise FormatError(f"{str(output)!r} does not end in .safetensors, the format that is written")
    if not output.parent.is_dir():
        raise FormatError(f"there is no folder {str(output.parent)!r} to write to")
    if not options.checkpoint_every > 0:
        raise TrainingError(f"--checkpoint-every is {options.checkpoint_every:g}; seconds above 0 are needed")
    corpus = open_corpus(options.corpus)
    if options.resume:
        work = FileRun.resume(corpus, output, options.steps)
    else:
        work = FileRun.begin(plan_of(options, corpus), " ".join(recipe_words(options)), output)
    try:
        with stop_signals() as asked:
            _train(work, options.checkpoint_every, asked)
    except ExplodedError as error:
        work.save()
        print(f"visualizer: {error}; they are in {str(output)!r}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        work.keep()
        print(f"stopped at step {work.trainer.step}; go on with --resume", file=sys.stderr)
        raise
    work.keep()
    work.save()
    _report_accuracy(work, corpus)
    print(f"loss {loss_text(work.trainer.train_loss)} {loss_text(work.trainer.validation_loss)}")
    return 0


def plan_of(options: argparse.Namespace, corpus: Corpus) -> TrainingPlan:
    """What the options ask for, as the training panel would plan it."""
    text = TrainingText.of(corpus)
    if options.lines:
        text = replace(text, by_lines=True)
    return TrainingPlan(text, shape_of(options), settings=settings_of(options))


@contextmanager
def stop_signals() -> Iterator[threading.Event]:
    """An event that Ctrl+C, or being asked to end, sets in place of an error in the middle of a step."""
    asked = threading.Event()
    if threading.current_thread() is not threading.main_thread():  # signals are the main thread's
        yield asked
        return
    before = {number: signal.signal(number, lambda *_: asked.set()) for number in (signal.SIGINT, signal.SIGTERM)}
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
    print(f"{trainer.flat.size:,} parameters, {len(trainer.train_ids):,} tokens to train on", file=sys.stderr)
    for progress in trainer.steps():
        now = time.monotonic()
        if progress.evaluated or now - reported > REPORT_SECONDS:
            reported, steps = now, trainer.settings.steps
            tokens = (steps - progress.step) * trainer.settings.batch * trainer.config.n_ctx
            print(
                f"step {progress.step}/{steps}  loss {progress.loss:.4f}  train {loss_text(progress.train)}  "
                f"validation {loss_text(progress.validation)}  lr {progress.lr:.2g}  "
                f"norm {progress.gradient_norm:.2g}  {progress.tokens_per_second:,.0f} tokens/s  "
                f"{tokens / progress.tokens_per_second:.0f} s left",
                file=sys.stderr,
                flush=True,
            )
        if asked_to_stop.is_set():
            raise KeyboardInterrupt
        if now - saved > checkpoint_seconds:
            work.keep()
            saved = time.monotonic()


def _report_accuracy(work: FileRun, corpus: Corpus) -> None:
    """Where the corpus is a task, print how many of its held-out items the model completes exactly."""
    if corpus.task is None:
        return
    try:
        print(f"accuracy {corpus.task.accuracy(work.model()):.3f}")
    except InputError as error:
        print(f"accuracy cannot be told: {error}", file=sys.stderr)
