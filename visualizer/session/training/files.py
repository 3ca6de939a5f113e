"""The run that the window is at, kept in a folder so that a killed window loses little of it."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from visualizer.engine.training import Trainer
from visualizer.errors import FormatError
from visualizer.formats.checkpoint import load_checkpoint, save_checkpoint
from visualizer.formats.writing import write_whole
from visualizer.session.training.plan import TrainingText
from visualizer.session.training.prepare import token_ids
from visualizer.tokenizers import Tokenizer

ABOUT, TEXT, STATE = "training.json", "training.txt", "training.checkpoint"


@dataclass(frozen=True)
class AboutRun:
    """What is kept, in short: the text's name, and how many steps of how many are done."""

    name: str
    step: int
    steps: int


class KeptRun:
    """One run in a folder: its text, its state, and a few words about it. A new run takes the place of the old.

    Attributes:
        folder: where; it is made when there is something to keep.
        text: the text of the run at hand; empty before `begin` or `load`.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.text = ""
        self._name, self._digest = "", ""
        self._written = False

    def about(self) -> AboutRun | None:
        """What there is to go on with; None where there is nothing, or nothing that can be read."""
        if not all((self.folder / name).is_file() for name in (ABOUT, TEXT, STATE)):
            return None
        try:
            found = json.loads((self.folder / ABOUT).read_text(encoding="utf-8"))
            return AboutRun(str(found["name"]), int(found["step"]), int(found["steps"]))
        except (OSError, ValueError, KeyError, TypeError):
            return None

    def begin(self, text: TrainingText, digest: str) -> None:
        """A new run is at hand; nothing is written before its first `save`."""
        self.text, self._name, self._digest = text.text, text.name, digest
        self._written = False

    def save(self, trainer: Trainer, tokenizer: Tokenizer) -> None:
        """Write the state of the run at hand, and its text where that is not there yet.

        Raises:
            FormatError: it cannot be written.
        """
        if not self._written:
            self.forget()
            try:
                self.folder.mkdir(parents=True, exist_ok=True)
            except OSError as error:
                raise FormatError(f"cannot make the folder {str(self.folder)!r}: {error.strerror}") from error
            self._write(TEXT, self.text)
            self._written = True
        save_checkpoint(self.folder / STATE, trainer, tokenizer, self._digest)
        about = {"name": self._name, "step": trainer.step, "steps": trainer.settings.steps}
        self._write(ABOUT, json.dumps(about))

    def load(self) -> tuple[Trainer, Tokenizer, str]:
        """The trainer of the kept run, ready to go on; its tokenizer; and the name of its text.

        Raises:
            FormatError, TrainingError: what is kept cannot be read.
        """
        about = self.about()
        if about is None:
            raise FormatError(f"there is no training run in {str(self.folder)!r} to go on with")
        try:
            text = (self.folder / TEXT).read_bytes().decode("utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise FormatError(f"cannot read {str(self.folder / TEXT)!r}: {error}") from error
        trainer, tokenizer, digest = load_checkpoint(self.folder / STATE, lambda t: token_ids(t, text))
        self.text, self._name, self._digest = text, about.name, digest
        self._written = True
        return trainer, tokenizer, about.name

    def forget(self) -> None:
        """Remove what is kept."""
        for name in (ABOUT, STATE, TEXT):
            try:
                (self.folder / name).unlink(missing_ok=True)
            except OSError as error:
                raise FormatError(f"cannot remove {str(self.folder / name)!r}: {error.strerror}") from error

    def _write(self, name: str, text: str) -> None:
        data = text.encode("utf-8")

        def write(file: IO[bytes]) -> None:
            file.write(data)

        write_whole(self.folder / name, write)
