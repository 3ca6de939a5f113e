"""All runs that windows keep, each in a folder of its own: none takes another's place, and no two windows mix."""

from __future__ import annotations

import contextlib
import itertools
import os
import time
from pathlib import Path

from visualizer.errors import FormatError
from visualizer.session.training.files import ABOUT, AboutRun, KeptRun

PREFIX = "run-"
#: So many runs that have come to their end are kept, the newest. Those that have not are kept until they are forgotten.
MOST_FINISHED = 5
_COUNT = itertools.count()


class KeptRuns:
    """The runs in a folder.

    Args:
        home: where their folders are; a run that stands in it directly, as it used to, counts too.
    """

    def __init__(self, home: Path) -> None:
        self.home = home

    def new(self) -> KeptRun:
        """A place for a run of its own; nothing is made before there is something to keep."""
        self._tidy()
        return KeptRun(self.home / f"{PREFIX}{time.time_ns()}-{os.getpid()}-{next(_COUNT)}")

    def waiting(self) -> list[tuple[KeptRun, AboutRun]]:
        """What can be gone on with, the newest first; what a living window is at is left out."""
        found = []
        for run in map(KeptRun, [self.home, *self._folders()]):
            about = run.about()
            if about is not None and not run.busy:
                found.append((_age(run), run, about))
        return [(run, about) for _, run, about in sorted(found, key=lambda item: item[0])]

    def set_aside(self) -> str:
        """Set what is damaged aside, as `KeptRun.set_aside`, where no living window is at it; says so, or nothing."""
        runs = map(KeptRun, [self.home, *self._folders()])
        return " ".join(filter(None, (run.set_aside() for run in runs if not run.busy)))

    def forget(self, run: KeptRun) -> None:
        """Remove a run. Raises FormatError where it cannot be removed, or a living window is at it."""
        run.forget()
        if run.folder != self.home:
            with contextlib.suppress(OSError):  # something else is in it
                run.folder.rmdir()

    def _folders(self) -> list[Path]:
        try:
            return [path for path in self.home.iterdir() if path.name.startswith(PREFIX) and path.is_dir()]
        except OSError:
            return []

    def _tidy(self) -> None:
        """Remove the oldest of the finished runs beyond `MOST_FINISHED`, and what a killed window did not finish."""
        self.set_aside()
        finished = [run for run, about in self.waiting() if about.step >= about.steps]
        unfinished = [run for run in map(KeptRun, self._folders()) if run.about() is None and not run.busy]
        for run in [*finished[MOST_FINISHED:], *unfinished]:
            with contextlib.suppress(FormatError):  # another window is quicker, or it will be tried again
                self.forget(run)


def _age(run: KeptRun) -> float:
    """Seconds since it was kept last."""
    try:
        return time.time() - (run.folder / ABOUT).stat().st_mtime
    except OSError:
        return float("inf")
