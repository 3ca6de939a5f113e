"""JSON from strangers: how much it holds is bounded before anything is made of it, and a name stands once."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any, NoReturn

from visualizer.errors import FormatError

#: A text is read up to so many characters, with so many lists and objects, and so many commas between what they hold.
MAX_CHARACTERS = 32 * 2**20
MAX_CONTAINERS = 1_000_000
MAX_COMMAS = 4_000_000
#: An entry of a large table, such as a tensor's, is not longer.
MAX_ENTRY = 4096


class _NameTwiceError(ValueError):
    """An object names a member twice."""


def _distinct(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    table = dict(pairs)
    if len(table) != len(pairs):
        raise _NameTwiceError
    return table


def _no_number(word: str) -> NoReturn:
    raise ValueError(f"{word} is not JSON")


_DECODER = json.JSONDecoder(object_pairs_hook=_distinct, parse_constant=_no_number)


def parse_json(text: str, what: str) -> Any:  # noqa: ANN401
    """The value of a JSON text; `what` names the text in messages.

    Raises:
        FormatError: it is not JSON, names a member twice, or holds a number of thousands of digits or too much.
    """
    _check_size(text, what)
    try:
        return _DECODER.decode(text)
    except _NameTwiceError as error:
        raise FormatError(f"{what}: a name stands twice") from error
    except (ValueError, RecursionError) as error:
        raise FormatError(f"{what} is not JSON that can be read") from error


def _check_size(text: str, what: str) -> None:
    if len(text) > MAX_CHARACTERS:
        raise FormatError(f"{what} has {len(text)} characters; at most {MAX_CHARACTERS} are read")
    if text.count("[") + text.count("{") > MAX_CONTAINERS or text.count(",") > MAX_COMMAS:
        raise FormatError(f"{what} holds more than {MAX_CONTAINERS} lists or {MAX_COMMAS} commas")


class TableReader:
    """Reads one JSON object of small values member by member, so that a large one never stands in memory as a whole.

    Args:
        text: the JSON text.
        what: names it in messages.
    """

    def __init__(self, text: str, what: str) -> None:
        self._text, self._what = text, what
        self._at = 0

    def names(self, most: int) -> Iterator[str]:
        """The names of the object that begins here; after each, its value is to be read.

        Raises:
            FormatError: it is no object, names a member twice, or has more than `most` members.
        """
        seen: set[str] = set()
        self._expect("{")
        if self._skip() == "}":
            self._at += 1
            return
        while True:
            name = self.string()
            if name in seen:
                raise FormatError(f"{self._what}: a name stands twice")
            seen.add(name)
            if len(seen) > most:
                raise FormatError(f"{self._what} lists more than {most} entries; no more are read")
            self._expect(":")
            yield name
            if self._skip() == "}":
                self._at += 1
                return
            self._expect(",")

    def string(self) -> str:
        """The text that stands here."""
        if self._skip() != '"':
            raise self._wrong()
        try:
            value, self._at = _DECODER.raw_decode(self._text, self._at)
        except ValueError as error:
            raise self._wrong() from error
        return str(value)

    def entry(self) -> dict[str, Any]:
        """The object that stands here, which holds no other."""
        if self._skip() != "{":
            raise self._wrong()
        end = self._text.find("}", self._at, self._at + MAX_ENTRY) + 1
        if not end:
            raise self._wrong()
        value: dict[str, Any] = parse_json(self._text[self._at : end], self._what)
        self._at = end
        return value

    def end(self) -> None:
        """There is nothing more but white space."""
        if self._skip():
            raise self._wrong()

    def _expect(self, sign: str) -> None:
        if self._skip() != sign:
            raise self._wrong()
        self._at += 1

    def _skip(self) -> str:
        """Go on to what is no white space, and tell it; nothing at the end."""
        while (sign := self._text[self._at : self._at + 1]) and sign in " \t\n\r":
            self._at += 1
        return sign

    def _wrong(self) -> FormatError:
        return FormatError(f"{self._what} is not JSON of the form that is needed, from character {self._at} on")
