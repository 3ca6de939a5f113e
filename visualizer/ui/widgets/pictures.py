"""Pictures as the bytes of a file."""

from __future__ import annotations

from PySide6.QtCore import QBuffer, QByteArray, QIODevice
from PySide6.QtGui import QImage, QImageWriter

from visualizer.errors import FormatError


def png_bytes(image: QImage) -> bytes:
    """The picture as a PNG file.

    Raises:
        FormatError: it is too large to be encoded, or empty.
    """
    data = QByteArray()
    buffer = QBuffer(data)
    buffer.open(QIODevice.OpenModeFlag.WriteOnly)
    writer = QImageWriter(buffer, QByteArray(b"png"))
    if not writer.write(image):
        raise FormatError(f"a picture of {image.width()} × {image.height()} cannot be PNG: {writer.errorString()}")
    return bytes(data.data())
