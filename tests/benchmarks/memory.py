"""Peak memory of a recorded forward pass, against the bytes of what it has to keep."""

from __future__ import annotations

import time
import tracemalloc

import numpy as np

from tests.benchmarks.gpt2_forward import gpt2_shape
from tests.benchmarks.harness import Row


def rows() -> list[Row]:
    """GPT-2's shape at T = 1024. What is kept: every recorded array, those that share memory counted once."""
    model, tokens = gpt2_shape(), np.arange(1024)
    tracemalloc.start()
    try:
        before, _ = tracemalloc.get_traced_memory()
        began = time.perf_counter()
        trace = model.forward(tokens)
        seconds = time.perf_counter() - began
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    owners = {id(owner): owner.nbytes for owner in map(_owner, trace.recorded.values())}
    own = {id(_owner(array)) for array in model.parameters.values()}  # positions are a view of wpe
    kept = float(sum(size for key, size in owners.items() if key not in own))
    used = float(peak - before)
    note = f"bytes of the recorded arrays; the pass took {seconds:.1f} s under tracemalloc"
    return [Row("peak memory, GPT-2 shape, T = 1024", used, kept, used / kept, used, 1.5, 1.15, "bytes", note)]


def _owner(array: np.ndarray) -> np.ndarray:  # type: ignore[type-arg]
    while isinstance(array.base, np.ndarray):
        array = array.base
    return array
