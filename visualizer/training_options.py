"""The options of `visualizer train`, with the defaults that the training panel has, too."""

from __future__ import annotations

import argparse
import shlex
from pathlib import Path

from visualizer.command_options import number, shortened
from visualizer.engine.training import TrainingSettings
from visualizer.session.training.plan import SETTINGS, Shape, run_settings
from visualizer.session.words.whole_numbers import parse_whole

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
#: None: as a run that is resumed was to make, and as suits the steps.
_USUAL = {
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
    for name, kind, said in SHAPE_OPTIONS:
        _add(parser, name, kind, getattr(SHAPE, name), said)
    for name, kind, said in SETTINGS_OPTIONS:
        _add(parser, name, kind, _USUAL[name], said)
    parser.add_argument(
        "--lines", action="store_true", help="batches begin where a line begins (tasks of one item a line always do)"
    )
    parser.add_argument("--resume", action="store_true", help="go on from the checkpoint beside the output")
    parser.add_argument(
        "--checkpoint-every", type=number, default=30.0, metavar="SECONDS", help="how much can be lost (30)"
    )
    parser.add_argument("--debug", action="store_true", help="show tracebacks")


def recipe_words(options: argparse.Namespace) -> list[str]:
    """The command that trains the same model again: options that differ from their defaults, no places."""
    parser = argparse.ArgumentParser(add_help=False)
    add_training_options(parser)
    words = ["visualizer", "train", shlex.quote(Path(options.corpus).name)]
    for name, value in sorted(vars(options).items()):
        if name in _NO_RECIPE or value == parser.get_default(name):
            continue
        words.append(f"--{name.replace('_', '-')}")
        if value is not True:
            words.append(str(value))
    return words


def _add(parser: argparse.ArgumentParser, name: str, kind: Kind, usual: object, said: str) -> None:
    """One option; its default is said in the help."""
    option = f"--{name.replace('_', '-')}"
    if isinstance(kind, tuple):
        parser.add_argument(option, choices=kind, default=usual, help=f"{said} ({usual})")
        return
    told = said if usual is None else f"{said} ({usual:g})"
    read, metavar = (_whole, "N") if kind is int else (number, "X")
    parser.add_argument(option, type=read, default=usual, metavar=metavar, help=told)


def _whole(text: str) -> int:
    """A typed whole number, so small that products of a few stay numbers of the machine."""
    value = parse_whole(text, DIGITS)
    if value is None:
        raise argparse.ArgumentTypeError(f"{shortened(text)} is not a whole number of at most {DIGITS} digits")
    return value


def shape_of(options: argparse.Namespace) -> Shape:
    """The shape of a new model as the options have it."""
    return Shape(**{name: getattr(options, name) for name, *_ in SHAPE_OPTIONS})


def settings_of(options: argparse.Namespace) -> TrainingSettings:
    """The settings of a new run as the options have them. Raises TrainingError for what cannot be served."""
    given = {name: getattr(options, name) for name, *_ in SETTINGS_OPTIONS}
    given["grad_clip"] = given.pop("clip")
    return run_settings(**{name: value for name, value in given.items() if value is not None})
