"""How far a pass has come, for whoever waits for it: between two operations it is told, and may end the pass."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar

#: Is told the done share of the pass under way, from 0 to 1; ends the pass by raising CancelledError.
Listener = Callable[[float], None]

_listener: ContextVar[Listener | None] = ContextVar("listener", default=None)


@contextmanager
def told_to(listener: Listener) -> Iterator[None]:
    """Tell `listener` of every pass that this thread makes inside the block."""
    token = _listener.set(listener)
    try:
        yield
    finally:
        _listener.reset(token)


def listener() -> Listener | None:
    """Who is to be told of this thread's passes; None where nobody is."""
    return _listener.get()
