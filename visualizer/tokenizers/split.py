r"""Cuts text into the pieces within which byte pairs are merged, as GPT-2 does.

GPT-2's expression needs the Unicode classes \p{L} and \p{N}, which the standard `re` lacks:

    's|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+

Here every character is first replaced by a symbol of its class, and an expression over these symbols cuts
the result; the cuts hold for the text because both have the same length. The classes are those of Python's
`unicodedata`, so a character newer than its Unicode version counts as "other"; the pieces always join to
the text.
"""

import re
import unicodedata
from collections.abc import Iterator

# Symbols of the classes; a space, an apostrophe and the letters of English contractions stand for themselves.
_LETTER, _NUMBER, _OTHER, _WHITESPACE = "L", "N", "O", "W"
_THEMSELVES = frozenset(" 'strevmld")
_PIECE = re.compile(
    r"'(?:[stmd]|re|ve|ll)"  # English contractions
    r"| ?[Lstrevmld]+"  # letters, with one space before them
    r"| ?N+"  # numbers likewise
    r"| ?[O']+"  # punctuation and all else likewise
    r"|[ W]+(?![^ W])"  # whitespace, but for the last before a word
    r"|[ W]+"  # that last one, where no word takes it
)


def split(text: str) -> Iterator[str]:
    """Yield the pieces of `text` in order. They are never empty and join to `text`, whatever it holds."""
    classes = text.translate({ord(character): _class_of(character) for character in set(text)})
    for match in _PIECE.finditer(classes):
        yield text[match.start() : match.end()]


def _class_of(character: str) -> str:
    if character in _THEMSELVES:
        return character
    category = unicodedata.category(character)
    if category[0] == "L":
        return _LETTER
    if category[0] == "N":
        return _NUMBER
    # str.isspace also accepts the separators U+001C to U+001F, which Unicode's White_Space does not.
    return _WHITESPACE if character.isspace() and not "\x1c" <= character <= "\x1f" else _OTHER
