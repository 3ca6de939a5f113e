"""Finds the tokenizer that saved data describes."""

from collections.abc import Callable
from typing import Any

from visualizer.errors import FormatError, short_repr
from visualizer.tokenizers import bpe, characters
from visualizer.tokenizers.base import Tokenizer

_READERS: dict[str, Callable[[dict[str, Any]], Tokenizer]] = {
    characters.KIND: characters.CharacterTokenizer.from_dict,
    bpe.KIND: bpe.BpeTokenizer.from_dict,
}


def tokenizer_from_dict(data: object) -> Tokenizer:
    """Return the tokenizer whose `to_dict` gave `data`, which may come from a stranger's file.

    Raises FormatError for anything that is not such a dictionary.
    """
    kinds = " or ".join(repr(kind) for kind in _READERS)
    if not isinstance(data, dict):
        raise FormatError(f"the tokenizer is a {type(data).__name__}; expected an object with 'kind' {kinds}")
    kind = data.get("kind")
    reader = _READERS.get(kind) if isinstance(kind, str) else None
    if reader is None:
        raise FormatError(f"the tokenizer's 'kind' is {short_repr(kind)}; expected {kinds}")
    return reader(data)
