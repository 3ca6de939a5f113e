"""Arrays from an .npz of ours: a zip file of plain members, each checked against the file before anything is made."""

from __future__ import annotations

import math
import re
import struct
import zipfile
from collections.abc import Collection
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from visualizer.errors import FormatError

Array = NDArray[Any]

#: What an .npy file of ours begins with: magic, version 1.0, the header's length, and the header as NumPy writes it.
_MAGIC = b"\x93NUMPY\x01\x00"
_HEADER = re.compile(
    rb"\{'descr': '([<|][fiu][1248])', 'fortran_order': False, 'shape': \(((?:\d{1,18}, ?)*\d{0,18})\), \} *\n"
)
MAX_AXES = 8
#: The end of a zip file without a comment, and how much a member may take in the list of members before it.
_END = struct.Struct("<4sHHHHIIH")
_LISTED = 1024


def read_npz(path: Path, names: Collection[str], what: str) -> dict[str, Array]:
    """The arrays of an .npz file that holds exactly `names`, neither compressed nor encrypted; `what` it should be.

    Raises:
        FormatError: the file cannot be read, is cut off, or holds anything else.
    """
    try:
        size = path.stat().st_size
        with path.open("rb") as file:
            _check_end(file.read(size) if size < _END.size else _last(file, size), len(names))
            with zipfile.ZipFile(file) as archive:
                members = {info.filename: info for info in archive.infolist()}
                if set(members) != {f"{name}.npy" for name in names} or len(archive.infolist()) != len(names):
                    raise ValueError("it holds other parts")
                for info in members.values():
                    if info.compress_type != zipfile.ZIP_STORED or info.flag_bits & 1 or info.file_size > size:
                        raise ValueError("a part is compressed, encrypted or larger than the file")
                return {name: _array(archive.read(members[f"{name}.npy"])) for name in names}
    except OSError as error:
        raise FormatError(f"cannot read {str(path)!r}: {error.strerror or error}") from error
    except (zipfile.BadZipFile, ValueError, EOFError, RuntimeError, OverflowError, struct.error) as error:
        raise FormatError(f"{str(path)!r} is not a {what} of ours: {error}") from error


def _last(file: Any, size: int) -> bytes:  # noqa: ANN401
    file.seek(size - _END.size)
    return bytes(file.read(_END.size))


def _check_end(raw: bytes, count: int) -> None:
    """Refuse a file whose list of members is longer than that many need: it would be read as a whole."""
    if len(raw) != _END.size:
        raise ValueError("it is cut off")
    sign, _, _, _, members, listed, _, comment = _END.unpack(raw)
    if sign != b"PK\x05\x06" or comment or members != count or listed > count * _LISTED:
        raise ValueError("it is cut off, or no such zip file")


def _array(data: bytes) -> Array:
    """The array of one .npy file, read-only. Raises ValueError where it is not of the form that is written."""
    start = len(_MAGIC) + 2
    body = start + int.from_bytes(data[len(_MAGIC) : start], "little")
    header = _HEADER.fullmatch(data[start:body])
    if not data.startswith(_MAGIC) or header is None:
        raise ValueError("a part is not an array of numbers")
    shape = tuple(int(part) for part in header[2].replace(b" ", b"").split(b",") if part)
    try:
        dtype = np.dtype(header[1].decode())
    except TypeError as error:  # a float of one byte
        raise ValueError("a part is not an array of numbers") from error
    if len(shape) > MAX_AXES or math.prod(shape) * dtype.itemsize != len(data) - body:
        raise ValueError("a part declares more or fewer numbers than it holds")
    return np.frombuffer(data, dtype, offset=body).reshape(shape)
