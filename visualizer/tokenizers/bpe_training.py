"""Learns the merges of a byte-pair encoding from a text.

Again and again the pair of neighbouring tokens that occurs most often becomes a token; of equals the pair
with the lower left id, then the lower right id. Occurrences are counted as they overlap (`aaa` holds `aa`
twice) and merged from the left. Pairs never reach across the pieces that `split` makes.

Counts are kept up to date instead of counted anew: a merge touches its own occurrences and their neighbours
only. (Sennrich, Haddow and Birch 2016, "Neural Machine Translation of Rare Words with Subword Units", over
bytes.)
"""

import heapq
import operator
from collections import Counter, defaultdict
from collections.abc import Generator, Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

from visualizer.errors import TrainingError, short_repr
from visualizer.tokenizers.bpe import BpeTokenizer
from visualizer.tokenizers.merging import BYTE_COUNT, MAX_VOCABULARY_BYTES, Merge, Pair
from visualizer.tokenizers.split import split

_NONE = -1
_PIECES_A_STEP = 4096


@dataclass(frozen=True, slots=True)
class BpeTrainingStep:
    """Progress: `done` of `total` characters split, different pieces counted, or merges learned.

    While merging, `merge` is the one just learned and `count` its occurrences in the text at that moment.
    """

    phase: Literal["splitting", "counting", "merging"]
    done: int
    total: int
    merge: Merge | None = None
    count: int = 0


def train_bpe_steps(text: str, vocabulary_size: int) -> Generator[BpeTrainingStep, None, BpeTokenizer]:
    """Train in steps of a few milliseconds; the generator yields progress and returns the tokenizer.

    `vocabulary_size` counts the 256 bytes too. Where the text runs out of pairs, the tokenizer has fewer
    tokens; its own `vocabulary_size` says how many. A pair whose token would take all tokens above
    MAX_VOCABULARY_BYTES is passed over. The same text and size always give the same merges. Raises
    TrainingError, at once, for a size below 256.
    """
    wanted = _checked_merge_count(vocabulary_size)
    return _train(text, wanted)


def _train(text: str, wanted: int) -> Generator[BpeTrainingStep, None, BpeTokenizer]:
    words = yield from _count_pieces(text)
    pairs = yield from _PairCounts.of_words(words)
    queue = [(-count, pair) for pair, count in pairs.counts.items()]
    heapq.heapify(queue)
    lengths = [1] * BYTE_COUNT
    room = MAX_VOCABULARY_BYTES - BYTE_COUNT
    merges: list[Pair] = []
    while queue and len(merges) < wanted:
        negative_count, pair = heapq.heappop(queue)
        count = pairs.counts[pair]
        if count != -negative_count:  # a merge of one of its tokens has since taken occurrences away
            if count > 0:
                heapq.heappush(queue, (-count, pair))
            continue
        length = lengths[pair[0]] + lengths[pair[1]]
        if count == 0 or length > room:
            continue
        merge = Merge(pair, rank=len(merges))
        merges.append(pair)
        lengths.append(length)
        room -= length
        for new_pair in pairs.apply(merge):
            heapq.heappush(queue, (-pairs.counts[new_pair], new_pair))
        yield BpeTrainingStep("merging", len(merges), wanted, merge, count)
    return BpeTokenizer(merges)


def _count_pieces(text: str) -> Generator[BpeTrainingStep, None, Mapping[str, int]]:
    """Count how often each piece of `text` occurs."""
    counts: Counter[str] = Counter()
    characters = 0
    for number, piece in enumerate(split(text), start=1):
        counts[piece] += 1
        characters += len(piece)
        if number % _PIECES_A_STEP == 0:
            yield BpeTrainingStep("splitting", characters, len(text))
    return counts


class _PairCounts:
    """All different pieces end to end as doubly linked tokens, with every pair's count and places.

    A position is the index of a token's first byte in that row of pieces; its weight says how often the text
    holds its piece. `counts` is exact. A pair's places ascend, since a pair arises only in the one sweep to the
    right that makes the later of its tokens; some of them may no longer hold the pair.
    """

    def __init__(self) -> None:
        self.counts: defaultdict[Pair, int] = defaultdict(int)
        self._places: defaultdict[Pair, list[int]] = defaultdict(list)
        self._tokens: list[int] = []
        self._preceding: list[int] = []
        self._following: list[int] = []
        self._weights: list[int] = []

    @classmethod
    def of_words(cls, words: Mapping[str, int]) -> Generator[BpeTrainingStep, None, "_PairCounts"]:
        """Build the counts from pieces and how often each occurs."""
        pairs = cls()
        for number, (word, weight) in enumerate(words.items(), start=1):
            pairs._append(word.encode("utf-8", errors="surrogatepass"), weight)
            if number % _PIECES_A_STEP == 0:
                yield BpeTrainingStep("counting", number, len(words))
        return pairs

    def apply(self, merge: Merge) -> set[Pair]:
        """Merge every occurrence of a pair, from the left, and return the pairs that arose."""
        counts, places = self.counts, self._places
        tokens, preceding, following = self._tokens, self._preceding, self._following
        left, right = merge.pair
        merged = merge.token_id
        arisen: set[Pair] = set()
        for position in places.pop(merge.pair):
            second = following[position]
            if tokens[position] != left or second == _NONE or tokens[second] != right:
                continue
            weight = self._weights[position]
            before, after = preceding[position], following[second]
            tokens[position], tokens[second] = merged, _NONE
            following[position] = after
            counts[merge.pair] -= weight
            if before != _NONE:
                counts[tokens[before], left] -= weight
                pair = (tokens[before], merged)
                counts[pair] += weight
                places[pair].append(before)
                arisen.add(pair)
            if after != _NONE:
                preceding[after] = position
                counts[right, tokens[after]] -= weight
                pair = (merged, tokens[after])
                counts[pair] += weight
                places[pair].append(position)
                arisen.add(pair)
        return arisen

    def _append(self, word: bytes, weight: int) -> None:
        start = len(self._tokens)
        end = start + len(word)
        self._tokens += word
        self._preceding += (_NONE, *range(start, end - 1))
        self._following += (*range(start + 1, end), _NONE)
        self._weights += [weight] * len(word)
        for position, pair in enumerate(pairwise(word), start=start):
            self.counts[pair] += weight
            self._places[pair].append(position)


def _checked_merge_count(vocabulary_size: int) -> int:
    try:
        size = operator.index(vocabulary_size)
    except TypeError:
        raise TrainingError(f"the vocabulary size {short_repr(vocabulary_size)} is not an integer") from None
    if size < BYTE_COUNT:
        raise TrainingError(
            f"the vocabulary size is {size}; byte-pair encoding needs at least {BYTE_COUNT}, one a byte"
        )
    return size - BYTE_COUNT
