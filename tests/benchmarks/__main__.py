"""Run the benchmarks: python -m tests.benchmarks [--only NAME] [--json FILE]."""

from __future__ import annotations

import argparse
import importlib
import os
import platform
import sys
from pathlib import Path

import numpy as np

from tests.benchmarks.harness import Row, table, write_json

HELPERS = {"__init__", "__main__", "harness"}


def benchmarks() -> list[str]:
    """Names of the files beside this one that measure something: those with a function `rows`."""
    files = sorted(Path(__file__).parent.glob("*.py"))
    return [file.stem for file in files if file.stem not in HELPERS and "\ndef rows(" in file.read_text("utf-8")]


def main(arguments: list[str] | None = None) -> int:
    """Measure, print the table, write the file that was asked for."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks", description=__doc__)
    parser.add_argument("--only", metavar="NAME", action="append", help=f"of {', '.join(benchmarks())}; repeatable")
    parser.add_argument("--json", metavar="FILE", type=Path, help="write the rows to FILE too")
    options = parser.parse_args(arguments)
    unknown = [name for name in options.only or () if name not in benchmarks()]
    if unknown:
        parser.error(f"no benchmark {unknown[0]!r}; there are {', '.join(benchmarks())}")
    rows: list[Row] = []
    for name in options.only or benchmarks():
        print(f"{name} …", file=sys.stderr, flush=True)
        rows += importlib.import_module(f"tests.benchmarks.{name}").rows()
    print(f"Python {platform.python_version()}, NumPy {np.__version__}, {os.cpu_count()} CPUs, {platform.machine()}")
    print(table(rows))
    if options.json is not None:
        write_json(rows, options.json)
    return 0


if __name__ == "__main__":
    sys.exit(main())
