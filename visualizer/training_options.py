"""The options of `visualizer train`, with the defaults that the training panel has, too."""

from __future__ import annotations

import argparse
import re
import shlex
from pathlib import Path

from visualizer.command_options import number, shortened
from visualizer.engine.training import Trainer, TrainingSettings
from visualizer.errors import TrainingError
from visualizer.session.training.plan import SETTINGS, Shape, run_settings
from visualizer.session.words.whole_numbers import parse_whole
from visualizer.tokenizers import Tokenizer
from visualizer.tokenizers.bpe import BpeTokenizer

Kind = type[int] | type[float] | tuple[str, ...]

SHAPE = Shape()
#: No size or count has more.
DIGITS = 18
#: The options of a new model's shape, each a field of `Shape`: name, what values it takes, help.
SHAPE_OPTIONS: tuple[tuple[str, Kind, str], ...] = (
    ("tokenizer", ("char", "bpe"), "characters, or byte pairs"),
    ("vocab_size", int, "tokens of a bpe tokenizer"),
    ("d_model", int, "width of the residual stream"),
    ("n_heads", int, "attention heads a block"),
    ("n_layers", int, "blocks"),
    ("d_mlp", int, "width of the MLP (2 · d_model; 0: none)"),
    ("context", int, "tokens that the model sees"),
    ("positions", ("learned", "sinusoidal"), "how positions are encoded"),
)
#: The options of a run, each an argument of `run_settings`.
SETTINGS_OPTIONS: tuple[tuple[str, Kind, str], ...] = (
    ("steps", int, f"batches ({SETTINGS.steps})"),
    ("batch", int, "windows a batch"),
    ("lr", float, "highest learning rate"),
    ("warmup", int, f"steps until it is reached ({SETTINGS.optimizer.warmup}, or a tenth of a short run)"),
    ("weight_decay", float, "decoupled weight decay"),
    ("clip", float, "largest norm of the gradient; 0: any"),
    ("seed", int, "the same seed, the same model"),
)
#: What holds where an option is not given; None: as suits the steps, or the other sizes.
_USUAL: dict[str, object] = {
    **{name: getattr(SHAPE, name) for name, *_ in SHAPE_OPTIONS},
    "steps": None,
    "batch": SETTINGS.batch,
    "lr": SETTINGS.optimizer.lr,
    "warmup": None,
    "weight_decay": SETTINGS.optimizer.weight_decay,
    "clip": SETTINGS.optimizer.grad_clip,
    "seed": SETTINGS.seed,
}
#: Options that say nothing about what is trained.
_NO_RECIPE = ("corpus", "output", "run", "debug", "resume", "checkpoint_every")


def add_training_options(parser: argparse.ArgumentParser) -> None:
    """Add what `train` understands to its parser."""
    parser.add_argument(
        "corpus",
        metavar="CORPUS",
        help="a UTF-8 text file; or, of what comes with the program, corpus:rhymes, task:induction, task:reverse, "
        "task:sort, task:addition, task:brackets, or task:aab (ab, aaab, abcb)",
    )
    parser.add_argument("-o", "--output", default="model.safetensors", metavar="FILE.safetensors", help="the model")
    for name, kind, said in (*SHAPE_OPTIONS, *SETTINGS_OPTIONS):
        _add(parser, name, kind, said)
    parser.add_argument(
        "--lines", action="store_true", help="batches begin where a line begins (tasks of one item a line always do)"
    )
    parser.add_argument(
        "--resume",
        action="store_true",
        help="go on from the checkpoint beside the output; --steps and --lr may be others than the run began with",
    )
    parser.add_argument(
        "--checkpoint-every", type=number, default=30.0, metavar="SECONDS", help="how much can be lost (30)"
    )
    parser.add_argument("--debug", action="store_true", help="show tracebacks")


