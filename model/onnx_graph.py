"""A computation as an ONNX file, written byte by byte: a few messages in the format of Protobuf.

The packages that write such files take 40 MB and a fifth of a second of every start; the part of
the format that a decoder needs is on this page. See docs/adr/0014.

Source: onnx.proto (the numbers of fields and types), protobuf.dev/programming-guides/encoding.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence

import numpy as np

OPSET, IR_VERSION = 17, 8
"""Versions of the operators and of the file; the first to have `LayerNormalization`."""
DOMAIN = ""
"""ONNX's own operators."""
ELEMENT = {np.dtype(np.float32): 1, np.dtype(np.uint8): 2, np.dtype(np.int64): 7}
FLOAT, INT, INTS = 1, 2, 7
"""Kinds of attributes."""
VARINT, BYTES, FIXED32 = 0, 2, 5
"""How the content of a field is laid out."""

Attribute = int | float | Sequence[int]


class Graph:
    """Grows by an operation at a time, each given and giving the names of its tensors.

    Args:
        source: Name of the input, (N, `width`) float32.
        width: Its numbers a row.
    """

    def __init__(self, source: str, width: int) -> None:
        self.source, self._width = source, width
        self._nodes: list[bytes] = []
        self._initializers: list[bytes] = []

    def constant(self, array: np.ndarray) -> str:
        """Name an array: a weight or a number."""
        name = f"constant{len(self._initializers)}"
        dims = b"".join(_number(1, size) for size in array.shape)
        raw = np.ascontiguousarray(array).tobytes()
        kind = _number(2, ELEMENT[array.dtype])
        self._initializers.append(dims + kind + _text(8, name) + _field(9, raw))
        return name

    def scalar(self, value: float) -> str:
        """Name a single float32."""
        return self.constant(np.array(value, np.float32))

    def shape(self, *sizes: int) -> str:
        """Name sizes, axes and the like."""
        return self.constant(np.array(sizes, np.int64))

    def __call__(self, operator: str, *inputs: str, **attributes: Attribute) -> str:
        """Add an operation; gives the name of its first output."""
        output = f"{operator}{len(self._nodes)}"
        parts = [_text(1, name) for name in inputs]
        parts += [_text(2, output), _text(4, operator)]
        parts += [_field(5, _attribute(name, value)) for name, value in attributes.items()]
        self._nodes.append(b"".join(parts))
        return output

    def to_bytes(self, result: str, width: int, dtype: type[np.generic]) -> bytes:
        """The file of a model that answers the tensor `result`, (N, `width`) of `dtype`."""
        graph = [_field(1, node) for node in self._nodes]
        graph += [_text(2, "decoder"), *(_field(5, tensor) for tensor in self._initializers)]
        graph.append(_field(11, _tensor_info(self.source, self._width, np.float32)))
        graph.append(_field(12, _tensor_info(result, width, dtype)))
        opset = _text(1, DOMAIN) + _number(2, OPSET)
        return _number(1, IR_VERSION) + _field(7, b"".join(graph)) + _field(8, opset)


def _tensor_info(name: str, width: int, dtype: type[np.generic]) -> bytes:
    rows, columns = _text(2, "N"), _number(1, width)
    shape = _field(1, rows) + _field(1, columns)
    tensor = _number(1, ELEMENT[np.dtype(dtype)]) + _field(2, shape)
    return _text(1, name) + _field(2, _field(1, tensor))


def _attribute(name: str, value: Attribute) -> bytes:
    if isinstance(value, int):
        return _text(1, name) + _number(3, value) + _number(20, INT)
    if isinstance(value, float):
        return _text(1, name) + _key(2, FIXED32) + struct.pack("<f", value) + _number(20, FLOAT)
    return _text(1, name) + b"".join(_number(8, entry) for entry in value) + _number(20, INTS)


def _text(number: int, text: str) -> bytes:
    return _field(number, text.encode())


def _field(number: int, content: bytes) -> bytes:
    return _key(number, BYTES) + _varint(len(content)) + content


def _number(number: int, value: int) -> bytes:
    return _key(number, VARINT) + _varint(value % 2**64)  # negative ones as two's complement


def _key(number: int, wire: int) -> bytes:
    return _varint(number << 3 | wire)


def _varint(value: int) -> bytes:
    """Seven bits a byte, the lowest first; the eighth says that more follow."""
    content = bytearray()
    while value > 0x7F:
        content.append(value & 0x7F | 0x80)
        value >>= 7
    content.append(value)
    return bytes(content)
