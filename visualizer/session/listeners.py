"""Those who are told of something: all of them, of everything, in the order in which it happens."""

from __future__ import annotations

import sys
from collections import deque
from collections.abc import Callable
from contextlib import ExitStack
from types import TracebackType
from typing import Generic, TypeVarTuple

Told = TypeVarTuple("Told")


class Listeners(Generic[*Told]):
    """Tells each listener of each event, in the order in which they subscribed.

    What happens while they are being told, because one of them does something in turn, is told once all have heard of
    what came before it. Where a listener fails, that is reported to `sys.excepthook`, and everything goes on as if it
    had not: neither the others nor whoever told can do anything about it.
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
            while self._waiting:
                told = self._waiting.popleft()
                for listener in list(self._listeners):
                    with Reported():
                        listener(*told)
        finally:
            self._telling = False
            with ExitStack() as calls:
                for after in reversed(self._after):
                    calls.callback(after)


class Reported:
    """A block whose exception is reported as one that nobody caught, and ends the block alone."""

    def __enter__(self) -> None:
        """Nothing is to be prepared."""

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> bool:
        if kind is None or not isinstance(error, Exception):
            return False
        sys.excepthook(kind, error, trace)
        return True
