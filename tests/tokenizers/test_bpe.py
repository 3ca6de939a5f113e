"""Byte-pair encoding: whatever goes in comes out, and by the merges as ranked."""

import json
import re
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.tokenizers import reference_bpe
from tests.tokenizers.learning import train_bpe
from tests.tokenizers.texts import any_text, repetitive_text
from visualizer.errors import TokenError
from visualizer.tokenizers import BpeTokenizer, Tokenizer, tokenizer_from_dict
from visualizer.tokenizers.split import split

TEXT = "the rain in Spain stays mainly in the plain, naïve café ☺☺☺ 😀😀 " * 2
TRAINED = train_bpe(TEXT, 290)


@st.composite
def tokenizers(draw: st.DrawFn) -> BpeTokenizer:
    """Any valid merges over few bytes, not only those that training would find."""
    merges: list[tuple[int, int]] = []
    for rank in range(draw(st.integers(0, 12))):
        ids = st.sampled_from([*b"ab ", 0xC3, 0xA9, *range(256, 256 + rank)])
        merges.append(draw(st.tuples(ids, ids).filter(lambda pair: pair not in merges)))
    return BpeTokenizer(merges)


def test_it_is_a_tokenizer() -> None:
    assert isinstance(TRAINED, Tokenizer)


@given(any_text)
def test_any_text_survives(text: str) -> None:
    assert TRAINED.decode(TRAINED.encode(text)) == text


@given(tokenizers(), st.text("abé ", max_size=40))
def test_any_text_survives_any_merges(tokenizer: BpeTokenizer, text: str) -> None:
    assert tokenizer.decode(tokenizer.encode(text)) == text


@given(tokenizers(), st.text("abé ", max_size=40))
def test_encoding_equals_applying_the_lowest_rank_again_and_again(tokenizer: BpeTokenizer, text: str) -> None:
    merges = list(tokenizer.merges)
    assert tokenizer.encode(text) == [id_ for piece in split(text) for id_ in reference_bpe.encode(piece, merges)]


@given(repetitive_text)
def test_encoding_with_learned_merges_equals_the_reference_encoder(text: str) -> None:
    tokenizer = train_bpe(text, 290)
    merges = list(tokenizer.merges)
    assert tokenizer.encode(text) == [id_ for piece in split(text) for id_ in reference_bpe.encode(piece, merges)]


def test_lone_surrogates_survive_even_where_a_pair_of_them_would_be_a_character() -> None:
    text = "a\ud83d\ude00b\udfff"
    assert TRAINED.decode(TRAINED.encode(text)) == text


def test_encoding_again_gives_the_same_and_does_not_share_its_list() -> None:
    first = TRAINED.encode("the")
    first.append(0)
    assert TRAINED.encode("the") == first[:-1]


def test_a_long_run_without_a_break_is_encoded() -> None:
    ids = TRAINED.encode("n" * 50_000 + "ain" * 10_000)
    assert TRAINED.decode(ids) == "n" * 50_000 + "ain" * 10_000


def test_bytes_that_are_no_text_decode_to_replacement_characters() -> None:
    assert BpeTokenizer([]).decode([0x61, 0xFF, 0x62, 0xE2, 0x82]) == "a\ufffdb\ufffd"


def test_replacement_leaves_surrogates_beside_it_alone() -> None:
    assert BpeTokenizer([]).decode([0xFF, *"\ud800".encode("utf-8", "surrogatepass")]) == "\ufffd\ud800"


@given(st.lists(st.integers(0, TRAINED.vocabulary_size - 1)))
def test_any_ids_decode_to_some_text(ids: list[int]) -> None:
    assert TRAINED.decode(ids) == TRAINED.decode(np.array(ids, dtype=np.int64))


@pytest.mark.parametrize("id_", [290, -1, 97.0, "a", None, True])
def test_other_ids_are_refused_with_their_position(id_: Any) -> None:
    with pytest.raises(TokenError, match=r"^id .* at position 2 .*; ids are integers from 0 to 289$"):
        TRAINED.decode([0, 1, id_])
    with pytest.raises(TokenError):
        TRAINED.token_bytes(id_)


def test_token_texts_are_visible_and_all_different() -> None:
    texts = [TRAINED.token_text(i) for i in range(TRAINED.vocabulary_size)]
    assert len(set(texts)) == TRAINED.vocabulary_size
    assert all(text and text.isprintable() and " " not in text for text in texts)
    assert texts[97] == "a"
    assert texts[0xE2] == "\\xe2"


@given(tokenizers())
def test_it_is_the_same_after_json(tokenizer: BpeTokenizer) -> None:
    reread = tokenizer_from_dict(json.loads(json.dumps(tokenizer.to_dict())))
    assert isinstance(reread, BpeTokenizer)
    assert reread.merges == tokenizer.merges


@pytest.mark.parametrize(
    ("merges", "message"),
    [
        ([(97, 256)], "merge 0 is (97, 256); it may join tokens 0 to 255, those made before it"),
        ([(97, 98), (257, 97)], "merge 1 is (257, 97); it may join tokens 0 to 256, those made before it"),
        ([(-1, 97)], "merge 0 is (-1, 97); it may join tokens 0 to 255, those made before it"),
        ([(97, 98), (98, 97), (97, 98)], "merge 2 joins 97 and 98 as merge 0 does; each comes once"),
        ([(97,)], "merge 0 is (97,); expected a pair of token ids"),
        ([(97, 98, 99)], "merge 0 is (97, 98, 99); expected a pair of token ids"),
        ([(97.0, 98)], "merge 0 is (97.0, 98); expected a pair of token ids"),
        ([(True, 98)], "merge 0 is (True, 98); expected a pair of token ids"),
        (["ab"], "merge 0 is 'ab'; expected a pair of token ids"),
        ([None], "merge 0 is None; expected a pair of token ids"),
    ],
)
def test_malformed_merges_are_refused(merges: Any, message: str) -> None:
    with pytest.raises(TokenError, match=f"^{re.escape(message)}$"):
        BpeTokenizer(merges)


def test_merges_that_ask_for_huge_tokens_are_refused_before_they_are_built() -> None:
    doubling = [(97, 97), *((i, i) for i in range(256, 1256))]
    with pytest.raises(TokenError, match="all tokens together may take up to"):
        BpeTokenizer(doubling)


def test_the_description_says_kind_size_and_first_merges() -> None:
    assert BpeTokenizer([]).description() == "byte-level BPE, 256 tokens: 256 bytes and 0 merges"
    assert train_bpe(" the the", 258).description() == "byte-level BPE, 258 tokens: 256 bytes and 2 merges: ␣t he"
    assert len(TRAINED.description().splitlines()) == 1
