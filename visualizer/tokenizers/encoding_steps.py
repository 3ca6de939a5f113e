"""The way from the bytes of a text to its tokens, merge by merge, for showing."""

from bisect import bisect_right
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import overload

from visualizer.tokenizers.merging import AppliedMerge, Merge, Pair, merge_piece


@dataclass(frozen=True, slots=True)
class EncodingStep:
    """The tokens after one merge, and where it happened.

    `pieces`: the token ids of each piece of the text. `merge` made the token `pieces[piece][position]`; in
    the first step, which shows the plain bytes, `merge` is None and `piece` and `position` are 0.
    """

    pieces: tuple[tuple[int, ...], ...]
    merge: Merge | None
    piece: int
    position: int

    @property
    def ids(self) -> list[int]:
        """All tokens in the order of the text."""
        return [token_id for piece in self.pieces for token_id in piece]


class EncodingSteps(Sequence[EncodingStep]):
    """All steps of one encoding, piece after piece, within a piece by rank and then from the left.

    Step 0 shows the bytes, the last step the result. Only the merges are kept; a step is worked out when it
    is asked for, so that any moment can be sought and a long text costs no more memory than its merges.
    """

    def __init__(self, pieces: Sequence[bytes], ranks: Mapping[Pair, int]) -> None:
        self._pieces = tuple(pieces)
        self._pairs = tuple(ranks)
        self._final: list[tuple[int, ...]] = []
        self._applied: list[list[AppliedMerge]] = []
        for piece in self._pieces:
            tokens, applied = merge_piece(piece, ranks)
            self._final.append(tuple(tokens))
            self._applied.append(applied)
        self._merges_before = [0, *accumulate(map(len, self._applied))]  # merges in the pieces before piece i

    def __len__(self) -> int:
        return self._merges_before[-1] + 1

    @overload
    def __getitem__(self, index: int) -> EncodingStep: ...
    @overload
    def __getitem__(self, index: slice) -> list[EncodingStep]: ...
    def __getitem__(self, index: int | slice) -> EncodingStep | list[EncodingStep]:
        if isinstance(index, slice):
            return [self._step(i) for i in range(len(self))[index]]
        return self._step(range(len(self))[index])

    def __iter__(self) -> Iterator[EncodingStep]:
        return map(self._step, range(len(self)))

    def _step(self, done: int) -> EncodingStep:
        """Return the state after `done` merges."""
        if done == 0:
            return EncodingStep(tuple(map(tuple, self._pieces)), None, 0, 0)
        current = bisect_right(self._merges_before, done - 1) - 1  # the piece of the last merge
        applied = self._applied[current][: done - self._merges_before[current]]
        last = applied[-1]
        tokens, position = self._replay(current, applied)
        pieces = (*self._final[:current], tokens, *map(tuple, self._pieces[current + 1 :]))
        return EncodingStep(pieces, Merge(self._pairs[last.rank], last.rank), current, position)

    def _replay(self, piece: int, applied: Sequence[AppliedMerge]) -> tuple[tuple[int, ...], int]:
        """Return the tokens of a piece after `applied`, and the position of the last one that was made."""
        tokens: list[int | None] = list(self._pieces[piece])
        ends = list(range(1, len(tokens) + 1))  # where the token that starts at an offset ends
        for merge in applied:
            right = ends[merge.offset]
            tokens[merge.offset] = Merge(self._pairs[merge.rank], merge.rank).token_id
            tokens[right] = None
            ends[merge.offset] = ends[right]
        position = sum(token is not None for token in tokens[: applied[-1].offset])
        return tuple(token for token in tokens if token is not None), position
