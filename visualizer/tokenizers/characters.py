"""One token for each character of a fixed alphabet."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from visualizer.errors import FormatError, TokenError, short_repr
from visualizer.tokenizers.base import checked_id, checked_ids, display_text, name_character

KIND = "characters"
_LISTED = 40  # alphabets up to this size are listed whole in messages
_SAMPLED = 12
_CODES = 0x110000  # of Unicode
_PIECE = 1 << 20  # characters that are looked at in one go, so that other threads get their turn


class CharacterTokenizer:
    """Gives the character `alphabet[i]` the id `i`.

    `alphabet`: distinct single characters, at least one, in the order of their ids; TokenError otherwise.
    """

    def __init__(self, alphabet: str | Sequence[str]) -> None:
        entries: tuple[object, ...] = tuple(alphabet)
        if not entries:
            raise TokenError("the alphabet is empty; it needs at least one character")
        ids: dict[str, int] = {}
        for position, entry in enumerate(entries):
            if not isinstance(entry, str) or len(entry) != 1:
                raise TokenError(f"entry {position} of the alphabet is {short_repr(entry)}; expected one character")
            if entry in ids:
                raise TokenError(
                    f"the alphabet holds {name_character(entry)} at positions {ids[entry]} and {position}; "
                    "its characters must be distinct"
                )
            ids[entry] = position
        self._characters = tuple(ids)
        self._ids = ids

    @classmethod
    def from_text(cls, text: str) -> Self:
        """Return the tokenizer of the characters in `text`, sorted. Raises TokenError where it is empty."""
        if not text:
            raise TokenError("the text is empty; an alphabet needs at least one character")
        return cls(characters_of(text))

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> Self:
        """Return the tokenizer that `to_dict` described. Raises FormatError for anything else."""
        alphabet = data.get("alphabet")
        if not isinstance(alphabet, list):
            raise FormatError(f"the tokenizer's 'alphabet' is a {type(alphabet).__name__}, not a list of characters")
        try:
            return cls(alphabet)
        except TokenError as error:
            raise FormatError(f"the tokenizer cannot be read: {error}") from error

    @property
    def vocabulary_size(self) -> int:
        """Number of characters in the alphabet."""
        return len(self._characters)

    @property
    def alphabet(self) -> str:
        """The characters in the order of their ids."""
        return "".join(self._characters)

    def encode(self, text: str) -> list[int]:
        """Return one id per character. Raises TokenError naming the first unknown one and its position."""
        ids = self._ids
        try:
            return [ids[character] for character in text]
        except KeyError:
            position = next(i for i, character in enumerate(text) if character not in ids)
            raise TokenError(
                f"no token for {name_character(text[position])} at position {position}; {self._accepted()}"
            ) from None

    def encode_array(self, text: str) -> NDArray[np.intp]:
        """The same as `encode` as an array [characters], in a fraction of the time for a long text. Raises as that."""
        table = np.full(_CODES, -1, dtype=np.intp)
        table[[ord(character) for character in self._characters]] = np.arange(self.vocabulary_size)
        ids = np.empty(len(text), dtype=np.intp)
        start = 0
        for codes in _code_points(text):
            found = ids[start : start + len(codes)]
            np.take(table, codes, out=found)
            if found.min() < 0:
                self.encode(text)  # says which character it is, and where
            start += len(codes)
        return ids

    def decode(self, ids: Iterable[int]) -> str:
        """Return the characters of `ids`. Raises TokenError for an id that is no integer or out of range."""
        return "".join([self._characters[token_id] for token_id in checked_ids(ids, self.vocabulary_size)])

    def token_text(self, token_id: int) -> str:
        """Return the character, or a visible stand-in for a space or what cannot be printed."""
        return display_text(self._characters[checked_id(token_id, self.vocabulary_size)])

    def to_dict(self) -> dict[str, Any]:
        """Return `{"kind": "characters", "alphabet": [...]}`.

        The alphabet is a list because JSON would join two neighbouring surrogates of a string into one.
        """
        return {"kind": KIND, "alphabet": list(self._characters)}

    def description(self) -> str:
        """Return e.g. `characters, 2 tokens: a b`."""
        size = self.vocabulary_size
        shown = self._characters if size <= _LISTED else self._characters[:_SAMPLED]
        tokens = " ".join(map(display_text, shown)) + (" …" if len(shown) < size else "")
        return f"characters, {size} {'token' if size == 1 else 'tokens'}: {tokens}"

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.description()}>"

    def _accepted(self) -> str:
        size = self.vocabulary_size
        if size <= _LISTED:
            return "accepted: " + " ".join(map(repr, self._characters))
        step = size / _SAMPLED
        sample = " ".join(repr(self._characters[int(i * step)]) for i in range(_SAMPLED))
        return f"accepted: {size} characters such as {sample}"


def characters_of(text: str) -> list[str]:
    """The different characters of a text, sorted."""
    seen = np.zeros(_CODES, dtype=bool)
    for codes in _code_points(text):
        seen[codes] = True
    return [chr(code) for code in np.flatnonzero(seen)]


def _code_points(text: str) -> Iterator[NDArray[np.uint32]]:
    """The code points of a text, piece by piece."""
    for start in range(0, len(text), _PIECE):
        yield np.frombuffer(text[start : start + _PIECE].encode("utf-32-le", "surrogatepass"), dtype="<u4")
