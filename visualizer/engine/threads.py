"""Two kinds of parallel work: one big product on all cores, or many small blocks, each on one core."""

from __future__ import annotations

import contextvars
import os
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
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
    """Keep NumPy's matrix products on the thread that asks for them; small ones lose time by being shared.

    It is one setting for the whole process, so only one thread may be inside at a time.
    """
    with _controller().limit(limits=1, user_api="blas"):
        yield


class WorkerPool:
    """Threads, one for each core, that work on the blocks of a batch."""

    def __init__(self, threads: int | None = None) -> None:
        self.threads = threads or cores()
        self._pool = ThreadPoolExecutor(self.threads, thread_name_prefix="worker") if self.threads > 1 else None

    def map(self, work: Callable[[Item], Outcome], items: Sequence[Item]) -> list[Outcome]:
        """`work` of each item, in their order."""
        if self._pool is None or len(items) < 2:
            return [work(item) for item in items]
        return list(self._pool.map(work, items))

    def close(self) -> None:
        """Let the threads end."""
        if self._pool is not None:
            self._pool.shutdown()


@lru_cache(maxsize=1)
def _shared() -> WorkerPool:
    return WorkerPool()


_cores_taken = threading.Lock()


def each(work: Callable[[Item], object], items: Iterable[Item]) -> None:
    """Do `work` with each item, several at once, each on one core; NumPy's settings are those of the caller.

    Products that wait for each other's threads lose many times their own time where another program is busy too.
    While the cores are taken by another thread that called this, the items are done one after the other.
    """
    if not _cores_taken.acquire(blocking=False):
        for item in items:
            work(item)
        return
    try:
        with one_thread_each():
            _shared().map(lambda job: job[0].run(work, job[1]), [(contextvars.copy_context(), i) for i in items])
    finally:
        _cores_taken.release()
