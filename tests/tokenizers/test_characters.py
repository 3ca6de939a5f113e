"""Characters as tokens: ids, refusals and displays."""

import json
import re
from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from hypothesis import given

from tests.tokenizers.texts import any_text
from visualizer.errors import TokenError
from visualizer.tokenizers import CharacterTokenizer, Tokenizer, tokenizer_from_dict


def test_ids_follow_the_alphabet() -> None:
    tokenizer = CharacterTokenizer("ba")
    assert tokenizer.encode("aab") == [1, 1, 0]
    assert tokenizer.decode([0, 1]) == "ba"
    assert tokenizer.vocabulary_size == 2


def test_an_alphabet_from_a_text_is_sorted() -> None:
    assert CharacterTokenizer.from_text("hello\n").alphabet == "\nehlo"


def test_it_is_a_tokenizer() -> None:
    assert isinstance(CharacterTokenizer("ab"), Tokenizer)


def test_empty_text_has_no_tokens() -> None:
    assert CharacterTokenizer("ab").encode("") == []
    assert CharacterTokenizer("ab").decode([]) == ""


@given(any_text.filter(bool))
def test_any_text_survives_with_its_own_alphabet(text: str) -> None:
    tokenizer = CharacterTokenizer.from_text(text)
    assert tokenizer.decode(tokenizer.encode(text)) == text


@given(any_text.filter(bool))
def test_it_is_the_same_after_json(text: str) -> None:
    tokenizer = CharacterTokenizer.from_text(text)
    reread = tokenizer_from_dict(json.loads(json.dumps(tokenizer.to_dict())))
    assert isinstance(reread, CharacterTokenizer)
    assert reread.to_dict() == tokenizer.to_dict()
    assert reread.decode(reread.encode(text)) == text


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("aabx", "no token for 'x' at position 3; accepted: 'a' 'b'"),
        ("xy", "no token for 'x' at position 0; accepted: 'a' 'b'"),
        ("a\n", "no token for '\\n' (U+000A) at position 1; accepted: 'a' 'b'"),
        ("😀", "no token for '😀' (U+1F600 GRINNING FACE) at position 0; accepted: 'a' 'b'"),
        ("ab\ud800", "no token for '\\ud800' (U+D800) at position 2; accepted: 'a' 'b'"),
    ],
)
def test_an_unknown_character_is_refused_by_name_and_position(text: str, message: str) -> None:
    with pytest.raises(TokenError, match=f"^{re.escape(message)}$"):
        CharacterTokenizer("ab").encode(text)


def test_a_large_alphabet_is_sampled_in_the_message() -> None:
    alphabet = "".join(map(chr, range(0x4E00, 0x4E00 + 1000)))
    with pytest.raises(TokenError, match=r"accepted: 1000 characters such as '一' .") as refusal:
        CharacterTokenizer(alphabet).encode("x")
    assert len(str(refusal.value)) < 200


@given(any_text.filter(bool))
def test_messages_and_descriptions_stay_on_one_line(text: str) -> None:
    tokenizer = CharacterTokenizer([character for character in sorted(set(text) | {"b"}) if character != "a"])
    assert len(tokenizer.description().splitlines()) == 1
    with pytest.raises(TokenError) as refusal:
        tokenizer.encode("a")
    assert len(str(refusal.value).splitlines()) == 1


@pytest.mark.parametrize("ids", [np.array([0, 1], dtype) for dtype in (np.int32, np.uint8, np.int64)])
def test_numpy_integers_are_ids(ids: Any) -> None:
    assert CharacterTokenizer("ab").decode(ids) == "ab"
    assert CharacterTokenizer("ab").token_text(ids[1]) == "b"


@pytest.mark.parametrize(
    "id_", [2, -1, pytest.param(10**5000, id="huge"), 0.0, 1.0, "0", None, True, np.float32(1), np.True_, [0]]
)
def test_other_ids_are_refused_with_their_position(id_: Any) -> None:
    with pytest.raises(TokenError, match=r"^id .* at position 1 .*; ids are integers from 0 to 1$"):
        CharacterTokenizer("ab").decode([0, id_])
    with pytest.raises(TokenError):
        CharacterTokenizer("ab").token_text(id_)


@pytest.mark.parametrize(
    ("alphabet", "message"),
    [
        ("", "empty"),
        ([], "empty"),
        ("aba", "'a' at positions 0 and 2"),
        (["a", "bc"], "entry 1 of the alphabet is 'bc'"),
        (["a", ""], "entry 1 of the alphabet is ''"),
        (["a", 7], "entry 1 of the alphabet is 7"),
    ],
)
def test_a_malformed_alphabet_is_refused(alphabet: str | Sequence[str], message: str) -> None:
    with pytest.raises(TokenError, match=message):
        CharacterTokenizer(alphabet)


def test_an_empty_text_gives_no_alphabet() -> None:
    with pytest.raises(TokenError, match="the text is empty"):
        CharacterTokenizer.from_text("")


def test_the_description_says_kind_size_and_tokens() -> None:
    assert CharacterTokenizer("ab").description() == "characters, 2 tokens: a b"
    assert CharacterTokenizer(" ").description() == "characters, 1 token: ␣"


@given(any_text.filter(bool), any_text)
def test_a_text_as_an_array_is_the_same_ids_or_the_same_refusal(text: str, other: str) -> None:
    tokenizer = CharacterTokenizer.from_text(text)
    assert tokenizer.alphabet == "".join(sorted(set(text)))
    assert tokenizer.encode_array(text).tolist() == tokenizer.encode(text)
    said: list[object] = []
    for encode in (tokenizer.encode, tokenizer.encode_array):
        try:
            said.append(list(encode(text + other)))
        except TokenError as error:
            said.append(str(error))
    assert said[0] == said[1]


def test_a_long_text_is_encoded_piece_by_piece(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("visualizer.tokenizers.characters._PIECE", 3)
    tokenizer = CharacterTokenizer.from_text("abé\ud800😀" * 5)
    assert tokenizer.alphabet == "abé\ud800😀"
    assert tokenizer.encode_array("abé\ud800😀" * 5).tolist() == [0, 1, 2, 3, 4] * 5
    with pytest.raises(TokenError, match="no token for 'x' at position 4"):
        tokenizer.encode_array("abéax")
