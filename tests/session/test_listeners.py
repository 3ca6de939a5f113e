"""Listeners: all of them are told of everything in order, also of what one of them does, and where one fails."""

import sys

import pytest

from visualizer.session.listeners import Listeners


def test_what_a_listener_does_is_told_once_all_have_heard_of_what_came_before() -> None:
    listeners, heard = Listeners[int](), list[str]()

    def doubled(number: int) -> None:
        heard.append(f"first {number}")
        if number < 4:
            listeners.tell(2 * number)

    listeners.subscribe(doubled)
    listeners.subscribe(lambda number: heard.append(f"second {number}"))
    listeners.subscribe_after(lambda: heard.append("all"))
    listeners.tell(1)
    assert heard == ["first 1", "second 1", "first 2", "second 2", "first 4", "second 4", "all"]


def test_what_is_done_after_all_have_heard_is_told_at_once() -> None:
    listeners, heard = Listeners[int](), list[object]()
    listeners.subscribe(heard.append)

    def once_more() -> None:
        if heard == [1]:
            listeners.tell(2)
            heard.append("told")

    listeners.subscribe_after(once_more)
    listeners.tell(1)
    assert heard == [1, 2, "told"]


def test_a_listener_that_fails_is_reported_and_keeps_nothing_from_the_others(monkeypatch: pytest.MonkeyPatch) -> None:
    listeners, heard, reported = Listeners[int](), list[object](), list[BaseException]()
    monkeypatch.setattr(sys, "excepthook", lambda _kind, error, _trace: reported.append(error))

    def failing(number: int) -> None:
        if number == 1:
            listeners.tell(2)
            raise ValueError("broken")

    listeners.subscribe(failing)
    listeners.subscribe(heard.append)
    listeners.subscribe_after(lambda: heard.append("all"))
    listeners.tell(1)
    assert heard == [1, 2, "all"]
    assert [str(error) for error in reported] == ["broken"]
    listeners.tell(3)  # it can go on
    assert heard == [1, 2, "all", 3, "all"]


def test_what_is_done_after_all_have_heard_fails_before_whoever_told() -> None:
    """An evaluation that fails is the failure of what asked for it."""
    listeners, heard = Listeners[int](), list[object]()

    def failing() -> None:
        raise ValueError("broken")

    listeners.subscribe_after(failing)
    listeners.subscribe_after(lambda: heard.append("all"))
    with pytest.raises(ValueError, match="broken"):
        listeners.tell(1)
    assert heard == ["all"]


def test_a_listener_that_ends_another_while_both_are_told_takes_nothing_from_a_third() -> None:
    listeners, heard = Listeners[int](), list[int]()
    ends = [listeners.subscribe(lambda _number: ends.pop()()) for _ in range(2)]
    listeners.subscribe(heard.append)
    listeners.tell(1)
    assert heard == [1]


def test_a_listener_that_has_ended_hears_no_more() -> None:
    listeners, heard = Listeners[int](), list[int]()
    end = listeners.subscribe(heard.append)
    listeners.tell(1)
    end()
    listeners.tell(2)
    assert heard == [1]
