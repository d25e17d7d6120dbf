"""A computation in pieces of milliseconds, so that a server can decode for others in between."""

from __future__ import annotations

from collections.abc import Callable, Generator
from typing import Generic, TypeVar

T = TypeVar("T")
Pieces = Generator[None, None, T]
"""Yields after each piece and returns the result."""


class Computation(Generic[T]):
    """A result that is computed piece by piece; it can be left after any piece and resumed later.

    Args:
        begin: Return the pieces from the first. It is called again after a piece has failed.
    """

    def __init__(self, begin: Callable[[], Pieces[T]]) -> None:
        self._begin, self._pieces = begin, begin()
        self._result: T | None = None
        self.is_done = False

    def advance(self) -> T | None:
        """Do one more piece. Return the result once it is complete, and None before that."""
        if not self.is_done:
            try:
                next(self._pieces)
            except StopIteration as end:
                self._result, self.is_done = end.value, True
            except Exception:
                self._pieces = self._begin()
                raise
        return self._result

    def finish(self) -> T | None:
        """Do all pieces that are left and return the result."""
        while not self.is_done:
            self.advance()
        return self._result

    def calls(self, most: int) -> list[Callable[[], T | None]]:
        """Return what to call in order, the last of which returns the result.

        Args:
            most: How many pieces there are at most; a call beyond the last does nothing.
        """
        return [*[self.advance] * most, self.finish]


def complete(pieces: Pieces[T]) -> T:
    """Do all pieces at once and return the result."""
    while True:
        try:
            next(pieces)
        except StopIteration as end:
            result: T = end.value
            return result
