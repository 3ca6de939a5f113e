"""Two kinds of parallel work: one big product on all cores, or many small blocks, each on one core."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import lru_cache
from typing import TypeVar

from threadpoolctl import ThreadpoolController

Item = TypeVar("Item")
Outcome = TypeVar("Outcome")


def cores() -> int:
    """How many cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


@lru_cache(maxsize=1)
def _controller() -> ThreadpoolController:
    return ThreadpoolController()


@contextmanager
def one_thread_each() -> Iterator[None]:
    """Keep NumPy's matrix products on the thread that asks for them; small ones lose time by being shared."""
    with _controller().limit(limits=1, user_api="blas"):
        yield


class Blocks:
    """Threads, one for each core, that work on the blocks of a batch."""

    def __init__(self, threads: int | None = None) -> None:
        self.threads = threads or cores()
        self._pool = ThreadPoolExecutor(self.threads, thread_name_prefix="blocks") if self.threads > 1 else None

    def map(self, work: Callable[[Item], Outcome], items: Sequence[Item]) -> list[Outcome]:
        """`work` of each item, in their order."""
        if self._pool is None or len(items) < 2:
            return [work(item) for item in items]
        return list(self._pool.map(work, items))

    def close(self) -> None:
        """Let the threads end."""
        if self._pool is not None:
            self._pool.shutdown()
