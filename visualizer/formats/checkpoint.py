"""The state of a training run in a file, to go on from after it was stopped or killed."""

from __future__ import annotations

import hashlib
import json
import os
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from visualizer.engine.training import Trainer
from visualizer.errors import FormatError, InputError, TokenError, TrainingError
from visualizer.formats.checkpoint_run import ADAM, SETTINGS, DescribedRun, described_run
from visualizer.formats.npz import read_npz
from visualizer.formats.strict_json import parse_json
from visualizer.formats.writing import write_npz
from visualizer.tokenizers import Tokenizer

Array = NDArray[Any]

SUFFIX = ".checkpoint"
#: Bytes of a file's name, on the file systems that are in use.
LONGEST_NAME = 255
ARRAYS = ("parameters", "first", "second", "step", "losses")


def checkpoint_path(model_path: str | os.PathLike[str]) -> Path:
    """Where the checkpoint of a run that writes `model_path` stands: beside it, of its name where that leaves room."""
    folder, name = os.path.split(os.fspath(model_path))
    raw = os.fsencode(name)
    if len(raw) + len(SUFFIX) > LONGEST_NAME:
        digest = hashlib.sha256(raw).hexdigest()[:16]
        whole = raw[: LONGEST_NAME - len(SUFFIX) - len(digest) - 1].decode("utf-8", "ignore")
        name = f"{whole}-{digest}"
    return Path(folder, f"{name}{SUFFIX}")


def fingerprint(ids: Array) -> str:
    """A digest of a text of token ids, to tell whether a checkpoint belongs to it."""
    return hashlib.sha256(np.ascontiguousarray(ids, dtype="<i8").data).hexdigest()


def save_checkpoint(path: Path, trainer: Trainer, tokenizer: Tokenizer, digest: str, recipe: str = "") -> None:
    """Write the run's state, whole or not at all; `recipe` says how the run was begun.

    Raises:
        FormatError: the file cannot be written.
    """
    settings = trainer.settings
    about = {
        "config": trainer.config.to_dict(),
        "parameters": trainer.names,
        "tokenizer": tokenizer.to_dict(),
        "corpus": digest,
        "recipe": recipe,
        "settings": {key: getattr(settings, name) for key, name in SETTINGS.items()},
        "adam": {name: getattr(settings.optimizer, name) for name in ADAM},
    }
    text = np.frombuffer(json.dumps(about).encode(), dtype=np.uint8)
    write_npz(path, iter([("about", text), *trainer.state().items()]))


def load_checkpoint(
    path: Path,
    ids_of: Any,  # noqa: ANN401
    steps: int | None = None,
    lr: float | None = None,
) -> tuple[Trainer, Tokenizer, str]:
    """The trainer of a checkpoint, ready to go on; its tokenizer; and the digest of its text.

    Args:
        path: the checkpoint.
        ids_of: called with the tokenizer, gives the ids of the text.
        steps: how many steps in all; None for as many as the run was to make.
        lr: the highest learning rate from here on; None for that of the run.

    Raises:
        FormatError: the file cannot be read.
        TrainingError: it belongs to another text, or there is no training with so many steps or such a rate.
    """
    run, state = _described(path)
    tokenizer, settings = run.tokenizer, run.settings
    if steps is not None:
        settings = replace(settings, steps=steps)
    if lr is not None:
        settings = replace(settings, optimizer=replace(settings.optimizer, lr=lr))
    another = f"{str(path)!r} was made on another text; that one is needed, or a run without --resume"
    try:
        ids = ids_of(tokenizer)
    except TokenError as error:
        raise TrainingError(f"{another}: {error}") from error
    digest = fingerprint(ids)
    if digest != run.corpus:
        raise TrainingError(another)
    try:
        trainer = Trainer(run.config, ids, settings, run.blank)
        trainer.restore(state)
    except InputError as error:  # the text is the right one, so the file is wrong about the rest
        raise FormatError(f"{str(path)!r} is not a checkpoint of ours: {error}") from error
    return trainer, tokenizer, digest


def steps_kept(path: Path) -> tuple[int, int]:
    """How many steps of how many the run of a checkpoint has made.

    Raises:
        FormatError: the file cannot be read.
    """
    run, state = _described(path)
    return int(state["step"]), run.settings.steps


def read_recipe(path: Path) -> str:
    """How the run of a checkpoint was begun, or nothing.

    Raises:
        FormatError: the file cannot be read.
    """
    recipe = _read(path)[0].get("recipe")
    return recipe if isinstance(recipe, str) else ""


def _described(path: Path) -> tuple[DescribedRun, dict[str, Array]]:
    """The run that a checkpoint describes, checked, and its arrays."""
    about, state = _read(path)
    try:
        return described_run(about, state), state
    except InputError as error:
        raise FormatError(f"{str(path)!r} is not a checkpoint of ours: {error}") from error


def _read(path: Path) -> tuple[dict[str, Any], dict[str, Array]]:
    """The description and the arrays of a checkpoint; sizes are checked against the file before anything is made."""
    arrays = read_npz(path, ("about", *ARRAYS), "checkpoint")
    what = f"{str(path)!r}: the description"
    try:
        text = arrays.pop("about").tobytes().decode("utf-8")
    except UnicodeDecodeError as error:
        raise FormatError(f"{what} is not text") from error
    about = parse_json(text, what)
    if not isinstance(about, dict):
        raise FormatError(f"{what} is not a JSON object")
    return about, arrays
