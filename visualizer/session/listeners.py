"""Those who are told of something: all of them, of everything, in the order in which it happens."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from contextlib import ExitStack
from typing import Generic, TypeVarTuple

Told = TypeVarTuple("Told")


class Listeners(Generic[*Told]):
    """Tells each listener of each event, in the order in which they subscribed.

    What happens while they are being told, because one of them does something in turn, is told once all have heard of
    what came before it. Where a listener fails, the others hear of it all the same; then its exception goes on.
    """

    def __init__(self) -> None:
        self._listeners: list[Callable[[*Told], object]] = []
        self._after: list[Callable[[], object]] = []
        self._waiting: deque[tuple[*Told]] = deque()
        self._telling = False

    def subscribe(self, listener: Callable[[*Told], object]) -> Callable[[], None]:
        """Call `listener(*told)` for every event; returns a function that ends it."""
        self._listeners.append(listener)
        return lambda: self._listeners.remove(listener)

    def subscribe_after(self, listener: Callable[[], object]) -> None:
        """Call `listener()` once all have heard, of an event and of all that came of it meanwhile."""
        self._after.append(listener)

    def tell(self, *told: *Told) -> None:
        """Tell everyone, now or right after what they are being told of."""
        self._waiting.append(told)
        if self._telling:
            return
        self._telling = True
        try:
            self._tell_all_that_waits()
        finally:
            self._telling = False
            _call_all(self._after)

    def _tell_all_that_waits(self) -> None:
        told = self._waiting.popleft()
        try:
            _call_all(self._listeners, *told)
        finally:
            if self._waiting:
                self._tell_all_that_waits()


def _call_all(listeners: list[Callable[[*Told], object]], *told: *Told) -> None:
    """Call each, also where one before it failed."""
    with ExitStack() as calls:
        for listener in reversed(listeners):
            calls.callback(listener, *told)
