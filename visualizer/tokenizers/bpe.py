"""Byte-level byte-pair encoding: 256 byte tokens, and one token more for each merge of two earlier ones."""

import codecs
from collections.abc import Iterable
from typing import Any, Self

from visualizer.errors import FormatError, TokenError, short_repr
from visualizer.tokenizers.base import checked_id, checked_ids, display_bytes
from visualizer.tokenizers.merging import BYTE_COUNT, Pair, checked_merges, merge_piece, token_bytes
from visualizer.tokenizers.split import split

KIND = "bpe"
SPLIT = "gpt2"
_CACHED_PIECES = 1 << 16
_CACHED_LENGTH = 64  # longer pieces hardly ever come again
_SAMPLED = 8
_DECODING = "visualizer.surrogatepass_or_replace"


class BpeTokenizer:
    """Splits text as GPT-2 does, then merges the UTF-8 bytes of each piece by rank.

    `merges`: pairs of token ids in rank order; merge r makes token 256 + r. Raises TokenError where they are
    malformed. Lone surrogates, which UTF-8 has no bytes for, are written as the three bytes that its scheme
    would give them, so that every string survives encode and decode.
    """

    def __init__(self, merges: Iterable[Pair]) -> None:
        self._merges = checked_merges(merges)
        self._ranks = {pair: rank for rank, pair in enumerate(self._merges)}
        self._bytes = token_bytes(self._merges)
        self._cache: dict[str, list[int]] = {}

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> Self:
        """Return the tokenizer that `to_dict` described. Raises FormatError for anything else."""
        if data.get("split") != SPLIT:
            raise FormatError(f"the tokenizer's 'split' is {short_repr(data.get('split'))}; expected {SPLIT!r}")
        merges = data.get("merges")
        if not isinstance(merges, list):
            raise FormatError(f"the tokenizer's 'merges' is a {type(merges).__name__}; expected a list of pairs of ids")
        try:
            return cls(merges)
        except TokenError as error:
            raise FormatError(f"the tokenizer cannot be read: {error}") from error

    @property
    def vocabulary_size(self) -> int:
        """256 bytes and the merges."""
        return len(self._bytes)

    @property
    def merges(self) -> tuple[Pair, ...]:
        """The pairs of token ids in rank order."""
        return self._merges

    def token_bytes(self, token_id: int) -> bytes:
        """Return the bytes that one token stands for. Raises TokenError as `decode`."""
        return self._bytes[checked_id(token_id, self.vocabulary_size)]

    def encode(self, text: str) -> list[int]:
        """Return the ids of `text`; every string has some."""
        ids: list[int] = []
        cache = self._cache
        for piece in split(text):
            tokens = cache.get(piece)
            if tokens is None:
                tokens = merge_piece(_to_bytes(piece), self._ranks)
                if len(piece) <= _CACHED_LENGTH:
                    if len(cache) >= _CACHED_PIECES:
                        cache.clear()
                    cache[piece] = tokens
            ids += tokens
        return ids

    def decode(self, ids: Iterable[int]) -> str:
        """Return the text of `ids`, with U+FFFD for bytes that are no UTF-8.

        Raises TokenError for an id that is no integer or out of range.
        """
        data = b"".join([self._bytes[token_id] for token_id in checked_ids(ids, self.vocabulary_size)])
        return data.decode("utf-8", errors=_DECODING)

    def token_text(self, token_id: int) -> str:
        r"""Return the token's characters, all visible; bytes that are no whole character as `\xe2`."""
        return display_bytes(self.token_bytes(token_id))

    def to_dict(self) -> dict[str, Any]:
        """Return `{"kind": "bpe", "split": "gpt2", "merges": [[left, right], ...]}`."""
        return {"kind": KIND, "split": SPLIT, "merges": [list(pair) for pair in self._merges]}

    def description(self) -> str:
        """Return e.g. `byte-level BPE, 258 tokens: 256 bytes and 2 merges: ␣t he`."""
        count = len(self._merges)
        merges = f"{BYTE_COUNT} bytes and {count} {'merge' if count == 1 else 'merges'}"
        sample = " ".join(_cut(display_bytes(token)) for token in self._bytes[BYTE_COUNT:][:_SAMPLED])
        shown = f": {sample}" + (" …" if count > _SAMPLED else "") if count else ""
        return f"byte-level BPE, {self.vocabulary_size} tokens: {merges}{shown}"

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.description()}>"


def _to_bytes(piece: str) -> bytes:
    return piece.encode("utf-8", errors="surrogatepass")


def _cut(shown: str, limit: int = 24) -> str:
    return shown if len(shown) <= limit else shown[: limit - 1] + "…"


def _pass_surrogates_or_replace(error: UnicodeError) -> tuple[str | bytes, int]:
    """Decoding error handler: the counterpart of "surrogatepass" that puts U+FFFD where that would raise."""
    try:
        return codecs.lookup_error("surrogatepass")(error)
    except UnicodeDecodeError as undecodable:
        return "\ufffd", undecodable.end


codecs.register_error(_DECODING, _pass_surrogates_or_replace)
