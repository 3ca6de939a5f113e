"""Labels of tokens and positions: nothing in them is invisible, and they stay short."""

from __future__ import annotations

import pytest

from visualizer.session.words.axis_labels import LONGEST_LABEL, visible_label, with_position


@pytest.mark.parametrize(
    ("text", "shown"),
    [(" a\n", "␣a↵"), ("\t", "⇥"), ("", "ε"), ("a\u200bb", "a�b"), ("␣↵", "␣↵"), ("x" * 15, "x" * 13 + "…")],
)
def test_a_label_shows_white_space_and_is_cut(text: str, shown: str) -> None:
    assert visible_label(text) == shown
    assert len(visible_label(text)) <= LONGEST_LABEL


def test_a_position_stands_below_its_token() -> None:
    assert with_position("a", 120) == "a₁₂₀"
