"""The options that commands share, and how what is typed for them is read."""

from __future__ import annotations

import argparse
from typing import NoReturn

from visualizer.errors import InputError
from visualizer.session.words.whole_numbers import parse_whole

#: More than this in one go is a slip of the finger.
MOST_TOKENS = 10_000_000
#: No picture is wider or higher.
MOST_PIXELS = 16384
#: What is opened where no model is named.
USUAL_MODEL = "aab"


class Parser(argparse.ArgumentParser):
    """A parser whose refusals are one line, like all others."""

    def error(self, message: str) -> NoReturn:
        raise InputError(f"{message} (see {self.prog} --help)")


def common_options(prompt: bool = True) -> Parser:
    """A parent for the commands that read a model, and for those that read a `prompt`, too."""
    parser = Parser(add_help=False)
    parser.add_argument(
        "--model",
        metavar="M",
        help="a preset (aab, ab, aaab), a trained model (induction, sort, reverse, rhymes) or a file (aab)",
    )
    if prompt:
        parser.add_argument("--ids", metavar="0,1,2", help="token ids in place of text")
    parser.add_argument("--dtype", choices=("float32", "float64"), help="compute in this precision")
    parser.add_argument("--debug", action="store_true", help="show tracebacks")
    return parser


def add_prompt(parser: argparse.ArgumentParser) -> None:
    """The text that a command begins with; none where --ids is given."""
    parser.add_argument("prompt", nargs="?", metavar="PROMPT", help="text to start from")


def add_sampling(parser: argparse.ArgumentParser) -> None:
    """How tokens are drawn."""
    parser.add_argument("--temperature", type=number, metavar="T", help="0 is greedy (the default)")
    parser.add_argument("--top-k", type=whole_number, metavar="K", help="sample from the K most probable tokens")
    parser.add_argument("--top-p", type=number, metavar="P", help="sample from the tokens that reach probability P")
    parser.add_argument("--seed", type=whole_number, default=0, metavar="S", help="the same seed, the same text (0)")


def whole_number(text: str) -> int:
    """A typed whole number of at least 0. Raises ArgumentTypeError for anything else, as those below do."""
    value = parse_whole(text)
    if value is None or value < 0:
        raise argparse.ArgumentTypeError(f"{shortened(text)} is not a whole number of at least 0")
    return value


def token_count(text: str) -> int:
    """A typed number of tokens to generate."""
    value = whole_number(text)
    if value > MOST_TOKENS:
        raise argparse.ArgumentTypeError(f"{shortened(text)} is too many; a whole number up to {MOST_TOKENS} is needed")
    return value


def shortened(text: str) -> str:
    """What was typed, quoted and not longer than a line."""
    return repr(text if len(text) <= 40 else f"{text[:39]}…")


def number(text: str) -> float:
    """A typed number."""
    try:
        if text.isascii() and "_" not in text:  # which Python would take for a digit separator
            return float(text)
    except ValueError:
        pass
    raise argparse.ArgumentTypeError(f"{shortened(text)} is not a number; such as 0.8 is needed")


def token_ids(text: str) -> list[int]:
    """The ids of a typed list. Raises InputError where it is none."""
    ids = []
    for part in text.split(",") if text.strip() else ():
        token = parse_whole(part)
        if token is None:
            raise InputError(f"--ids {shortened(text)} is not a list of token ids; such as 0,1,2 is needed")
        ids.append(token)
    return ids


def given(options: argparse.Namespace, text: str | None, what: str) -> str | list[int]:
    """The text or the ids that a command is to work on. Raises InputError for both, or neither."""
    if options.ids is not None:
        if text is not None:
            raise InputError(f"both {what} and --ids are given; one of them is needed")
        return token_ids(options.ids)
    if text is None:
        raise InputError(f"{what} is missing; text, or --ids 0,1,2, is needed")
    return text


def given_or_usual(options: argparse.Namespace, text: str | None, what: str) -> str | list[int] | None:
    """As `given`; None where there is neither text nor ids. Raises InputError for both."""
    return None if text is None and options.ids is None else given(options, text, what)


def source_of(options: argparse.Namespace, named: str | None = None) -> str:
    """The model that is named by itself or by `--model`; the article's where none is. Raises InputError for both."""
    if named is not None and options.model is not None:
        raise InputError(f"both {shortened(named)} and --model {shortened(options.model)} are given; one is needed")
    source: str | None = options.model if named is None else named
    return USUAL_MODEL if source is None else source


def window_size(text: str) -> tuple[int, int]:
    """Width and height in pixels. Raises InputError for what no window can have."""
    sides = [parse_whole(part) for part in text.lower().replace("×", "x").split("x")]
    if len(sides) == 2 and all(side is not None and 1 <= side <= MOST_PIXELS for side in sides):
        width, height = (side for side in sides if side is not None)
        return width, height
    raise InputError(
        f"--size {shortened(text)} is not a window size; width and height in pixels up to {MOST_PIXELS}, "
        "such as 1440x900, are needed"
    )
