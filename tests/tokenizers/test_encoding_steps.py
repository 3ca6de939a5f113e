"""The steps of an encoding: from bytes to tokens, one merge at a time."""

from itertools import pairwise

from hypothesis import given

from tests.tokenizers import reference_bpe
from tests.tokenizers.texts import any_text, repetitive_text
from visualizer.tokenizers import BpeTokenizer, Merge
from visualizer.tokenizers.bpe_training import train_bpe
from visualizer.tokenizers.split import split

THE = BpeTokenizer([(116, 104), (256, 101), (32, 257)])  # th, the, ␣the


def test_the_steps_of_a_small_text() -> None:
    steps = list(THE.encode_steps("the thy"))
    assert [step.pieces for step in steps] == [
        ((116, 104, 101), (32, 116, 104, 121)),
        ((256, 101), (32, 116, 104, 121)),
        ((257,), (32, 116, 104, 121)),
        ((257,), (32, 256, 121)),
    ]
    assert [(step.merge, step.piece, step.position) for step in steps] == [
        (None, 0, 0),
        (Merge((116, 104), 0), 0, 0),
        (Merge((256, 101), 1), 0, 0),
        (Merge((116, 104), 0), 1, 1),
    ]
    assert steps[-1].ids == [257, 32, 256, 121]


def test_the_steps_of_no_text_are_one_empty_step() -> None:
    (only,) = THE.encode_steps("")
    assert only.pieces == ()
    assert only.ids == []


@given(repetitive_text)
def test_each_step_applies_its_merge_where_it_says(text: str) -> None:
    steps = list(train_bpe(text, 280).encode_steps(text))
    for before, after in pairwise(steps):
        assert after.merge is not None
        piece, position = after.piece, after.position
        old, new = before.pieces[piece], after.pieces[piece]
        assert old[position : position + 2] == after.merge.pair
        assert new == (*old[:position], after.merge.token_id, *old[position + 2 :])
        assert after.pieces[:piece] == before.pieces[:piece]
        assert after.pieces[piece + 1 :] == before.pieces[piece + 1 :]


@given(repetitive_text)
def test_each_step_takes_the_lowest_rank_that_fits_and_its_leftmost_place(text: str) -> None:
    tokenizer = train_bpe(text, 280)
    ranks = {pair: rank for rank, pair in enumerate(tokenizer.merges)}
    steps = list(tokenizer.encode_steps(text))
    for before, after in pairwise(steps):
        tokens = before.pieces[after.piece]
        fitting = [(ranks[pair], i) for i, pair in enumerate(pairwise(tokens)) if pair in ranks]
        assert after.merge is not None
        assert min(fitting) == (after.merge.rank, after.position)


@given(any_text)
def test_the_first_step_is_the_bytes_and_the_last_the_encoding(text: str) -> None:
    tokenizer = train_bpe(text, 270)
    steps = tokenizer.encode_steps(text)
    assert steps[0].pieces == tuple(tuple(reference_bpe.to_bytes(piece)) for piece in split(text))
    assert steps[-1].ids == tokenizer.encode(text)


@given(repetitive_text)
def test_a_step_can_be_sought_without_the_ones_before(text: str) -> None:
    steps = train_bpe(text, 280).encode_steps(text)
    everything = list(steps)
    assert len(everything) == len(steps)
    assert [steps[i] for i in range(len(steps))] == everything
    assert steps[-1] == everything[-1]
    assert steps[1:3] == everything[1:3]
