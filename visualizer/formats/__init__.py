"""Where models come from: presets by name, files by path."""

from __future__ import annotations

import os
from pathlib import Path

from visualizer.errors import FormatError
from visualizer.formats.presets import PRESETS, OpenedModel, open_preset

__all__ = ["PRESETS", "OpenedModel", "open_model", "open_preset"]


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
    raise FormatError(f"{name!r} is no model that can be read; a preset ({', '.join(PRESETS)}) is needed")
