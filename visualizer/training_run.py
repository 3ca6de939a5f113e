"""`visualizer train`: from a text file to a model file, with a checkpoint on the way."""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from visualizer.engine.adam import AdamSettings
from visualizer.engine.config import ModelConfig
from visualizer.engine.model import Model
from visualizer.engine.training import Trainer, TrainingSettings
from visualizer.errors import FormatError, TrainingError
from visualizer.formats import OpenedModel, save_safetensors
from visualizer.formats.checkpoint import checkpoint_path, fingerprint, load_checkpoint, save_checkpoint
from visualizer.formats.corpus import read_corpus
from visualizer.tokenizers import CharacterTokenizer, Tokenizer, train_bpe

CHECKPOINT_SECONDS = 30.0
REPORT_SECONDS = 2.0


def run(options: argparse.Namespace) -> int:
    """Train, report on stderr, write the model; the last line of stdout is `loss TRAIN VALIDATION`.

    Raises:
        TrainingError, FormatError, ConfigError: before anything is written, or when the loss explodes (then the
            last good parameters are written first).
    """
    output = Path(options.output)
    if output.suffix != ".safetensors":
        raise FormatError(f"{str(output)!r} does not end in .safetensors, the format that is written")
    if not output.parent.is_dir():
        raise FormatError(f"there is no folder {str(output.parent)!r} to write to")
    text = read_corpus(options.corpus)
    checkpoint = checkpoint_path(output)
    if options.resume:
        if not checkpoint.exists():
            raise FormatError(f"there is no checkpoint {str(checkpoint)!r} to go on from; begin without --resume")
        trainer, tokenizer, digest = load_checkpoint(checkpoint, lambda t: _ids(t, text), options.steps)
    else:
        trainer, tokenizer, digest = _begin(options, text)
    recipe = " ".join(["visualizer train", *_recipe(options)])
    try:
        _train(trainer, tokenizer, digest, checkpoint)
    except TrainingError:
        _save(trainer, tokenizer, output, recipe)
        raise
    except KeyboardInterrupt:
        save_checkpoint(checkpoint, trainer, tokenizer, digest)
        print(f"stopped at step {trainer.step}; go on with --resume", file=sys.stderr)
        raise
    save_checkpoint(checkpoint, trainer, tokenizer, digest)
    _save(trainer, tokenizer, output, recipe)
    print(f"loss {_said(trainer.train_loss)} {_said(trainer.validation_loss)}")
    return 0


def _begin(options: argparse.Namespace, text: str) -> tuple[Trainer, Tokenizer, str]:
    tokenizer: Tokenizer
    if options.tokenizer == "bpe":
        tokenizer = train_bpe(text, options.vocab_size)
    else:
        tokenizer = CharacterTokenizer.from_text(text)
    ids = _ids(tokenizer, text)
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
    adam = AdamSettings(lr=options.lr, warmup=options.warmup, weight_decay=options.weight_decay, grad_clip=options.clip)
    steps = 2000 if options.steps is None else options.steps
    settings = TrainingSettings(steps=steps, batch=options.batch, seed=options.seed, adam=adam)
    return Trainer(config, ids, settings), tokenizer, fingerprint(ids)


def _ids(tokenizer: Tokenizer, text: str) -> NDArray[np.intp]:
    return np.array(tokenizer.encode(text), dtype=np.intp)


def _train(trainer: Trainer, tokenizer: Tokenizer, digest: str, checkpoint: Path) -> None:
    saved = reported = time.monotonic()
    steps = trainer.settings.steps
    print(f"{trainer.flat.size:,} parameters, {len(trainer.train_ids):,} tokens to train on", file=sys.stderr)
    for progress in trainer.steps():
        now = time.monotonic()
        if progress.evaluated or now - reported > REPORT_SECONDS:
            reported = now
            left = (steps - progress.step) * trainer.settings.batch * trainer.config.n_ctx / progress.tokens_per_second
            print(
                f"step {progress.step}/{steps}  loss {progress.loss:.4f}  train {_said(progress.train)}  "
                f"validation {_said(progress.validation)}  lr {progress.lr:.2g}  norm {progress.gradient_norm:.2g}  "
                f"{progress.tokens_per_second:,.0f} tokens/s  {left:.0f} s left",
                file=sys.stderr,
                flush=True,
            )
        if now - saved > CHECKPOINT_SECONDS:
            saved = now
            save_checkpoint(checkpoint, trainer, tokenizer, digest)


def _save(trainer: Trainer, tokenizer: Tokenizer, output: Path, recipe: str) -> None:
    model = Model(trainer.config, trainer.parameters(), tokenizer)
    notes = {"recipe": recipe, "step": str(trainer.step), "validation loss": _said(trainer.validation_loss)}
    save_safetensors(OpenedModel(model, output.stem, str(output)), output, notes)


def _said(loss: float | None) -> str:
    return "-" if loss is None else f"{loss:.4f}"


def _recipe(options: argparse.Namespace) -> list[str]:
    """The command's words without places on this machine."""
    words = [Path(options.corpus).name]
    for name, value in sorted(vars(options).items()):
        if name not in ("corpus", "output", "run", "debug", "resume") and value is not None:
            words += [f"--{name.replace('_', '-')}", str(value)]
    return words
