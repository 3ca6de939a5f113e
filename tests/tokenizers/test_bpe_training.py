"""Learning merges: exact, deterministic, stoppable."""

import random
from collections.abc import Iterator
from itertools import product
from typing import Any

import pytest
from hypothesis import given

from tests.tokenizers import reference_bpe
from tests.tokenizers.learning import train_bpe
from tests.tokenizers.texts import any_text, repetitive_text
from visualizer.errors import TrainingError
from visualizer.tokenizers import BpeTokenizer, bpe_training
from visualizer.tokenizers.bpe_training import BpeTrainingStep, train_bpe_steps
from visualizer.tokenizers.split import split


def learned(text: str, merge_count: int) -> list[tuple[tuple[int, int], int]]:
    """The merges with their counts, as the steps report them."""
    steps = train_bpe_steps(text, 256 + merge_count)
    return [(step.merge.pair, step.count) for step in steps if step.merge is not None]


@given(repetitive_text)
def test_merges_and_counts_equal_those_of_the_reference(text: str) -> None:
    assert learned(text, 40) == reference_bpe.train(list(split(text)), 40)


@given(any_text)
def test_merges_of_any_text_equal_those_of_the_reference(text: str) -> None:
    assert learned(text, 10) == reference_bpe.train(list(split(text)), 10)


@pytest.mark.parametrize("seed", range(4))
def test_longer_texts_equal_the_reference(seed: int) -> None:
    source = random.Random(seed)
    words = ["".join(source.choices("abcde", k=source.randint(1, 9))) for _ in range(40)]
    text = " ".join(source.choices(words, k=400))
    assert learned(text, 150) == reference_bpe.train(list(split(text)), 150)


def test_the_most_frequent_pair_comes_first() -> None:
    assert train_bpe("ab ab abc", 258).merges == ((97, 98), (32, 256))


def test_of_equally_frequent_pairs_the_lowest_ids_come_first() -> None:
    assert train_bpe("zy\nxw\nxv", 258).merges == ((120, 118), (120, 119))


def test_overlapping_occurrences_merge_from_the_left() -> None:
    tokenizer = train_bpe("aaaaa", 257)
    assert tokenizer.merges == ((97, 97),)
    assert tokenizer.encode("aaaaa") == [256, 256, 97]


def test_pairs_do_not_reach_across_pieces() -> None:
    assert train_bpe("a1a1a1a1", 300).vocabulary_size == 256


def test_training_twice_gives_the_same_merges() -> None:
    text = "the rain in Spain stays mainly in the plain " * 3
    assert train_bpe(text, 300).merges == train_bpe(text, 300).merges


def test_a_larger_vocabulary_continues_a_smaller_one() -> None:
    text = "the rain in Spain stays mainly in the plain"
    assert train_bpe(text, 280).merges[:10] == train_bpe(text, 266).merges


def test_a_text_without_further_pairs_ends_early() -> None:
    tokenizer = train_bpe("abab", 1000)
    assert tokenizer.vocabulary_size == 258
    assert tokenizer.encode("abab") == [257]


@pytest.mark.parametrize("text", ["", "a", "a b"])
def test_a_text_with_few_pairs_still_gives_a_tokenizer(text: str) -> None:
    tokenizer = train_bpe(text, 300)
    assert tokenizer.decode(tokenizer.encode("anything ☺")) == "anything ☺"


def test_all_256_bytes_alone_are_a_vocabulary() -> None:
    tokenizer = train_bpe("abab", 256)
    assert tokenizer.merges == ()
    assert tokenizer.encode("é") == [0xC3, 0xA9]


def test_tokens_too_long_for_the_vocabulary_are_passed_over(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bpe_training, "MAX_VOCABULARY_BYTES", 256 + 6)
    tokenizer = train_bpe("aaaaaaaa bc bc", 300)
    assert [tokenizer.token_bytes(i) for i in range(256, tokenizer.vocabulary_size)] == [b"aa", b"aaaa"]


@pytest.mark.parametrize("size", [255, 0, -1, 256.0, "300", None])
def test_a_vocabulary_size_that_cannot_hold_the_bytes_is_refused_at_once(size: Any) -> None:
    with pytest.raises(TrainingError, match="vocabulary size"):
        train_bpe_steps("abab", size)


def test_the_steps_report_each_phase_and_return_the_tokenizer() -> None:
    text = " ".join(map("".join, product("abcdefghij", repeat=4)))  # 10,000 different words
    steps = train_bpe_steps(text, 266)
    returned: list[BpeTokenizer] = []

    def collect() -> Iterator[BpeTrainingStep]:
        returned.append((yield from steps))

    seen = list(collect())
    assert returned[0].merges == train_bpe(text, 266).merges
    assert list(dict.fromkeys(step.phase for step in seen)) == ["splitting", "counting", "merging"]
    assert all(0 < step.done <= step.total for step in seen)
    merging = [step for step in seen if step.phase == "merging"]
    assert [step.done for step in merging] == list(range(1, 11))
    assert [step.merge.token_id for step in merging if step.merge] == list(range(256, 266))


def test_training_can_be_stopped_midway() -> None:
    steps = train_bpe_steps("the rain in Spain", 300)
    next(steps)
    steps.close()
    with pytest.raises(StopIteration):
        next(steps)
