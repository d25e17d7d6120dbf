"""A computation as an ONNX file, which is a few messages in Protobuf's format.

The packages that write such files take 40 MB and a fifth of a second at every start. The part of
the format that a network needs is in this file. See docs/adr/0014.

Source: onnx.proto (the numbers of fields and types), protobuf.dev/programming-guides/encoding.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np

OPSET, IR_VERSION = 17, 8
"""Versions of the operators and of the file; 17 is the first with `LayerNormalization`."""
DOMAIN = ""
"""ONNX's own operators."""
ELEMENT = {np.dtype(np.float32): 1, np.dtype(np.uint8): 2, np.dtype(np.int64): 7}
FLOAT, INT, INTS = 1, 2, 7
"""Kinds of attributes."""
EXTERNAL = 1
"""Location of an array's numbers: outside the file."""
VARINT, BYTES, FIXED32 = 0, 2, 5
"""Encodings of a field's content."""

Attribute = int | float | Sequence[int]


class Port(NamedTuple):
    """An input or output tensor of shape (N, *sizes); a size with a name may be any number."""

    tensor: str
    sizes: tuple[int | str, ...]
    dtype: type[np.generic] = np.float32


class Graph:
    """A graph of operations on named tensors, built one operation at a time.

    Args:
        whole: Whether large arrays lie in the file too.
        sources: Names of the inputs, each (N, width) or (N, *sizes) float32, and their sizes.

    Attributes:
        weights: Arrays outside the file, by name.
    """

    def __init__(self, *, whole: bool = False, **sources: int | tuple[int, ...]) -> None:
        self.weights: dict[str, np.ndarray] = {}
        self._whole = whole
        self._sources = [
            Port(name, (sizes,) if isinstance(sizes, int) else sizes)
            for name, sizes in sources.items()
        ]
        self._nodes: list[bytes] = []
        self._initializers: list[bytes] = []

    def constant(self, array: np.ndarray) -> str:
        """Add a small array; return its name."""
        return self._initializer(array, _field(9, np.ascontiguousarray(array).tobytes()))

    def weight(self, array: np.ndarray) -> str:
        """Add a large array, which stays outside the file unless it is whole; return its name."""
        if self._whole:
            return self.constant(array)
        location = _text(1, "location") + _text(2, "memory")
        name = self._initializer(array, _field(13, location) + _number(14, EXTERNAL))
        self.weights[name] = np.ascontiguousarray(array)
        return name

    def _initializer(self, array: np.ndarray, content: bytes) -> str:
        name = f"constant{len(self._initializers)}"
        dims = b"".join(_number(1, size) for size in array.shape)
        self._initializers.append(
            dims + _number(2, ELEMENT[array.dtype]) + _text(8, name) + content
        )
        return name

    def scalar(self, value: float) -> str:
        """Add a single float32; return its name."""
        return self.constant(np.array(value, np.float32))

    def index(self, place: int) -> str:
        """Add a single index; return its name."""
        return self.constant(np.array(place, np.int64))

    def shape(self, *sizes: int) -> str:
        """Add sizes, axes or the like; return their name."""
        return self.constant(np.array(sizes, np.int64))

    def __call__(self, operator: str, *inputs: str, **attributes: Attribute) -> str:
        """Add an operation; return the name of its first output."""
        return self._add(operator, f"{operator}{len(self._nodes)}", inputs, attributes)

    def named(self, tensor: str, name: str) -> str:
        """Give a tensor another name, by which a file's readers know it."""
        return self._add("Identity", name, (tensor,), {})

    def _add(
        self,
        operator: str,
        output: str,
        inputs: Sequence[str],
        attributes: Mapping[str, Attribute],
    ) -> str:
        parts = [_text(1, name) for name in inputs]
        parts += [_text(2, output), _text(4, operator)]
        parts += [_field(5, _attribute(name, value)) for name, value in attributes.items()]
        self._nodes.append(b"".join(parts))
        return output

    def to_bytes(self, *outputs: Port) -> bytes:
        """Return the file of a model with these outputs."""
        graph = [_field(1, node) for node in self._nodes]
        graph += [_text(2, "network"), *(_field(5, tensor) for tensor in self._initializers)]
        graph += [_field(11, _tensor_info(source)) for source in self._sources]
        graph += [_field(12, _tensor_info(output)) for output in outputs]
        opset = _text(1, DOMAIN) + _number(2, OPSET)
        return _number(1, IR_VERSION) + _field(7, b"".join(graph)) + _field(8, opset)


def _tensor_info(tensor: Port) -> bytes:
    sizes = (f"rows of {tensor.tensor}", *tensor.sizes)
    dims = [_text(2, size) if isinstance(size, str) else _number(1, size) for size in sizes]
    shape = b"".join(_field(1, dim) for dim in dims)
    kind = _number(1, ELEMENT[np.dtype(tensor.dtype)]) + _field(2, shape)
    return _text(1, tensor.tensor) + _field(2, _field(1, kind))


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
    """Encode seven bits in each byte, the lowest first; the eighth bit says that more follow."""
    content = bytearray()
    while value > 0x7F:
        content.append(value & 0x7F | 0x80)
        value >>= 7
    content.append(value)
    return bytes(content)
