"""Where models come from: presets by name, files by path."""

from __future__ import annotations

import os
from pathlib import Path

from visualizer.errors import FormatError
from visualizer.formats.presets import PRESETS, OpenedModel, open_preset
from visualizer.formats.safetensors import load_safetensors, save_safetensors

__all__ = ["PRESETS", "OpenedModel", "load_safetensors", "open_model", "open_preset", "save_safetensors"]


def open_model(source: str | os.PathLike[str], dtype: str | None = None) -> OpenedModel:
    """The model that `source` names: a preset (`aab`, `ab`, `aaab`) or a path.

    Raises:
        FormatError: there is nothing of that name, or it cannot be read as a model.
    """
    name = os.fspath(source)
    if name in PRESETS:
        return open_preset(name, dtype or "float32")
    if not Path(name).exists():
        raise FormatError(f"{name!r} is neither a preset ({', '.join(PRESETS)}) nor a file")
    if Path(name).is_dir():
        raise FormatError(f"{name!r} is a folder; a preset ({', '.join(PRESETS)}) or a .safetensors file is needed")
    return load_safetensors(name, dtype)
