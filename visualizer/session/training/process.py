"""Training in a process of its own, so that it never takes the interpreter from the window.

The two ends talk in pickled messages over the child's standard input and output. The child ends when its input does:
a window that was killed leaves no training behind, and what was learned is kept.
"""

from __future__ import annotations

import contextlib
import os
import pickle
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from queue import SimpleQueue
from typing import IO, Literal

from visualizer.engine.model import Model
from visualizer.errors import InputError
from visualizer.formats import OpenedModel
from visualizer.resources import child_program
from visualizer.session.training.estimate import estimate_seconds
from visualizer.session.training.files import KeptRun
from visualizer.session.training.plan import TrainingPlan, TrainingText
from visualizer.session.training.report import Report, TrainingSnapshot
from visualizer.session.training.run import TrainingJob

Word = Literal["pause", "resume", "stop", "read", "train", "estimate", "look"]
#: How much the child gives way to the window, where the system knows such a thing.
NICENESS = 5
#: Seconds that a child gets to end by itself.
PATIENCE = 10.0


class TrainingProcess:
    """The window's end. What waits for answers, `run`, `estimate` and `look`, belongs on a thread."""

    def __init__(self) -> None:
        self._child: subprocess.Popen[bytes] | None = None
        self._sending = threading.Lock()
        self._has_steps = self._broken_off = False

    def run(self, plan: TrainingPlan | None, kept: Path | None) -> Iterator[Report]:
        """Train in the child; its reports as they come. Each must be answered by `read` before the next is made."""
        self._has_steps = self._broken_off = False
        self._send("train", (plan, kept))
        present = None if plan is None else plan.present
        opened: OpenedModel | None = None
        while True:
            report = self._receive()
            if not isinstance(report, Report):
                self._has_steps = False
                failed = Report("failed", "training broke off: its process ended")
                yield Report("stopped") if self._broken_off else failed
                return
            self._has_steps = report.phase in ("running", "paused")
            if opened is None and report.opened is not None:
                opened = present or _made_here(report.opened)
            report = replace(report, opened=opened, newest=_frozen(report.newest))
            report = replace(report, snapshots=tuple(s for s in map(_frozen, report.snapshots) if s is not None))
            yield report
            if report.last:
                return

    def estimate(self, plan: TrainingPlan) -> float | None:
        """Seconds that a plan will take; None where it cannot be trained."""
        self._send("estimate", plan)
        seconds = self._receive()
        return seconds if isinstance(seconds, float) else None

    def look(self, source: str) -> TrainingText | str:
        """What has to be known of a text file before training; or why it cannot be trained on."""
        self._send("look", source)
        found = self._receive()
        return found if isinstance(found, TrainingText | str) else f"{source!r} could not be read"

    def tell(self, word: Literal["pause", "resume", "read"]) -> None:
        """Pause or resume the run under way, or say that its last report was read."""
        if self._child is not None:
            self._send(word, None)

    def stop(self) -> None:
        """End the run under way after its present step; at once where it has made none and there is nothing to lose."""
        if self._has_steps:
            self._send("stop", None)
        elif self._child is not None:
            self._broken_off = True
            self._child.kill()

    def close(self) -> None:
        """Stop what is under way after its present step, and return when the process has ended."""
        child = self._child
        if child is None:
            return
        if hasattr(signal, "SIGCONT"):  # a child that somebody has stopped would hear nothing
            child.send_signal(signal.SIGCONT)
        self.stop()
        assert child.stdin is not None
        with self._sending, contextlib.suppress(OSError):
            child.stdin.close()
        try:
            child.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            child.kill()
            child.wait()

    def _begin(self) -> subprocess.Popen[bytes]:
        """The child, started where there is none, or none any more."""
        if self._child is None or self._child.poll() is not None:
            self.release()
            here = str(Path(__file__).resolve().parents[3])
            path = os.pathsep.join([here, *filter(None, [os.environ.get("PYTHONPATH")])])
            self._child = subprocess.Popen(
                child_program(__name__),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                env={**os.environ, "PYTHONPATH": path},
            )
        return self._child

    def release(self) -> None:
        """Give the pipes back; after `close`, when nobody waits for an answer any more."""
        if self._child is not None:
            for pipe in (self._child.stdin, self._child.stdout):
                if pipe is not None:
                    with contextlib.suppress(OSError):
                        pipe.close()

    def _send(self, word: Word, content: object) -> None:
        with self._sending:
            child = self._begin() if word in ("train", "estimate", "look") else self._child
            if child is None or child.stdin is None or child.stdin.closed:
                return
            with contextlib.suppress(OSError):  # it has ended: whoever waits for an answer is told so
                pickle.dump((word, content), child.stdin, pickle.HIGHEST_PROTOCOL)
                child.stdin.flush()

    def _receive(self) -> object:
        assert self._child is not None
        assert self._child.stdout is not None
        try:
            return pickle.load(self._child.stdout)
        except (EOFError, OSError, ValueError, pickle.UnpicklingError):
            self._child.kill()  # if it is not gone, it is of no use any more
            self._child.wait()
            return None


