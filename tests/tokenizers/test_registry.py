"""Tokenizers from a stranger's data: made or refused with a word."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from visualizer.errors import FormatError
from visualizer.tokenizers import tokenizer_from_dict


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (None, "is a NoneType; expected an object with 'kind' 'characters' or 'bpe'"),
        ([], "is a list; expected an object"),
        ({}, "'kind' is None; expected 'characters' or 'bpe'"),
        ({"kind": "words"}, "'kind' is 'words'; expected 'characters' or 'bpe'"),
        ({"kind": ["bpe"]}, r"'kind' is \['bpe'\]; expected"),
        ({"kind": "characters"}, "'alphabet' is a NoneType, not a list of characters"),
        ({"kind": "characters", "alphabet": "ab"}, "'alphabet' is a str, not a list of characters"),
        ({"kind": "characters", "alphabet": []}, "cannot be read: the alphabet is empty"),
        ({"kind": "characters", "alphabet": ["a", "a"]}, "the alphabet holds 'a' at positions 0 and 1"),
        ({"kind": "characters", "alphabet": ["a", None]}, "entry 1 of the alphabet is None"),
        ({"kind": "bpe", "merges": []}, "'split' is None; expected 'gpt2'"),
        ({"kind": "bpe", "split": "gpt2"}, "'merges' is a NoneType; expected a list of pairs"),
        (
            {"kind": "bpe", "split": "gpt2", "merges": {"a": 1}},
            "'merges' is a dict; expected a list of pairs",
        ),
        ({"kind": "bpe", "split": "gpt2", "merges": [[97, 256]]}, "it may join tokens 0 to 255"),
        ({"kind": "bpe", "split": "gpt2", "merges": [[97, 98], [97, 98]]}, "each comes once"),
        ({"kind": "bpe", "split": "gpt2", "merges": [["a", "b"]]}, "expected a pair of token ids"),
    ],
)
def test_malformed_data_is_refused(data: Any, message: str) -> None:
    with pytest.raises(FormatError, match=message) as refusal:
        tokenizer_from_dict(data)
    assert len(str(refusal.value).splitlines()) == 1


json_values = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text()),
    lambda values: st.one_of(st.lists(values), st.dictionaries(st.text(), values)),
    max_leaves=8,
)


@given(st.sampled_from(["characters", "bpe"]), json_values)
def test_whatever_json_holds_makes_a_working_tokenizer_or_a_format_error(kind: str, value: Any) -> None:
    data = {"kind": kind, "split": "gpt2", "alphabet": value, "merges": value}
    try:
        tokenizer = tokenizer_from_dict(data)
    except FormatError:
        return
    assert tokenizer.decode(tokenizer.encode(tokenizer.decode([0]))) == tokenizer.decode([0])
