"""Where models come from: presets and shipped models by name, files by path."""

from __future__ import annotations

import os
import stat
from dataclasses import replace
from pathlib import Path

from visualizer.errors import FormatError
from visualizer.formats.presets import PRESETS, OpenedModel, open_preset
from visualizer.formats.safetensors import load_safetensors, save_safetensors
from visualizer.resources import resource

__all__ = [
    "NAMES",
    "PRESETS",
    "SHIPPED",
    "OpenedModel",
    "load_safetensors",
    "open_model",
    "open_preset",
    "save_safetensors",
]

#: The trained models that come with the program, each a file in resources/models.
SHIPPED = ("induction", "sort", "reverse", "rhymes")
#: Every model that is opened by its name.
NAMES = (*PRESETS, *SHIPPED)


def open_model(source: str | os.PathLike[str], dtype: str | None = None) -> OpenedModel:
    """The model that `source` names: a preset (`aab`, `ab`, `aaab`), a shipped model (`induction`, …) or a path.

    Raises:
        FormatError: there is nothing of that name, or it cannot be read as a model.
    """
    name = os.fspath(source)
    if name in PRESETS:
        return open_preset(name, dtype or "float32")
    if name in SHIPPED:
        return replace(load_safetensors(resource(f"models/{name}.safetensors"), dtype), origin=name)
    known = f"a preset ({', '.join(PRESETS)}), a shipped model ({', '.join(SHIPPED)})"
    missing = FormatError(f"{name!r} is neither {known} nor a file")
    if not name:
        raise missing
    try:
        mode = Path(name).stat().st_mode
    except (OSError, ValueError) as error:  # ValueError: a name with a null character
        raise missing from error
    if not stat.S_ISREG(mode):  # a pipe would have us wait for whoever writes into it
        what = "a folder" if stat.S_ISDIR(mode) else "a device or a pipe"
        raise FormatError(f"{name!r} is {what}; {known} or a .safetensors file is needed")
    return load_safetensors(name, dtype)
