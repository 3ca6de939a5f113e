"""Byte-pair merges: checking a list of them, and applying it to the bytes of one piece of text."""

import heapq
import operator
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import pairwise

from visualizer.errors import TokenError, short_repr

BYTE_COUNT = 256
# Bound on all tokens together: a merge can double a token's length, so a short list could ask for any size.
MAX_VOCABULARY_BYTES = 1 << 24

Pair = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Merge:
    """One rule: the two neighbouring tokens `pair` become the token `id`; the lowest `rank` goes first."""

    pair: Pair
    rank: int

    @property
    def token_id(self) -> int:
        """Id of the token that the merge makes: the 256 bytes come first, then the merges by rank."""
        return BYTE_COUNT + self.rank


def checked_merges(merges: Iterable[object]) -> tuple[Pair, ...]:
    """Return `merges` as pairs of Python ints in rank order.

    Merge r makes token 256 + r and may join only tokens below it. Raises TokenError for anything else, for
    a pair that comes twice, and where the tokens would take more than MAX_VOCABULARY_BYTES together.
    """
    lengths = [1] * BYTE_COUNT
    total = BYTE_COUNT
    ranks: dict[Pair, int] = {}
    for rank, entry in enumerate(merges):
        pair = _checked_pair(entry, rank)
        if pair in ranks:
            raise TokenError(f"merge {rank} joins {pair[0]} and {pair[1]} as merge {ranks[pair]} does; each comes once")
        lengths.append(lengths[pair[0]] + lengths[pair[1]])
        total += lengths[-1]
        if total > MAX_VOCABULARY_BYTES:
            raise TokenError(
                f"merge {rank} makes a token of {lengths[-1]} bytes; all tokens together may take up to "
                f"{MAX_VOCABULARY_BYTES} bytes"
            )
        ranks[pair] = rank
    return tuple(ranks)


def token_bytes(merges: Iterable[Pair]) -> tuple[bytes, ...]:
    """Return the bytes of every token: the 256 single bytes, then one token per merge."""
    tokens = [bytes((value,)) for value in range(BYTE_COUNT)]
    for left, right in merges:
        tokens.append(tokens[left] + tokens[right])
    return tuple(tokens)


def merge_piece(piece: bytes, ranks: Mapping[Pair, int]) -> list[int]:
    """Return the tokens of `piece`.

    Of all neighbours that have a merge, the one with the lowest rank goes first, the leftmost of equals. A merge
    makes place only for merges above it, so each rank has its turn once, at all its places. That is n log n for n
    bytes, which matters because one unbroken run of letters may be the whole text.
    """
    tokens = list(piece)  # by the offset of the token's first byte; -1 where its left neighbour took it in
    end = len(tokens)
    following = list(range(1, end + 1))
    preceding = list(range(-1, end - 1))
    # By rank, the offsets where its pair is or was; ascending, since a pair arises only in one sweep to the right,
    # the one that makes the later of its tokens.
    places: dict[int, list[int]] = {}
    for offset, pair in enumerate(pairwise(piece)):
        if (rank := ranks.get(pair)) is not None:
            places.setdefault(rank, []).append(offset)
    queue = list(places)
    heapq.heapify(queue)
    while queue:
        rank = heapq.heappop(queue)
        merged = BYTE_COUNT + rank
        for offset in places.pop(rank):
            right = following[offset]
            if tokens[offset] < 0 or right == end or ranks.get((tokens[offset], tokens[right])) != rank:
                continue  # one of the two has meanwhile become part of another token
            before, after = preceding[offset], following[right]
            tokens[offset], tokens[right] = merged, -1
            following[offset] = after
            arisen = []
            if before >= 0:
                arisen.append((before, (tokens[before], merged)))
            if after != end:
                preceding[after] = offset
                arisen.append((offset, (merged, tokens[after])))
            for place, pair in arisen:
                if (higher := ranks.get(pair)) is None:
                    continue
                if higher not in places:
                    places[higher] = []
                    heapq.heappush(queue, higher)
                places[higher].append(place)
    return [token for token in tokens if token >= 0]


def _checked_pair(entry: object, rank: int) -> Pair:
    size = BYTE_COUNT + rank
    if not isinstance(entry, list | tuple) or len(entry) != 2 or any(isinstance(token_id, bool) for token_id in entry):
        raise TokenError(f"merge {rank} is {short_repr(entry)}; expected a pair of token ids")
    try:
        left, right = operator.index(entry[0]), operator.index(entry[1])
    except TypeError:
        raise TokenError(f"merge {rank} is {short_repr(entry)}; expected a pair of token ids") from None
    if not (0 <= left < size and 0 <= right < size):
        raise TokenError(
            f"merge {rank} is {short_repr(entry)}; it may join tokens 0 to {size - 1}, those made before it"
        )
    return left, right
