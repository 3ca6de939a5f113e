"""What the commands are called, what each does, and what is said of a first word that is none of them."""

from __future__ import annotations

import difflib
import shlex
from collections.abc import Sequence
from pathlib import Path

from visualizer.errors import InputError

#: Each command and what it does, as the help says it.
COMMANDS = {
    "complete": "print a prompt and the tokens that the model continues it with",
    "evaluate": "print how many tokens of a text the model predicts (next-token accuracy)",
    "trace": "write every activation of one pass to a file, or print the most probable next tokens",
    "gradients": "write the loss of one next token and its gradient for every parameter to a file",
    "train": "train a model on a text and write it to a file",
    "info": "print a model's configuration, parameters and tokenizer",
    "save": "write a model as .safetensors",
    "render": "draw the window, without a screen, into a .png",
    "doctor": "print what is installed, what is missing and how to install it",
}
#: Options of the window that are followed by a value.
_WITH_VALUE = ("--model", "--ids", "--dtype")


def command_list() -> str:
    """The commands with what each does, a line each, for the end of a help text."""
    width = max(map(len, COMMANDS)) + 2
    lines = "\n".join(f"  {name:<{width}}{does}" for name, does in COMMANDS.items())
    return f"commands:\n{lines}\n\nEach has a help of its own: visualizer complete --help"


def check_first_word(words: Sequence[str]) -> None:
    """Refuse a command that does not come first or is misspelt, with what was meant. Raises InputError."""
    plain = [
        word for i, word in enumerate(words) if not word.startswith("-") and (i == 0 or words[i - 1] not in _WITH_VALUE)
    ]
    if not plain:
        return
    first, others = plain[0], list(words)
    if first in COMMANDS:
        others.remove(first)
        meant = shlex.join(["visualizer", first, *others])
        raise InputError(f"the command comes first: {meant}")
    if _is_there(first):
        return
    meant_words = difflib.get_close_matches(first, COMMANDS, 1, 0.75)
    if meant_words:
        raise InputError(f"there is no command {_short(first)}; did you mean {meant_words[0]!r}?")
    if len(plain) > 1:
        raise InputError(f"there is no command {_short(first)}; the commands are {', '.join(COMMANDS)}")


def _is_there(path: str) -> bool:
    try:
        return Path(path).exists()
    except (OSError, ValueError):  # a name that no file can have
        return False


def _short(word: str) -> str:
    return repr(word if len(word) <= 40 else f"{word[:39]}…")
