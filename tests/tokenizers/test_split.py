"""The cut into pieces: GPT-2's, and nothing lost."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.tokenizers.texts import any_text
from visualizer.tokenizers.split import split

GPT2_EXPRESSION = r"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+"

tricky_text = st.text("aLrevmlsd' \t\n\x1c\x85\xa0\u30001½²Ⅷ一٣é\u0301_-.", max_size=30)
"""Letters of contractions, kinds of spaces and numbers, a numeral that is a letter, a combining accent."""


@pytest.mark.parametrize(
    ("text", "pieces"),
    [
        ("", []),
        ("Hello world", ["Hello", " world"]),
        ("I'll they've it's 'tis", ["I", "'ll", " they", "'ve", " it", "'s", " '", "tis"]),
        ("IT'S", ["IT", "'", "S"]),
        ("a  b", ["a", " ", " b"]),
        ("a \n\n b", ["a", " \n\n", " b"]),
        ("a\nb", ["a", "\n", "b"]),
        ("end  ", ["end", "  "]),
        ("x=42; y_1", ["x", "=", "42", ";", " y", "_", "1"]),
        ("½ ²Ⅷ一", ["½", " ²Ⅷ", "一"]),
        ("naïve e\u0301t", ["naïve", " e", "\u0301", "t"]),
        ("a\x1c.\u2003.", ["a", "\x1c.", "\u2003", "."]),
        ("\ud800\udc00 😀", ["\ud800\udc00", " 😀"]),
    ],
)
def test_pieces_are_those_of_gpt2(text: str, pieces: list[str]) -> None:
    assert list(split(text)) == pieces


@given(st.one_of(any_text, tricky_text))
def test_the_pieces_join_to_the_text(text: str) -> None:
    pieces = list(split(text))
    assert "".join(pieces) == text
    assert all(pieces)


@pytest.mark.reference
@settings(max_examples=1000)
@given(tricky_text)
def test_the_pieces_are_those_of_the_published_expression(text: str) -> None:
    regex = pytest.importorskip("regex", reason="the extra 'reference' brings regex")
    assert list(split(text)) == regex.findall(GPT2_EXPRESSION, text)
