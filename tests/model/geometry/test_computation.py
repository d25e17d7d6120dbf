import pytest

from model.geometry.computation import Computation, Pieces, complete
from model.geometry.lru_cache import LruCache


def counting(last: int) -> Pieces[int]:
    for _ in range(last):
        yield
    return last


def test_the_last_call_returns_the_result_however_many_there_are() -> None:
    for most in (0, 3, 5, 9):
        *earlier, last = [call() for call in Computation(lambda: counting(5)).calls(most)]
        assert last == 5
        assert earlier == [None] * min(most, 5) + [5] * max(0, most - 5)


def test_all_pieces_at_once_give_the_same_result() -> None:
    assert complete(counting(4)) == 4


def test_a_result_of_none_ends_a_computation_too() -> None:
    def nothing() -> Pieces[None]:
        yield

    computation = Computation(nothing)
    assert [computation.advance() for _ in range(3)] == [None] * 3
    assert computation.is_done


def test_the_least_recently_used_value_makes_room() -> None:
    cache, made = LruCache[str, str](2), []

    def make(key: str) -> str:
        made.append(key)
        return key.upper()

    for key in ("a", "b", "a", "c", "a", "b"):
        assert cache.get(key, lambda key=key: make(key)) == key.upper()  # type: ignore[misc]
    assert made == ["a", "b", "c", "b"]


def test_a_value_that_could_not_be_made_is_not_kept() -> None:
    cache = LruCache[str, int](2)

    def fail() -> int:
        raise MemoryError

    with pytest.raises(MemoryError):
        cache.get("a", fail)
    assert cache.get("a", lambda: 3) == 3
