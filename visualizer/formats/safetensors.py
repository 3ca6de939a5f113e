"""Models as .safetensors: the arrays, with configuration and tokenizer in the metadata, so that one file is enough.

The container is the published one (8 bytes with the header's length, a JSON header, then the numbers), read here
with every size checked against the file before anything is allocated: a stranger's file can be wrong, not harmful.
"""

from __future__ import annotations

import json
import math
import os
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from visualizer.engine.config import ModelConfig
from visualizer.engine.model import Model
from visualizer.engine.parameters import parameter_shapes
from visualizer.errors import FormatError, InputError
from visualizer.formats.presets import OpenedModel
from visualizer.formats.writing import write_whole
from visualizer.tokenizers import tokenizer_from_dict

Array = NDArray[Any]

FORMAT = "attention-visualizer"
VERSION = 1
MAX_HEADER_BYTES = 100_000_000
MAX_TENSORS = 100_000
DTYPES = {"F64": "<f8", "F32": "<f4", "F16": "<f2", "BF16": "<u2"}


@dataclass(frozen=True)
class TensorEntry:
    """Where one tensor stands in a file: dtype as the header says it, shape, first byte and the byte after the last."""

    dtype: str
    shape: tuple[int, ...]
    start: int
    stop: int


@dataclass(frozen=True)
class Header:
    """What a file says about itself, checked against its size."""

    tensors: dict[str, TensorEntry]
    metadata: dict[str, str]


def read_header(path: str | os.PathLike[str]) -> Header:
    """The header of a .safetensors file.

    Raises:
        FormatError: the file is cut off, contradicts itself or holds what the format does not allow.
    """
    where = str(path)
    try:
        size = Path(path).stat().st_size
        with Path(path).open("rb") as file:
            length = int.from_bytes(file.read(8), "little")
            if size < 8 or not 2 <= length <= min(size - 8, MAX_HEADER_BYTES):
                raise FormatError(f"{where!r} is no .safetensors file: its header's length does not fit the file")
            raw = file.read(length)
    except OSError as error:
        raise FormatError(f"cannot read {where!r}: {error.strerror}") from error
    try:
        header = json.loads(raw.decode("utf-8"), object_pairs_hook=lambda pairs: _distinct(pairs, where))
    except (UnicodeDecodeError, json.JSONDecodeError, RecursionError) as error:
        raise FormatError(f"{where!r} is no .safetensors file: its header is not JSON") from error
    if not isinstance(header, dict):
        raise FormatError(f"{where!r}: the header is not a JSON object")
    metadata = header.pop("__metadata__", {})
    if not isinstance(metadata, dict) or not all(isinstance(value, str) for value in metadata.values()):
        raise FormatError(f"{where!r}: the metadata is not a table of texts")
    if len(header) > MAX_TENSORS:
        raise FormatError(f"{where!r} lists {len(header)} tensors; at most {MAX_TENSORS} are read")
    body = 8 + length
    tensors = {name: _entry(where, name, entry, body, size) for name, entry in header.items()}
    _refuse_overlaps(where, tensors)
    return Header(tensors, metadata)


def _distinct(pairs: list[tuple[str, Any]], where: str) -> dict[str, Any]:
    table = dict(pairs)
    if len(table) != len(pairs):
        raise FormatError(f"{where!r}: a name stands twice in the header")
    return table


def _entry(where: str, name: str, entry: object, body: int, size: int) -> TensorEntry:
    wrong = FormatError(f"{where!r}: the header's entry for {name[:60]!r} is malformed")
    if not isinstance(entry, dict) or set(entry) != {"dtype", "shape", "data_offsets"}:
        raise wrong
    dtype, shape, offsets = entry["dtype"], entry["shape"], entry["data_offsets"]
    numbers = [*shape, *offsets] if isinstance(shape, list) and isinstance(offsets, list) else [None]
    if not all(type(number) is int and number >= 0 for number in numbers) or len(offsets) != 2:
        raise wrong
    if dtype not in DTYPES:
        raise FormatError(f"{where!r}: {name[:60]!r} is stored as {dtype!r}; {', '.join(DTYPES)} can be read")
    start, stop = offsets[0] + body, offsets[1] + body
    if start > stop or stop > size or stop - start != math.prod(shape) * np.dtype(DTYPES[dtype]).itemsize:
        raise FormatError(f"{where!r}: {name[:60]!r} does not fit the file; it may be cut off")
    return TensorEntry(dtype, tuple(shape), start, stop)


def _refuse_overlaps(where: str, tensors: dict[str, TensorEntry]) -> None:
    end = 0
    for entry in sorted(tensors.values(), key=lambda entry: entry.start):
        if entry.start < end:
            raise FormatError(f"{where!r}: two tensors share bytes of the file")
        end = max(end, entry.stop)


