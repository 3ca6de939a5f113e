"""Messages: one printable line of bounded length, whatever a file from a stranger put into them."""

from __future__ import annotations

import pickle

import pytest

from visualizer.engine.config import ModelConfig
from visualizer.errors import LONGEST_MESSAGE, ConfigError, FormatError, TokenError, short_repr


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ("as it is, − and ✓ too", "as it is, − and ✓ too"),
        ("two\nlines\tand \x00 a\x1b[31m colour", r"two lines and \x00 a\x1b[31m colour"),
        ("half \ud800 of a pair, \u202ebackwards", r"half \ud800 of a pair, \u202ebackwards"),
        ("", ""),
    ],
)
def test_a_message_is_one_printable_line(given: str, said: str) -> None:
    assert str(FormatError(given)) == said


@pytest.mark.parametrize("filling", ["x", "\x00", "\ud800", "\n"])
def test_a_long_message_keeps_its_beginning_and_its_end(filling: str) -> None:
    said = str(TokenError(f"in 'file': {filling * 10_000_000} is too long"))
    assert said.startswith("in 'file': ")
    assert said.endswith(" is too long")
    assert len(said) <= LONGEST_MESSAGE
    assert said.isprintable()


def test_an_error_comes_through_a_pipe_as_it_is() -> None:
    assert str(pickle.loads(pickle.dumps(FormatError("a\nb")))) == "a b"


@pytest.mark.parametrize(
    "value",
    [10**5000, -(10**5000), "x" * 10**7, [10**5000], [[0] * 10**6] * 3, {"a": "\n" * 1000}, None, True],
    ids=lambda value: type(value).__name__,
)
def test_any_value_is_named_in_a_few_characters(value: object) -> None:
    said = short_repr(value)
    assert len(said) <= 40
    assert said.isprintable()


@pytest.mark.parametrize("name", ["n_layers", "d_model", "n_ctx", "d_vocab", "d_mlp", "n_heads", "d_head"])
@pytest.mark.parametrize("value", [10**5000, -(10**5000), 2**63], ids=["huge", "negative", "large"])
def test_a_size_beyond_all_bounds_is_refused_with_its_name(name: str, value: int) -> None:
    sizes = {"n_layers": 1, "d_model": 8, "n_ctx": 4, "d_vocab": 2, "n_heads": 1, "act_fn": "relu"}
    with pytest.raises(ConfigError, match=f"{name} is "):
        ModelConfig(**{**sizes, name: value})  # type: ignore[arg-type]


def test_a_rotary_base_that_is_not_used_must_be_a_number_all_the_same() -> None:
    with pytest.raises(ConfigError, match="rotary_base is"):
        ModelConfig(n_layers=1, d_model=8, n_ctx=4, d_vocab=2, n_heads=1, attn_only=True, rotary_base=[])  # type: ignore[arg-type]
