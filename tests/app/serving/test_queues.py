from concurrent.futures import Future

import pytest

from app.errors import Overloaded
from app.serving.queues import Job, Turns
from app.telemetry.counters import Tally


def job(pieces: int, weight: int = 1) -> Job:
    return Job([lambda: None] * pieces, weight, Future(), list)


def test_a_request_waits_for_as_long_as_those_before_it_take_by_their_pace() -> None:
    queue = Turns(most=10**9, seconds=2.0, work=Tally().bulk)
    queue.put(job(pieces=100))  # of a pace that nobody knows yet
    queue.jobs.clear()
    queue.learn(weight=4, seconds=2.0)
    queue.put(job(pieces=4))
    queue.put(job(pieces=1))  # two seconds and no more
    assert queue.waiting == 5
    with pytest.raises(Overloaded, match="5 images wait to be decoded; this server lets 4 wait"):
        queue.require_pace(4)
    queue.require_pace(2)  # two of the first, and the other


def test_a_single_piece_waits_for_a_piece_of_each_and_not_for_all_of_a_long_request() -> None:
    work = Tally().bulk
    queue = Turns(most=10**9, seconds=2.0, work=work)
    queue.learn(weight=1, seconds=1.0)
    queue.put(job(pieces=100))
    for _ in range(2):
        queue.require_pace(1)
        queue.put(job(pieces=1))
    with pytest.raises(Overloaded):
        queue.require_pace(1)
    assert work.refused == 1


def test_a_few_pieces_wait_for_as_many_of_a_long_request_and_no_more() -> None:
    queue = Turns(most=10**9, seconds=2.0, work=Tally().bulk)
    queue.learn(weight=1, seconds=1.0)
    queue.put(job(pieces=100))
    queue.require_pace(2)
    with pytest.raises(Overloaded, match="3 images wait"):
        queue.require_pace(3)


def test_only_who_asks_about_the_pace_is_refused_for_it() -> None:
    queue = Turns(most=10, seconds=1.0, work=Tally().bulk)
    queue.learn(weight=1, seconds=100.0)
    for _ in range(2):
        queue.put(job(pieces=5))
    with pytest.raises(Overloaded, match="10 images wait"):
        queue.put(job(pieces=1))


def test_the_pace_follows_what_pieces_take_now() -> None:
    queue = Turns(most=10**9, seconds=1.0, work=Tally().bulk)
    for seconds in [1.0] * 50 + [3.0] * 50:
        queue.learn(weight=2, seconds=seconds)
    assert queue.pace == pytest.approx(1.5, rel=0.01)


def test_who_has_left_keeps_nobody_out() -> None:
    queue = Turns(most=3, seconds=1.0, work=Tally().bulk)
    leaving = job(pieces=3)
    queue.put(leaving)
    with pytest.raises(Overloaded):
        queue.put(job(pieces=1))
    leaving.answer.set_result(None)
    queue.put(job(pieces=1))
    assert queue.waiting == 1
