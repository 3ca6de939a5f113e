"""Displays of tokens, and the names of characters in messages."""

from hypothesis import given
from hypothesis import strategies as st

from tests.tokenizers.texts import any_text
from visualizer.tokenizers.base import display_bytes, display_text, name_character


def test_spaces_and_unprintable_characters_become_visible() -> None:
    assert display_text("a b\n\t\x00\u200b\U000e0001") == "a␣b↵\\t\\x00\\u200b\\U000e0001"


def test_the_symbols_of_the_display_itself_are_escaped() -> None:
    assert display_text("␣↵\\n") == "\\u2423\\u21b5\\\\n"


def test_bytes_show_whole_characters_and_name_the_rest() -> None:
    assert display_bytes("é€".encode() + b"\xe2\x82") == "é€\\xe2\\x82"


def test_a_control_character_differs_from_the_byte_of_its_number() -> None:
    assert display_bytes(b"\x85") == "\\x85"
    assert display_bytes("\x85".encode()) == "\\u0085"


@given(any_text)
def test_displays_are_printable(text: str) -> None:
    assert display_text(text).isprintable()
    assert " " not in display_text(text)


small_bytes = st.lists(st.sampled_from([b"\\", b"x", b"8", b"5", b"\x85", b"\xc2", b" ", "␣".encode()])).map(b"".join)


@given(small_bytes, small_bytes)
def test_different_bytes_have_different_displays(first: bytes, second: bytes) -> None:
    assert (display_bytes(first) == display_bytes(second)) == (first == second)


def test_characters_are_named_where_they_could_be_mistaken() -> None:
    assert name_character("x") == "'x'"
    assert name_character("а") == "'а' (U+0430 CYRILLIC SMALL LETTER A)"
    assert name_character("\n") == "'\\n' (U+000A)"
    assert name_character("\u200b") == "'\\u200b' (U+200B ZERO WIDTH SPACE)"
