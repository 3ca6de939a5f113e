"""A run of the window, kept in a folder so that a killed window loses little of it."""

from __future__ import annotations

import json
import os
import time
import weakref
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from visualizer.engine.checked import require_whole
from visualizer.engine.training import Trainer
from visualizer.errors import FormatError, InputError, TrainingError
from visualizer.formats.checkpoint import load_checkpoint, save_checkpoint
from visualizer.formats.locks import try_lock
from visualizer.formats.strict_json import parse_json
from visualizer.formats.writing import write_whole
from visualizer.session.training.plan import TrainingText
from visualizer.session.training.prepare import token_ids
from visualizer.tokenizers import Tokenizer

ABOUT, TEXT, STATE, LOCK = "training.json", "training.txt", "training.checkpoint", "training.lock"
#: What is damaged keeps its name with this behind it.
ASIDE = ".damaged"
#: More bytes than a few words about a run take.
LONGEST_ABOUT = 10_000
#: Whoever only looks whether a folder is in use holds its lock for a moment: so often and long one tries again.
TRIES, BETWEEN = 20, 0.02


@dataclass(frozen=True)
class AboutRun:
    """What is kept, in short: the text's name, and how many steps of how many are done."""

    name: str
    step: int
    steps: int

    @classmethod
    def read(cls, text: str, where: str) -> AboutRun:
        """What was written beside a run. Raises FormatError for anything else."""
        found = parse_json(text, where)
        if not isinstance(found, dict) or not isinstance(found.get("name"), str):
            raise FormatError(f"{where} does not name the text of a run")
        try:
            require_whole("step", found.get("step"), 0)
            require_whole("steps", found.get("steps"), 1)
        except TrainingError as error:
            raise FormatError(f"{where}: {error}") from error
        return cls(found["name"], found["step"], found["steps"])


class KeptRun:
    """One run in a folder: its text, its state, and a few words about it.

    Whoever saves or loads it holds the folder until `release`, or its process ends: no other process writes there.

    Attributes:
        folder: where; it is made when there is something to keep.
        text: the text of the run at hand; empty before `begin` or `load`.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.text = ""
        self._name, self._digest = "", ""
        self._written = False
        self._lock: weakref.finalize[..., KeptRun] | None = None

    def about(self) -> AboutRun | None:
        """What there is to go on with; None where there is nothing, or nothing that can be read."""
        try:
            return self._about()
        except FormatError:
            return None

    def _about(self) -> AboutRun | None:
        """As `about`. Raises FormatError where it cannot be read."""
        if not all((self.folder / name).is_file() for name in (ABOUT, TEXT, STATE)):
            return None
        try:
            text = (self.folder / ABOUT).read_bytes()[: LONGEST_ABOUT + 1].decode("utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise FormatError(f"cannot read {str(self.folder / ABOUT)!r}: {error}") from error
        return AboutRun.read(text, repr(str(self.folder / ABOUT)))

    def set_aside(self) -> str:
        """Give what cannot be read other names, so that it is neither offered nor removed; says so, or nothing."""
        try:
            self._about()
            return ""
        except FormatError as error:
            damage = str(error)
        try:
            self.hold()
            for name in (ABOUT, TEXT, STATE):
                (self.folder / name).replace(self.folder / f"{name}{ASIDE}")
        except (OSError, FormatError):
            return f"A kept run cannot be read: {damage}."
        finally:
            self.release()
        return f"A kept run cannot be read and was set aside there under names that end in {ASIDE}: {damage}."

    def begin(self, text: TrainingText, digest: str) -> None:
        """A new run is at hand; nothing is written before its first `save`."""
        self.text, self._name, self._digest = text.text, text.name, digest
        self._written = False

    def save(self, trainer: Trainer, tokenizer: Tokenizer) -> None:
        """Write the state of the run at hand, and its text where that is not there yet.

        Raises:
            FormatError: it cannot be written, or another process is at the folder.
        """
        if not self._written:
            self.hold()
            self._remove(ABOUT, STATE, TEXT)
            self._write(TEXT, self.text)
            self._written = True
        save_checkpoint(self.folder / STATE, trainer, tokenizer, self._digest)
        about = {"name": self._name, "step": trainer.step, "steps": trainer.settings.steps}
        self._write(ABOUT, json.dumps(about))

    def load(self) -> tuple[Trainer, Tokenizer, str]:
        """The trainer of the kept run, ready to go on; its tokenizer; and the name of its text.

        Raises:
            FormatError, TrainingError: what is kept cannot be read, or another process is at it.
        """
        if self.about() is None:
            raise FormatError(f"there is no training run in {str(self.folder)!r} to go on with")
        self.hold()
        try:
            return self._load()
        except InputError:
            self.release()
            raise

    def _load(self) -> tuple[Trainer, Tokenizer, str]:
        about = self.about()
        if about is None:
            raise FormatError(f"the training run in {str(self.folder)!r} was removed")
        try:
            text = (self.folder / TEXT).read_bytes().decode("utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise FormatError(f"cannot read {str(self.folder / TEXT)!r}: {error}") from error
        trainer, tokenizer, digest = load_checkpoint(self.folder / STATE, lambda t: token_ids(t, text))
        self.text, self._name, self._digest = text, about.name, digest
        self._written = True
        return trainer, tokenizer, about.name

    def forget(self) -> None:
        """Remove what is kept. Raises FormatError where it cannot be removed, or another process is at it."""
        if self.folder.is_dir():
            self.hold()
            self._remove(ABOUT, STATE, TEXT)
            self.release()
            self._remove(LOCK)

    @property
    def busy(self) -> bool:
        """Whether a living process, this one included, is at the folder."""
        try:
            descriptor = os.open(self.folder / LOCK, os.O_RDWR)
        except OSError:
            return False
        try:
            return not try_lock(descriptor)
        except OSError:
            return False
        finally:
            os.close(descriptor)

    def hold(self) -> None:
        """Let no other process save, load or forget here.

        Raises:
            FormatError: another is at it, or the folder cannot be made.
        """
        if self._lock is not None:
            return
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            descriptor = os.open(self.folder / LOCK, os.O_RDWR | os.O_CREAT, 0o666)
        except OSError as error:
            raise FormatError(f"cannot use the folder {str(self.folder)!r}: {error.strerror}") from error
        lock = weakref.finalize(self, os.close, descriptor)
        if _locked(descriptor):
            self._lock = lock
            return
        lock()
        raise FormatError(f"another window is training the run in {str(self.folder)!r}")

    def release(self) -> None:
        """Let others at the folder again."""
        if self._lock is not None:
            self._lock()
            self._lock = None

    def _remove(self, *names: str) -> None:
        for name in names:
            try:
                (self.folder / name).unlink(missing_ok=True)
            except OSError as error:
                raise FormatError(f"cannot remove {str(self.folder / name)!r}: {error.strerror}") from error

    def _write(self, name: str, text: str) -> None:
        data = text.encode("utf-8")

        def write(file: IO[bytes]) -> None:
            file.write(data)

        write_whole(self.folder / name, write)


def _locked(descriptor: int) -> bool:
    """Lock an open file, or let it be where there are no locks; False where another keeps it."""
    for _ in range(TRIES):
        try:
            if try_lock(descriptor):
                return True
        except OSError:  # without locks, whoever has two windows has to see to it
            return True
        time.sleep(BETWEEN)
    return False
