"""What every tokenizer offers, and the checks and displays that they share."""

import operator
import unicodedata
from collections.abc import Iterable
from functools import lru_cache
from typing import Any, Protocol, runtime_checkable

import numpy as np

from visualizer.errors import TokenError, short_repr

#: What is drawn for white space that a token is made of.
SYMBOLS = {" ": "␣", "\n": "↵"}


@runtime_checkable
class Tokenizer(Protocol):
    """Turns text into token ids `0 … vocabulary_size - 1` and back. Instances never change."""

    @property
    def vocabulary_size(self) -> int:
        """Number of tokens; the model's `d_vocab`."""

    def encode(self, text: str) -> list[int]:
        """Return the ids of `text`. Raises TokenError where a part of it has no token."""

    def decode(self, ids: Iterable[int]) -> str:
        """Return the text of `ids`. Raises TokenError for an id that is no integer or out of range."""

    def token_text(self, token_id: int) -> str:
        """Return a printable display of one token, different for tokens of different bytes or characters.

        Raises TokenError as `decode` does.
        """

    def to_dict(self) -> dict[str, Any]:
        """Return plain data (for JSON) from which `tokenizer_from_dict` makes an equal tokenizer."""

    def description(self) -> str:
        """Return one line that says the kind, the size and a few tokens."""


def checked_id(token_id: object, vocabulary_size: int) -> int:
    """Return `token_id` as a Python int; see `checked_ids`."""
    if type(token_id) is int and 0 <= token_id < vocabulary_size:
        return token_id
    return checked_ids((token_id,), vocabulary_size)[0]


def checked_ids(ids: Iterable[object], vocabulary_size: int) -> list[int]:
    """Return `ids` as Python ints, each in `0 … vocabulary_size - 1`. NumPy integers pass.

    Raises TokenError, naming the position, for bools, floats and ids out of range.
    """
    checked = []
    accepted = f"ids are integers from 0 to {vocabulary_size - 1}"
    for position, token_id in enumerate(ids):
        try:
            if isinstance(token_id, bool | np.bool_):  # NumPy 2.0 still takes its own bools for indices
                raise TypeError
            value = operator.index(token_id)  # type: ignore[arg-type]
        except TypeError:
            raise TokenError(
                f"id {short_repr(token_id)} at position {position} is not an integer; {accepted}"
            ) from None
        if not 0 <= value < vocabulary_size:
            raise TokenError(f"id {short_repr(value)} at position {position} is out of range; {accepted}")
        checked.append(value)
    return checked


@lru_cache(maxsize=4096)
def display_text(text: str) -> str:
    r"""Return `text` with nothing invisible in it, such that different texts stay different.

    A space becomes `␣`, a new line `↵`, a backslash `\\`, and whatever cannot be printed its Python escape (`\t`,
    `\u200b`).
    """
    return "".join(map(_display_character, text))


def display_bytes(data: bytes) -> str:
    r"""Return `data` as `display_text` shows its UTF-8; bytes of no whole character appear as `\xe2`."""
    decoded = data.replace(b"\\", b"\\\\").decode("utf-8", errors="backslashreplace")
    return "".join(character if character == "\\" else _display_character(character) for character in decoded)


def name_character(character: str) -> str:
    """Return one character quoted, with code point and Unicode name unless it is printable ASCII."""
    quoted = repr(character)
    if character.isascii() and character.isprintable():
        return quoted
    code = f"U+{ord(character):04X}"
    name = unicodedata.name(character, "")
    return f"{quoted} ({code} {name})" if name else f"{quoted} ({code})"


def _display_character(character: str) -> str:
    if character in SYMBOLS:
        return SYMBOLS[character]
    if character == "\\":
        return "\\\\"
    if character.isprintable() and character not in SYMBOLS.values():
        return character
    code = ord(character)
    if code < 0x80:
        return repr(character)[1:-1]
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"  # \x80 and up stand for single bytes
