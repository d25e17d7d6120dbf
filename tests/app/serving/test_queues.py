from collections import deque
from concurrent.futures import Future

import pytest

from app.errors import Overloaded
from app.serving.queues import FairQueue, Job
from app.telemetry.counters import Counters


def job(pieces: int) -> Job:
    made = Job(deque([lambda: None] * pieces), 1, list)
    made.waiter = Future()
    return made


def test_a_wait_is_estimated_from_the_pace_of_the_jobs_before() -> None:
    queue = FairQueue(max_images=10**9, max_seconds=2.0, stats=Counters().bulk)
    queue.put(job(pieces=100))  # the pace is not known yet
    queue.jobs.clear()
    queue.learn(weight=4, seconds=2.0)
    queue.put(job(pieces=4))
    queue.put(job(pieces=1))  # two seconds and no more
    assert queue.waiting == 5
    with pytest.raises(Overloaded, match="5 images wait to be decoded; this server lets 4 wait"):
        queue.require_pace(4)
    queue.require_pace(2)  # two of the first, and the other


def test_a_single_piece_waits_for_a_piece_of_each_and_not_for_all_of_a_long_request() -> None:
    stats = Counters().bulk
    queue = FairQueue(max_images=10**9, max_seconds=2.0, stats=stats)
    queue.learn(weight=1, seconds=1.0)
    queue.put(job(pieces=100))
    for _ in range(2):
        queue.require_pace(1)
        queue.put(job(pieces=1))
    with pytest.raises(Overloaded):
        queue.require_pace(1)
    assert stats.refused == 1


def test_a_few_pieces_wait_for_as_many_of_a_long_request_and_no_more() -> None:
    queue = FairQueue(max_images=10**9, max_seconds=2.0, stats=Counters().bulk)
    queue.learn(weight=1, seconds=1.0)
    queue.put(job(pieces=100))
    queue.require_pace(2)
    with pytest.raises(Overloaded, match="3 images wait"):
        queue.require_pace(3)


def test_a_patient_job_is_refused_for_lack_of_room_alone() -> None:
    queue = FairQueue(max_images=10, max_seconds=1.0, stats=Counters().bulk)
    queue.learn(weight=1, seconds=100.0)
    for _ in range(2):
        queue.put(job(pieces=5))
    with pytest.raises(Overloaded, match="10 images wait"):
        queue.put(job(pieces=1))


def test_the_pace_follows_how_long_pieces_take_now() -> None:
    queue = FairQueue(max_images=10**9, max_seconds=1.0, stats=Counters().bulk)
    for seconds in [1.0] * 50 + [3.0] * 50:
        queue.learn(weight=2, seconds=seconds)
    assert queue.pace == pytest.approx(1.5, rel=0.01)


def test_a_job_whose_waiter_is_done_takes_no_room() -> None:
    queue = FairQueue(max_images=3, max_seconds=1.0, stats=Counters().bulk)
    leaving = job(pieces=3)
    queue.put(leaving)
    with pytest.raises(Overloaded):
        queue.put(job(pieces=1))
    leaving.waiter.set_result(None)
    queue.put(job(pieces=1))
    assert queue.waiting == 1