def read_tensor(file: IO[bytes], entry: TensorEntry) -> Array:
    """The numbers of one tensor; half precisions become float32."""
    file.seek(entry.start)
    data = np.fromfile(file, dtype=DTYPES[entry.dtype], count=math.prod(entry.shape)).reshape(entry.shape)
    if entry.dtype == "BF16":
        return (data.astype(np.uint32) << 16).view(np.float32)
    return data.astype(np.float32) if entry.dtype == "F16" else data


def load_safetensors(path: str | os.PathLike[str], dtype: str | None = None) -> OpenedModel:
    """The model in a file that `save_safetensors` wrote.

    Raises:
        FormatError: the file is damaged, is not one of ours, or what it says of the model does not hold together.
    """
    where = str(path)
    header = read_header(path)
    if header.metadata.get("format") != FORMAT:
        raise FormatError(
            f"{where!r} holds tensors but no configuration of ours; a file written by `visualizer` is needed"
        )
    if header.metadata.get("version") != str(VERSION):
        raise FormatError(f"{where!r} is of version {header.metadata.get('version')!r}; version {VERSION} is read")
    try:
        return _opened(path, header, _about(where, header.metadata), dtype)
    except FormatError:
        raise
    except InputError as error:  # what the file says of the model does not hold together
        raise FormatError(f"{where!r}: {error}") from error


def _opened(path: str | os.PathLike[str], header: Header, about: dict[str, Any], dtype: str | None) -> OpenedModel:
    """The model that a file's description and header speak of."""
    where = str(path)
    config = ModelConfig.from_dict({**about["config"], **({"dtype": dtype} if dtype else {})})
    if config.n_layers > len(header.tensors):  # before anything is made for each of them
        raise FormatError(f"{where!r} holds {len(header.tensors)} tensors, too few for {config.n_layers} blocks")
    shapes = parameter_shapes(config)
    for name, entry in header.tensors.items():
        if shapes.get(name) != entry.shape:
            wanted = f"{list(shapes[name])} is needed" if name in shapes else "the configuration has no such parameter"
            raise FormatError(f"{where!r}: {name[:60]!r} has the shape {list(entry.shape)}; {wanted}")
    with Path(path).open("rb") as file:
        arrays = {name: read_tensor(file, entry) for name, entry in header.tensors.items()}
    tokenizer = None if about["tokenizer"] is None else tokenizer_from_dict(about["tokenizer"])
    if tokenizer is not None and tokenizer.vocabulary_size != config.d_vocab:
        raise FormatError(
            f"{where!r}: the tokenizer has {tokenizer.vocabulary_size} tokens, the model {config.d_vocab}"
        )
    names = about.get("dimension_names")
    if names is not None and not (len(names) == config.d_model and all(isinstance(name, str) for name in names)):
        raise FormatError(f"{where!r}: the names of the dimensions are not {config.d_model} texts")
    model = Model(config, arrays, tokenizer)
    pattern, prompt = (about[name] if isinstance(about.get(name), str) else None for name in ("pattern", "prompt"))
    return OpenedModel(model, Path(path).stem, where, pattern, tuple(names) if names else None, prompt)


def _about(where: str, metadata: dict[str, str]) -> dict[str, Any]:
    try:
        about = json.loads(metadata.get("model", ""))
    except (json.JSONDecodeError, RecursionError) as error:
        raise FormatError(f"{where!r}: the model's description in the metadata is not JSON") from error
    names = about.get("dimension_names") if isinstance(about, dict) else None
    if (
        not isinstance(about, dict)
        or not isinstance(about.get("config"), dict)
        or not isinstance(about.get("tokenizer"), dict | None)
        or not isinstance(names, list | None)
    ):
        raise FormatError(f"{where!r}: the model's description in the metadata is incomplete")
    return about


def save_safetensors(opened: OpenedModel, path: str | os.PathLike[str], notes: dict[str, str] | None = None) -> None:
    """Write a model with its configuration and tokenizer, whole or not at all.

    `notes` are texts that go into the metadata beside it, such as the recipe it was trained by.

    Raises:
        FormatError: the file cannot be written.
    """
    model = opened.model
    about = {
        "config": model.config.to_dict(),
        "tokenizer": None if model.tokenizer is None else model.tokenizer.to_dict(),
        "pattern": opened.pattern,
        "prompt": opened.prompt,
        "dimension_names": opened.dimension_names,
    }
    metadata = {"format": FORMAT, "version": str(VERSION), "model": json.dumps(about, ensure_ascii=True)}
    code = {"float32": "F32", "float64": "F64"}[model.config.dtype]
    header: dict[str, Any] = {"__metadata__": {**(notes or {}), **metadata}}
    offset = 0
    for name, array in model.parameters.items():
        header[name] = {"dtype": code, "shape": list(array.shape), "data_offsets": [offset, offset + array.nbytes]}
        offset += array.nbytes
    raw = json.dumps(header).encode()
    raw += b" " * (-len(raw) % 8)

    def write(file: IO[bytes]) -> None:
        file.write(len(raw).to_bytes(8, "little") + raw)
        for array in model.parameters.values():
            file.write(np.ascontiguousarray(array, dtype=DTYPES[code]).data)

    write_whole(path, write)
