from collections import deque
from concurrent.futures import Future

import pytest

from app.errors import Overloaded
from app.serving.queues import COLD, FairQueue, Job
from app.telemetry.counters import Counters


def job(pieces: int) -> Job:
    made = Job(deque([lambda: None] * pieces), 1, list)
    made.waiter = Future()
    return made


def warm(max_seconds: float, max_images: int = 10**9) -> FairQueue:
    return FairQueue(max_images, max_seconds, Counters().bulk, cold=0)


def test_a_wait_is_estimated_from_the_pace_of_the_jobs_before() -> None:
    queue = warm(max_seconds=2.0)
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
    queue = warm(max_seconds=2.0)
    queue.learn(weight=1, seconds=1.0)
    queue.put(job(pieces=100))
    for _ in range(2):
        queue.require_pace(1)
        queue.put(job(pieces=1))
    with pytest.raises(Overloaded):
        queue.require_pace(1)
    assert queue.stats.refused == 1


def test_a_few_pieces_wait_for_as_many_of_a_long_request_and_no_more() -> None:
    queue = warm(max_seconds=2.0)
    queue.learn(weight=1, seconds=1.0)
    queue.put(job(pieces=100))
    queue.require_pace(2)
    with pytest.raises(Overloaded, match="3 images wait"):
        queue.require_pace(3)


def test_a_patient_job_is_refused_for_lack_of_room_alone() -> None:
    queue = warm(max_seconds=1.0, max_images=10)
    queue.learn(weight=1, seconds=100.0)
    for _ in range(2):
        queue.put(job(pieces=5))
    with pytest.raises(Overloaded, match="10 images wait"):
        queue.put(job(pieces=1))


def test_the_pace_follows_how_long_pieces_take_now() -> None:
    queue = warm(max_seconds=1.0)
    for seconds in [1.0] * 50 + [3.0] * 50:
        queue.learn(weight=2, seconds=seconds)
    assert queue.pace == pytest.approx(1.5, rel=0.01)


def test_the_cold_pieces_of_a_model_just_loaded_tell_nothing_of_the_pace() -> None:
    queue = FairQueue(max_images=10**9, max_seconds=1.0, stats=Counters().bulk)
    for _ in range(COLD):
        queue.learn(weight=1, seconds=100.0)
        queue.jobs.clear()
        queue.put(job(pieces=100))
        queue.require_pace(100)
    queue.learn(weight=1, seconds=0.01)
    queue.require_pace(100)
    queue.learn(weight=1, seconds=1.0)
    with pytest.raises(Overloaded):
        queue.require_pace(100)


def test_a_light_piece_that_takes_long_says_little_of_heavy_ones() -> None:
    queue = warm(max_seconds=1.0)
    for _ in range(50):
        queue.learn(weight=64, seconds=0.064)
    queue.learn(weight=1, seconds=0.064)
    assert queue.pace < 0.0012  # by the mean of the paces it would be 0.009


def test_a_job_whose_waiter_is_done_takes_no_room() -> None:
    queue = FairQueue(max_images=3, max_seconds=1.0, stats=Counters().bulk)
    leaving = job(pieces=3)
    queue.put(leaving)
    with pytest.raises(Overloaded):
        queue.put(job(pieces=1))
    leaving.waiter.set_result(None)
    queue.put(job(pieces=1))
    assert queue.waiting == 1