def _made_here(opened: OpenedModel) -> OpenedModel:
    """A received model, made anew so that it shares what models of its architecture share here."""
    model = opened.model
    return replace(opened, model=Model(model.config, model.parameters.as_dict(), model.tokenizer))


def _frozen(snapshot: TrainingSnapshot | None) -> TrainingSnapshot | None:
    if snapshot is not None:
        for array in snapshot.parameters.values():
            array.flags.writeable = False
    return snapshot


class _Child:
    """The training end: one thread reads what is said, the main thread works."""

    def __init__(self, said: IO[bytes], answers: IO[bytes]) -> None:
        self._said, self._answers = said, answers
        self._work: SimpleQueue[TrainingJob | TrainingPlan | str | None] = SimpleQueue()
        self._read = threading.Event()
        self._job: TrainingJob | None = None

    def serve(self) -> None:
        """Work off what is asked for until nobody asks any more."""
        threading.Thread(target=self._listen, daemon=True).start()
        while (asked := self._work.get()) is not None:
            if isinstance(asked, TrainingJob):
                self._train(asked)
            elif isinstance(asked, str):
                self._answer(_looked_at(asked))
            else:
                self._answer(_estimated(asked))

    def _train(self, job: TrainingJob) -> None:
        self._read.set()
        begun = False
        for report in job.reports():
            self._read.clear()
            # The model itself is said once: everything after it is only other weights.
            self._answer(replace(report, opened=None) if begun else report)
            begun = begun or report.opened is not None

    def _answer(self, content: object) -> None:
        with contextlib.suppress(OSError):  # nobody listens any more; the job is stopped by the other thread
            pickle.dump(content, self._answers, pickle.HIGHEST_PROTOCOL)
            self._answers.flush()

    def _listen(self) -> None:
        while True:
            try:
                word, content = pickle.load(self._said)
            except (EOFError, OSError, pickle.UnpicklingError):
                break
            if word == "train":
                plan, kept = content
                self._job = TrainingJob(plan, None if kept is None else KeptRun(kept), self._read.is_set)
                self._work.put(self._job)
            elif word in ("estimate", "look"):
                self._work.put(content)
            elif word == "read":
                self._read.set()
            elif self._job is not None:
                {"pause": self._job.pause, "resume": self._job.resume, "stop": self._job.stop}[word]()
        if self._job is not None:
            self._job.stop()
        self._work.put(None)


def _estimated(plan: TrainingPlan) -> float | None:
    try:
        return estimate_seconds(plan)
    except InputError:
        return None


def _looked_at(source: str) -> TrainingText | str:
    try:
        return TrainingText.outline(source)
    except InputError as error:
        return str(error)


def main() -> None:
    """Serve the window at the other end of standard input and output."""
    answers = os.fdopen(os.dup(sys.stdout.fileno()), "wb")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())  # what a library prints must not come between the messages
    if hasattr(os, "nice"):
        os.nice(NICENESS)
    _Child(sys.stdin.buffer, answers).serve()


if __name__ == "__main__":
    main()
