"""Value, baseline and difference: which numbers are shown, and that no others are made."""

from __future__ import annotations

import numpy as np
import pytest

from visualizer.session.words.comparison import ADDED, SENTENCES, compared


@pytest.mark.parametrize(
    ("comparison", "expected", "asked"),
    [("value", [3.0], ["now"]), ("baseline", [1.0], ["baseline"]), ("difference", [2.0], ["baseline", "now"])],
)
def test_only_the_numbers_that_are_shown_are_made(comparison: str, expected: list[float], asked: list[str]) -> None:
    made: list[str] = []

    def numbers(name: str, value: float) -> np.ndarray:
        made.append(name)
        return np.array([value])

    shown = compared(comparison, lambda: numbers("now", 3.0), lambda: numbers("baseline", 1.0))
    assert (shown.tolist(), made) == (expected, asked)


@pytest.mark.parametrize("comparison", ADDED)
def test_without_a_baseline_the_present_numbers_are_shown(comparison: str) -> None:
    assert compared(comparison, lambda: np.array([3.0]), None).tolist() == [3.0]


def test_infinities_leave_nan_without_a_warning() -> None:
    infinite = np.array([np.inf])
    assert np.isnan(compared("difference", lambda: infinite, lambda: infinite)).all()


def test_every_comparison_has_its_words() -> None:
    assert list(ADDED) == list(SENTENCES) == ["value", "baseline", "difference"]
