"""`visualizer train`: from a text to a model file, with a checkpoint on the way."""

from __future__ import annotations

import argparse
import signal
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from visualizer.engine.adam import AdamSettings
from visualizer.engine.config import ModelConfig
from visualizer.engine.model import Model
from visualizer.engine.training import Trainer, TrainingSettings
from visualizer.errors import ExplodedError, FormatError, InputError, TrainingError
from visualizer.formats import OpenedModel, save_safetensors
from visualizer.formats.checkpoint import (
    checkpoint_path,
    fingerprint,
    load_checkpoint,
    read_recipe,
    save_checkpoint,
)
from visualizer.session.training.corpora import Corpus, open_corpus
from visualizer.session.training.plan import require_memory
from visualizer.tokenizers import CharacterTokenizer, Tokenizer
from visualizer.tokenizers.bpe_training import train_bpe
from visualizer.training_options import recipe_words

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
    work = _resume(options, output) if options.resume else _begin(options, output)
    try:
        with stop_signals() as asked:
            work.train(options.checkpoint_every, asked)
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
    work.report_accuracy()
    print(f"loss {_said(work.trainer.train_loss)} {_said(work.trainer.validation_loss)}")
    return 0


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


class Work:
    """One run: the trainer and everything that its files need.

    Args:
        trainer: ready to make its next step.
        tokenizer: of the text.
        digest: of the text's ids.
        recipe: the command that began the run.
        corpus: the text.
        output: where the model goes; the checkpoint stands beside it.
    """

    def __init__(
        self, trainer: Trainer, tokenizer: Tokenizer, digest: str, recipe: str, corpus: Corpus, output: Path
    ) -> None:
        self.trainer, self.corpus = trainer, corpus
        self._tokenizer, self._digest, self._recipe, self._output = tokenizer, digest, recipe, output

    def train(self, checkpoint_seconds: float, asked_to_stop: threading.Event) -> None:
        """Make the steps that are left, with a word on stderr and a checkpoint from time to time.

        Raises:
            ExplodedError: as `Trainer.steps`.
            KeyboardInterrupt: it was asked to stop; the last step is whole.
        """
        trainer = self.trainer
        saved = reported = time.monotonic()
        print(f"{trainer.flat.size:,} parameters, {len(trainer.train_ids):,} tokens to train on", file=sys.stderr)
        for progress in trainer.steps():
            now = time.monotonic()
            if progress.evaluated or now - reported > REPORT_SECONDS:
                reported, steps = now, trainer.settings.steps
                tokens = (steps - progress.step) * trainer.settings.batch * trainer.config.n_ctx
                print(
                    f"step {progress.step}/{steps}  loss {progress.loss:.4f}  train {_said(progress.train)}  "
                    f"validation {_said(progress.validation)}  lr {progress.lr:.2g}  "
                    f"norm {progress.gradient_norm:.2g}  {progress.tokens_per_second:,.0f} tokens/s  "
                    f"{tokens / progress.tokens_per_second:.0f} s left",
                    file=sys.stderr,
                    flush=True,
                )
            if asked_to_stop.is_set():
                raise KeyboardInterrupt
            if now - saved > checkpoint_seconds:
                self.keep()
                saved = time.monotonic()

    def keep(self) -> None:
        """Write the checkpoint."""
        save_checkpoint(checkpoint_path(self._output), self.trainer, self._tokenizer, self._digest, self._recipe)

    def save(self) -> None:
        """Write the model, with what is worth knowing about it."""
        trainer, task = self.trainer, self.corpus.task
        notes = {
            "recipe": self._recipe,
            "step": str(trainer.step),
            "train loss": _said(trainer.train_loss),
            "validation loss": _said(trainer.validation_loss),
        }
        example = task.example if task is not None else self.corpus.text[:PROMPT].rpartition(" ")[0]
        opened = OpenedModel(self._model(), self._output.stem, str(self._output), prompt=example or None)
        save_safetensors(opened, self._output, notes)

    def report_accuracy(self) -> None:
        """Where the corpus is a task, print how many of its held-out items the model completes exactly."""
        task = self.corpus.task
        if task is None:
            return
        try:
            print(f"accuracy {task.accuracy(self._model()):.3f}")
        except InputError as error:
            print(f"accuracy cannot be told: {error}", file=sys.stderr)

    def _model(self) -> Model:
        return Model(self.trainer.config, self.trainer.parameters(), self._tokenizer)


#: Characters of a text's beginning of which a prompt to open its model with is made.
PROMPT = 24


def _resume(options: argparse.Namespace, output: Path) -> Work:
    """The run whose checkpoint stands beside the output."""
    checkpoint = checkpoint_path(output)
    corpus = open_corpus(options.corpus)
    if not checkpoint.exists():
        raise FormatError(f"there is no checkpoint {str(checkpoint)!r} to go on from; begin without --resume")
    trainer, tokenizer, digest = load_checkpoint(checkpoint, lambda known: _ids(known, corpus.text), options.steps)
    recipe = read_recipe(checkpoint)
    if options.steps is not None:
        recipe += f", then --resume --steps {options.steps}"
    return Work(trainer, tokenizer, digest, recipe, corpus, output)


def _begin(options: argparse.Namespace, output: Path) -> Work:
    """A new run."""
    corpus = open_corpus(options.corpus)
    tokenizer: Tokenizer
    if options.tokenizer == "bpe":
        tokenizer = train_bpe(corpus.text, options.vocab_size)
    else:
        tokenizer = CharacterTokenizer.from_text(corpus.text)
    ids = _ids(tokenizer, corpus.text)
    no_mlp = options.d_mlp == 0
    config = ModelConfig(
        n_layers=options.n_layers,
        d_model=options.d_model,
        n_ctx=options.context,
        d_vocab=tokenizer.vocabulary_size,
        n_heads=options.n_heads,
        d_mlp=0 if no_mlp else 2 * options.d_model if options.d_mlp is None else options.d_mlp,
        act_fn=None if no_mlp else "relu",
        attn_only=no_mlp,
        positional_embedding_type={"learned": "standard", "sinusoidal": "sinusoidal"}[options.positions],
        tie_embeddings=False,
    )
    settings = TrainingSettings(
        steps=2000 if options.steps is None else options.steps,
        batch=options.batch,
        seed=options.seed,
        begin_after=_line_end(tokenizer) if options.lines or corpus.by_lines else None,
        optimizer=AdamSettings(
            lr=options.lr, warmup=options.warmup, weight_decay=options.weight_decay, grad_clip=options.clip
        ),
    )
    require_memory(config, settings.batch)
    recipe = " ".join(recipe_words(options))
    return Work(Trainer(config, ids, settings), tokenizer, fingerprint(ids), recipe, corpus, output)


def _ids(tokenizer: Tokenizer, text: str) -> NDArray[np.intp]:
    return np.array(tokenizer.encode(text), dtype=np.intp)


def _line_end(tokenizer: Tokenizer) -> int:
    """The token that ends a line. Raises TokenError where the text has no line ends."""
    return tokenizer.encode("\n")[0]


def _said(loss: float | None) -> str:
    return "-" if loss is None else f"{loss:.4f}"
