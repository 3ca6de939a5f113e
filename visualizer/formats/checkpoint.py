"""The state of a training run in a file, to go on from after it was stopped or killed."""

from __future__ import annotations

import hashlib
import json
import os
import zipfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from visualizer.engine.adam import AdamSettings
from visualizer.engine.config import ModelConfig
from visualizer.engine.parameters import parameter_shapes
from visualizer.engine.training import Trainer, TrainingSettings
from visualizer.errors import FormatError, TrainingError
from visualizer.formats.writing import write_npz
from visualizer.tokenizers import Tokenizer, tokenizer_from_dict

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
        "settings": {key: getattr(settings, name) for key, name in _SETTINGS.items()},
        "adam": {name: getattr(settings.optimizer, name) for name in _ADAM},
    }
    text = np.frombuffer(json.dumps(about).encode(), dtype=np.uint8)
    write_npz(path, iter([("about", text), *trainer.state().items()]))


#: The words of the file, which stay so that older checkpoints can be read, and the settings that they hold.
_SETTINGS = {
    "steps": "steps",
    "batch": "batch",
    "seed": "seed",
    "validation": "validation_fraction",
    "evaluate_every": "evaluate_every",
    "evaluation_windows": "evaluation_windows",
    "begin_after": "begin_after",
}
_ADAM = ("lr", "betas", "eps", "weight_decay", "grad_clip", "warmup", "min_lr")


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
    about, state = _read(path)
    try:
        tokenizer = tokenizer_from_dict(about["tokenizer"])
        config = ModelConfig.from_dict(about["config"])
        adam = AdamSettings(**{**about["adam"], "betas": tuple(about["adam"]["betas"])})
        given = {_SETTINGS[key]: value for key, value in {**about["settings"]}.items()}
        settings = TrainingSettings(**{**given, "optimizer": adam})
        shapes = parameter_shapes(config)
        blank = {name: np.zeros(shapes[name]) for name in about["parameters"]}  # a model may have no biases
    except (KeyError, TypeError, ValueError) as error:
        raise FormatError(f"{str(path)!r} is no checkpoint of ours: {error}") from error
    if steps is not None:
        settings = replace(settings, steps=steps)
    if lr is not None:
        settings = replace(settings, optimizer=replace(settings.optimizer, lr=lr))
    ids = ids_of(tokenizer)
    digest = fingerprint(ids)
    if digest != about.get("corpus"):
        raise TrainingError(f"{str(path)!r} was made on another text; that one is needed, or a run without --resume")
    trainer = Trainer(config, ids, settings, blank)
    trainer.restore(state)
    return trainer, tokenizer, digest


def steps_kept(path: Path) -> tuple[int, int]:
    """How many steps of how many the run of a checkpoint has made.

    Raises:
        FormatError: the file cannot be read.
    """
    about, state = _read(path)
    try:
        return int(state["step"]), int(about["settings"]["steps"])
    except (KeyError, TypeError, ValueError, OverflowError) as error:
        raise FormatError(f"{str(path)!r} is no checkpoint of ours: {error}") from error


def read_recipe(path: Path) -> str:
    """How the run of a checkpoint was begun, or nothing.

    Raises:
        FormatError: the file cannot be read.
    """
    recipe = _read(path)[0].get("recipe")
    return recipe if isinstance(recipe, str) else ""


def _read(path: Path) -> tuple[dict[str, Any], dict[str, Array]]:
    """The description and the arrays of a checkpoint; sizes are checked against the file before anything is made."""
    try:
        size = path.stat().st_size
        with zipfile.ZipFile(path) as archive:
            wanted = {f"{name}.npy" for name in ("about", *ARRAYS)}
            members = {info.filename: info for info in archive.infolist()}
            if set(members) != wanted or any(
                info.compress_type != zipfile.ZIP_STORED or info.file_size > size for info in members.values()
            ):
                raise FormatError(f"{str(path)!r} is no checkpoint of ours")
            arrays = {name: _member(archive, members[f"{name}.npy"], path) for name in ("about", *ARRAYS)}
        about = json.loads(arrays.pop("about").tobytes())
    except OSError as error:
        raise FormatError(f"cannot read {str(path)!r}: {error.strerror or error}") from error
    except (zipfile.BadZipFile, ValueError, EOFError, RecursionError) as error:
        raise FormatError(f"{str(path)!r} is no checkpoint of ours: {error}") from error
    if not isinstance(about, dict):
        raise FormatError(f"{str(path)!r} is no checkpoint of ours")
    return about, arrays


def _member(archive: zipfile.ZipFile, info: zipfile.ZipInfo, path: Path) -> Array:
    with archive.open(info) as file:
        version = np.lib.format.read_magic(file)
        read = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
        shape, _, dtype = read(file)
        if dtype.hasobject or int(np.prod(shape, dtype=object)) * dtype.itemsize > info.file_size:
            raise FormatError(f"{str(path)!r} declares more numbers than it holds")
    with archive.open(info) as file:
        return np.lib.format.read_array(file, allow_pickle=False)
