"""The options of `visualizer train`; nothing heavy is imported to show their help."""

from __future__ import annotations

import argparse
import shlex
from pathlib import Path

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
    parser.add_argument("--tokenizer", choices=("char", "bpe"), default="char", help="characters, or byte pairs (char)")
    parser.add_argument("--vocab-size", type=int, default=512, metavar="N", help="tokens of a bpe tokenizer (512)")
    parser.add_argument("--d-model", type=int, default=32, metavar="N", help="width of the residual stream (32)")
    parser.add_argument("--n-heads", type=int, default=4, metavar="N", help="attention heads a block (4)")
    parser.add_argument("--n-layers", type=int, default=4, metavar="N", help="blocks (4)")
    parser.add_argument("--d-mlp", type=int, default=None, metavar="N", help="width of the MLP (2 · d_model; 0: none)")
    parser.add_argument("--context", type=int, default=64, metavar="N", help="tokens that the model sees (64)")
    parser.add_argument("--positions", choices=("learned", "sinusoidal"), default="learned")
    parser.add_argument("--steps", type=int, default=None, metavar="N", help="batches (2000)")
    parser.add_argument("--batch", type=int, default=32, metavar="N", help="windows a batch (32)")
    parser.add_argument("--lr", type=float, default=3e-3, metavar="X", help="highest learning rate (0.003)")
    parser.add_argument("--warmup", type=int, default=100, metavar="N", help="steps until it is reached (100)")
    parser.add_argument("--weight-decay", type=float, default=0.0, metavar="X", help="decoupled weight decay (0)")
    parser.add_argument("--clip", type=float, default=1.0, metavar="X", help="largest norm of the gradient (1; 0: any)")
    parser.add_argument(
        "--lines", action="store_true", help="batches begin where a line begins (tasks of one item a line always do)"
    )
    parser.add_argument("--seed", type=int, default=0, metavar="N", help="the same seed, the same model (0)")
    parser.add_argument("--resume", action="store_true", help="go on from the checkpoint beside the output")
    parser.add_argument(
        "--checkpoint-every", type=float, default=30.0, metavar="SECONDS", help="how much can be lost (30)"
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