def recipe_words(options: argparse.Namespace) -> list[str]:
    """The command that trains the same model again: options that differ from what is usual, no places."""
    words = ["visualizer", "train", shlex.quote(Path(options.corpus).name)]
    for name, value in sorted(vars(options).items()):
        if name in _NO_RECIPE or value is None or value is False or value == _USUAL.get(name):
            continue
        words.append(f"--{name.replace('_', '-')}")
        if value is not True:
            words.append(str(value))
    return words


def _add(parser: argparse.ArgumentParser, name: str, kind: Kind, said: str) -> None:
    """One option, None where it is not given; its usual value is said in the help."""
    option, usual = f"--{name.replace('_', '-')}", _USUAL[name]
    if isinstance(kind, tuple):
        parser.add_argument(option, choices=kind, help=f"{said} ({usual})")
        return
    told = said if usual is None else f"{said} ({usual:g})"
    read, metavar = (_whole, "N") if kind is int else (number, "X")
    parser.add_argument(option, type=read, metavar=metavar, help=told)


def _whole(text: str) -> int:
    """A typed whole number, so small that products of a few stay numbers of the machine."""
    value = parse_whole(text, DIGITS)
    if value is None:
        raise argparse.ArgumentTypeError(f"{shortened(text)} is not a whole number of at most {DIGITS} digits")
    return value


def shape_of(options: argparse.Namespace) -> Shape:
    """The shape of a new model as the options have it."""
    given = {name: getattr(options, name) for name, *_ in SHAPE_OPTIONS}
    return Shape(**{name: value for name, value in given.items() if value is not None})


def settings_of(options: argparse.Namespace) -> TrainingSettings:
    """The settings of a new run as the options have them. Raises TrainingError for what cannot be served."""
    given = {name: getattr(options, name) for name, *_ in SETTINGS_OPTIONS}
    given["grad_clip"] = given.pop("clip")
    return run_settings(**{name: value for name, value in given.items() if value is not None})


def refuse_other_options(options: argparse.Namespace, run: Trainer, tokenizer: Tokenizer, recipe: str) -> None:
    """Refuse options that say something else than the run that is gone on with; its steps and its lr may change.

    Raises:
        TrainingError: an option that was given differs, or there are fewer steps than are done.
    """
    for name, value in _options_of(run, tokenizer, recipe).items():
        given = getattr(options, name)
        if given is not None and given is not False and given != value:
            option = f"--{name.replace('_', '-')}"
            was = "not given" if value is False else f"{value:g}" if isinstance(value, float) else value
            raise TrainingError(
                f"{option} {'' if given is True else f'{given} '}does not go with --resume: the run began with {was}; "
                f"leave {option} out, or begin another run under another name"
            )
    if options.steps is not None and options.steps < run.step:
        raise TrainingError(f"--steps is {options.steps}, but {run.step} steps are done; as many at least are needed")


def _options_of(run: Trainer, tokenizer: Tokenizer, recipe: str) -> dict[str, object]:
    """The options that a run began with, as its checkpoint tells."""
    config, settings, optimizer = run.config, run.settings, run.settings.optimizer
    bpe = isinstance(tokenizer, BpeTokenizer)
    began: dict[str, object] = {
        "tokenizer": "bpe" if bpe else "char",
        "d_model": config.d_model,
        "n_heads": config.n_heads,
        "n_layers": config.n_layers,
        "d_mlp": 0 if config.attn_only else config.d_mlp,
        "context": config.n_ctx,
        "positions": "learned" if config.positional_embedding_type == "standard" else "sinusoidal",
        "batch": settings.batch,
        "seed": settings.seed,
        "warmup": optimizer.warmup,
        "weight_decay": optimizer.weight_decay,
        "clip": optimizer.grad_clip,
        "lines": settings.begin_after is not None,
    }
    if bpe:  # a short text has fewer pairs than were asked for
        asked = re.search(r"--vocab-size (\d+)", recipe)
        began["vocab_size"] = int(asked[1]) if asked else SHAPE.vocab_size if recipe else tokenizer.vocabulary_size
    return began
