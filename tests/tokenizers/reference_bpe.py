"""Byte-pair encoding written a second time, slow and plain: all is counted anew each time."""

from collections import Counter
from itertools import pairwise

Pair = tuple[int, int]


def to_bytes(piece: str) -> bytes:
    """UTF-8 that also has bytes for lone surrogates."""
    return piece.encode("utf-8", "surrogatepass")


def merge_all(tokens: list[int], pair: Pair, new: int) -> list[int]:
    """Replace the pair wherever it occurs, from the left."""
    merged = []
    i = 0
    while i < len(tokens):
        if tuple(tokens[i : i + 2]) == pair:
            merged.append(new)
            i += 2
        else:
            merged.append(tokens[i])
            i += 1
    return merged


def train(pieces: list[str], merge_count: int) -> list[tuple[Pair, int]]:
    """The merges in order, each with the count of its pair, recounting all pairs before each."""
    sequences = [list(to_bytes(piece)) for piece in pieces]
    merges: list[tuple[Pair, int]] = []
    while len(merges) < merge_count:
        counts = Counter(pair for sequence in sequences for pair in pairwise(sequence))
        if not counts:
            break
        pair = min(counts, key=lambda pair: (-counts[pair], pair))
        sequences = [merge_all(sequence, pair, 256 + len(merges)) for sequence in sequences]
        merges.append((pair, counts[pair]))
    return merges


def encode(piece: str, merges: list[Pair]) -> list[int]:
    """Apply the lowest-ranked merge that fits to all its places, until none fits."""
    tokens = list(to_bytes(piece))
    while True:
        ranks = [merges.index(pair) for pair in pairwise(tokens) if pair in merges]
        if not ranks:
            return tokens
        tokens = merge_all(tokens, merges[min(ranks)], 256 + min(ranks))
