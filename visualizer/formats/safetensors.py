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

from visualizer.engine.model import Model
from visualizer.engine.parameters import parameter_shapes
from visualizer.errors import FormatError, InputError, short_repr
from visualizer.formats.description import Description
from visualizer.formats.presets import OpenedModel
from visualizer.formats.strict_json import TableReader
from visualizer.formats.writing import write_whole

Array = NDArray[Any]

FORMAT = "attention-visualizer"
VERSION = 1
MAX_HEADER_BYTES = 48 * 2**20
MAX_TENSORS, MAX_AXES = 100_000, 8
MAX_NOTES = 1000
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
            if size < 8 or not 2 <= length <= size - 8:
                raise FormatError(f"{where!r} is not a .safetensors file: its header's length does not fit the file")
            if length > MAX_HEADER_BYTES:
                raise FormatError(f"{where!r} has a header of {length} bytes; at most {MAX_HEADER_BYTES} are read")
            raw = file.read(length)
    except OSError as error:
        raise FormatError(f"cannot read {where!r}: {error.strerror}") from error
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError as error:
        raise FormatError(f"{where!r} is not a .safetensors file: its header is not JSON") from error
    tensors, metadata = _read_table(where, text, 8 + length, size)
    _refuse_overlaps(where, tensors)
    return Header(tensors, metadata)


def _read_table(where: str, text: str, body: int, size: int) -> tuple[dict[str, TensorEntry], dict[str, str]]:
    """Tensors and metadata of a header, entry by entry."""
    if text.count('"data_offsets"') > MAX_TENSORS:  # the reader counts too, but makes what comes before
        raise FormatError(f"{where!r}: the header lists more than {MAX_TENSORS} entries; no more are read")
    reader = TableReader(text, f"{where!r}: the header")
    tensors: dict[str, TensorEntry] = {}
    metadata: dict[str, str] = {}
    for name in reader.names(MAX_TENSORS + 1):
        if name == "__metadata__":
            metadata = {note: reader.string() for note in reader.names(MAX_NOTES)}
        else:
            tensors[name] = _entry(where, name, reader.entry(), body, size)
    reader.end()
    return tensors, metadata


def _entry(where: str, name: str, entry: dict[str, Any], body: int, size: int) -> TensorEntry:
    if not _is_entry(entry):
        raise FormatError(f"{where!r}: the header's entry for {name[:60]!r} is malformed")
    dtype, shape, offsets = entry["dtype"], entry["shape"], entry["data_offsets"]
    if dtype not in DTYPES:
        raise FormatError(f"{where!r}: {name[:60]!r} is stored as {short_repr(dtype)}; {', '.join(DTYPES)} can be read")
    start, stop = offsets[0] + body, offsets[1] + body
    if start > stop or stop > size or stop - start != math.prod(shape) * np.dtype(DTYPES[dtype]).itemsize:
        raise FormatError(f"{where!r}: {name[:60]!r} does not fit the file; it may be cut off")
    return TensorEntry(dtype, tuple(shape), start, stop)


def _is_entry(entry: dict[str, Any]) -> bool:
    """Whether what the header says of a tensor has the form that the format asks for."""
    if set(entry) != {"dtype", "shape", "data_offsets"} or not isinstance(entry["dtype"], str):
        return False
    shape, offsets = entry["shape"], entry["data_offsets"]
    if not isinstance(shape, list) or not isinstance(offsets, list) or len(shape) > MAX_AXES or len(offsets) != 2:
        return False
    return all(type(number) is int and 0 <= number < 2**63 for number in (*shape, *offsets))


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
        return _opened(path, header, Description.read(header.metadata.get("model", ""), dtype))
    except InputError as error:  # what the file says of the model does not hold together
        raise FormatError(f"{where!r}: {error}") from error


def _opened(path: str | os.PathLike[str], header: Header, about: Description) -> OpenedModel:
    """The model that a file's description and header speak of."""
    config = about.config
    if config.n_layers > len(header.tensors):  # before anything is made for each of them
        raise FormatError(f"the file holds {len(header.tensors)} tensors, too few for {config.n_layers} blocks")
    shapes = parameter_shapes(config)
    for name, entry in header.tensors.items():
        if shapes.get(name) != entry.shape:
            wanted = f"{list(shapes[name])} is needed" if name in shapes else "the configuration has no such parameter"
            raise FormatError(f"{name[:60]!r} has the shape {list(entry.shape)}; {wanted}")
    model = Model(config, _read_arrays(path, header), about.tokenizer)
    return OpenedModel(model, Path(path).stem, str(path), about.pattern, about.dimension_names, about.prompt)


def _read_arrays(path: str | os.PathLike[str], header: Header) -> dict[str, Array]:
    try:
        with Path(path).open("rb") as file:
            return {name: read_tensor(file, entry) for name, entry in header.tensors.items()}
    except (OSError, ValueError) as error:  # ValueError: it has become shorter since its header was read
        reason = error.strerror if isinstance(error, OSError) else "it was changed meanwhile"
        raise FormatError(f"cannot read its numbers: {reason}") from error


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
