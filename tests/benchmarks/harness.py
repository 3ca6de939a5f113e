"""Comparing two ways of doing the same work: in turn, in one process, by the median of many rounds."""

from __future__ import annotations

import json
import statistics
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

Work = Callable[[], object]


@dataclass(frozen=True)
class Row:
    """One line of the table.

    Attributes:
        name: what is done.
        ours, reference: median time of one call in seconds; a reference of None was not available.
        ours_p95: the 95th percentile of ours.
        ratio: ours / reference, the median of the rounds' ratios, so that what slows both of a round cancels.
        bound, aim: the largest ratio that is accepted, and what is aimed for.
        unit: "s", or "bytes" for rows that compare memory.
        note: what the reference is, or why there is none.
    """

    name: str
    ours: float
    reference: float | None
    ratio: float | None
    ours_p95: float
    bound: float
    aim: float
    unit: str = "s"
    note: str = ""

    @property
    def verdict(self) -> str:
        """In a word, how the ratio stands."""
        if self.ratio is None:
            return "-"
        return "aim" if self.ratio <= self.aim else "bound" if self.ratio <= self.bound else "OVER"


def compare(
    name: str,
    ours: Work,
    reference: Work | None,
    *,
    bound: float,
    aim: float,
    seconds: float = 2.0,
    note: str = "",
    prepare: Callable[[], object] | None = None,
) -> Row:
    """Run `ours` and `reference` in turn (A B A B …) for about `seconds`, and compare the medians.

    One call of each is a warm-up. A round calls each as often as makes it last 2 ms or longer, so that the clock
    counts for nothing, and every second round takes them in the other order. `prepare` runs untimed before each
    round, and then a round calls each once.
    """
    works = [work for work in (ours, reference) if work is not None]
    if prepare is not None:
        prepare()
    for work in works:
        work()  # a warm-up: caches, threads, lazily made tables
    calls = [_calls_a_round(work) if prepare is None else 1 for work in works]
    times: list[list[float]] = [[] for _ in works]
    spent = 0.0
    while len(times[0]) < 5 or spent < seconds:
        if prepare is not None:
            prepare()
        order = range(len(works)) if len(times[0]) % 2 == 0 else reversed(range(len(works)))
        for index in list(order):
            times[index].append(_time(works[index], calls[index]))
            spent += times[index][-1] * calls[index]
    medians = [statistics.median(of_work) for of_work in times]
    ratio = statistics.median(a / b for a, b in zip(*times, strict=True)) if reference is not None else None
    return Row(
        name, medians[0], medians[1] if reference is not None else None, ratio, p95(times[0]), bound, aim, note=note
    )  # fmt: skip


def p95(numbers: Sequence[float]) -> float:
    """The number that 95 of 100 do not exceed."""
    ordered = sorted(numbers)
    return ordered[min(len(ordered) - 1, int(0.95 * len(ordered)))]


def _time(work: Work, calls: int) -> float:
    """Seconds for one call, averaged over `calls` in a row."""
    start = time.perf_counter()
    for _ in range(calls):
        work()
    return (time.perf_counter() - start) / calls


def _calls_a_round(work: Work) -> int:
    return max(1, int(0.002 / max(_time(work, 1), 1e-7)))


def table(rows: Iterable[Row]) -> str:
    """The rows as aligned text under a heading."""
    cells = [("row", "ours", "p95", "reference", "ratio", "bound", "aim", "meets", "note")]
    for row in rows:
        cells.append(
            (
                row.name,
                _amount(row.ours, row.unit),
                _amount(row.ours_p95, row.unit),
                "-" if row.reference is None else _amount(row.reference, row.unit),
                "-" if row.ratio is None else f"{row.ratio:.2f}",
                f"{row.bound:.2f}",
                f"{row.aim:.2f}",
                row.verdict,
                row.note,
            )
        )
    widths = [max(len(line[i]) for line in cells) for i in range(len(cells[0]))]
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip() for line in cells]
    return "\n".join([lines[0], "  ".join("-" * width for width in widths), *lines[1:]])


def _amount(number: float, unit: str) -> str:
    if unit == "bytes":
        return f"{number / 2**20:.1f} MiB"
    return f"{number * 1e3:.2f} ms" if number >= 1e-3 else f"{number * 1e6:.1f} µs"


def write_json(rows: Iterable[Row], path: Path) -> None:
    """The rows with their verdicts as a list of objects, times in seconds and memory in bytes."""
    path.write_text(json.dumps([{**asdict(row), "meets": row.verdict} for row in rows], indent=2) + "\n", "utf-8")
