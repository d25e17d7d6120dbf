"""Reading messages in Protobuf's format, without knowing what their fields mean.

What `onnx_graph` writes, read back; of files that others have written, so every byte is doubted.

Source: protobuf.dev/programming-guides/encoding.
"""

from __future__ import annotations

from collections import defaultdict

VARINT, FIXED64, BYTES, FIXED32 = 0, 1, 2, 5
"""Encodings of a field's content; two others are long out of use."""
MOST_FIELDS = 200_000
"""Of a file, that are looked at: a fifth of a second's work. Large networks have a tenth of it."""
LONGEST_VARINT = 10

Value = int | memoryview


class Reader:
    """Reads the messages of one file."""

    def __init__(self) -> None:
        self._left = MOST_FIELDS

    def fields(self, content: memoryview) -> Message:
        """Return the fields of a message.

        Raises:
            ValueError: The content is no message, or the file has more fields than are looked at.
        """
        found: dict[int, list[Value]] = defaultdict(list)
        place = 0
        while place < len(content):
            self._left -= 1
            if self._left < 0:
                raise ValueError(f"it has more than {MOST_FIELDS:,} fields")
            key, place = _varint(content, place)
            number, wire = key >> 3, key & 7
            if wire == VARINT:
                value, place = _varint(content, place)
                found[number].append(value)
                continue
            if wire == BYTES:
                size, place = _varint(content, place)
            elif wire in (FIXED32, FIXED64):
                size = 4 if wire == FIXED32 else 8
            else:
                raise ValueError(f"it has a field of the unknown kind {wire}")
            if size > len(content) - place:
                raise ValueError("it ends in the middle of a field")
            found[number].append(content[place : place + size])
            place += size
        return Message(found)


class Message:
    """The fields of a message by their numbers."""

    def __init__(self, fields: dict[int, list[Value]]) -> None:
        self._fields = fields

    def __contains__(self, number: int) -> bool:
        return number in self._fields

    def every(self, number: int) -> list[memoryview]:
        """Return the contents of a field that may be there any number of times.

        Raises:
            ValueError: One of them is a number.
        """
        found = self._fields.get(number, [])
        parts = [value for value in found if isinstance(value, memoryview)]
        if len(parts) < len(found):
            raise ValueError(f"its field {number} has a number for a content")
        return parts

    def one(self, number: int) -> memoryview | None:
        """Return the content of a field, or None if it is not there.

        Raises:
            ValueError: It is there more than once, where readers differ in what that means.
        """
        parts = self.every(number)
        if len(parts) > 1:
            raise ValueError(f"its field {number} is there {len(parts)} times")
        return parts[0] if parts else None

    def text(self, number: int) -> str:
        """Return the text of a field, empty if it is not there; raise ValueError."""
        return bytes(self.one(number) or b"").decode(errors="replace")

    def texts(self, number: int) -> list[str]:
        """Return the texts of a field that may be there any number of times; raise ValueError."""
        return [bytes(part).decode(errors="replace") for part in self.every(number)]

    def number(self, number: int) -> int | None:
        """Return the whole number of a field, or None if it is not there; raise ValueError."""
        found = self._fields.get(number, [])
        if len(found) > 1 or isinstance(value := found[0] if found else 0, memoryview):
            raise ValueError(f"its field {number} is no single number")
        return value if found else None


def _varint(content: memoryview, place: int) -> tuple[int, int]:
    """Return a number of seven bits a byte, the lowest first, and the place after it."""
    value = 0
    for n, byte in enumerate(content[place : place + LONGEST_VARINT]):
        value |= (byte & 0x7F) << 7 * n
        if byte < 0x80:
            return value, place + n + 1
    raise ValueError("it ends in the middle of a number, or has a number that is too long")
