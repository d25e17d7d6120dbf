from collections import deque
from concurrent.futures import Future

import pytest

from app.errors import Overloaded
from app.serving.queues import COLD, EARLY, LONGEST_PAUSE, FairQueue, Job, Pace, Place
from app.telemetry.counters import Counters


def job(pieces: int, unit: str = "image to encode", count: int = 1) -> Job:
    made = Job(deque([lambda: None] * pieces), 1, list, unit, count)
    made.waiter = Future()
    return made


def warm(max_seconds: float, **seconds: float) -> FairQueue:
    """Return a queue in which a piece of each unit takes so many seconds."""
    queue = FairQueue(max_seconds, Counters().bulk)
    for unit, took in (seconds or {"image to encode": 1.0}).items():
        queue.paces[unit] = Pace(cold=0)
        queue.paces[unit].learn(weight=1, seconds=took)
    return queue


def test_a_wait_is_estimated_from_the_pace_of_the_jobs_before() -> None:
    queue = FairQueue(2.0, Counters().bulk)
    queue.put(job(pieces=100))  # the pace is not known yet
    queue.require_room(100)
    queue.jobs.clear()
    queue.paces["image to encode"] = Pace(cold=0)
    queue.paces["image to encode"].learn(weight=4, seconds=2.0)
    queue.put(job(pieces=4))
    queue.put(job(pieces=1))  # two seconds and no more
    assert queue.waiting == 5
    with pytest.raises(Overloaded, match="2 seconds"):
        queue.require_room(4)
    queue.require_room(2)  # two of the first, and the other


def test_a_single_piece_waits_for_a_piece_of_each_and_not_for_all_of_a_long_request() -> None:
    queue = warm(max_seconds=2.0)
    queue.put(job(pieces=100))
    for _ in range(2):
        queue.require_room(1)
        queue.put(job(pieces=1))
    with pytest.raises(Overloaded):
        queue.require_room(1)
    assert queue.stats.refused == 1


def test_a_few_pieces_wait_for_as_many_of_a_long_request_and_no_more() -> None:
    queue = warm(max_seconds=2.0)
    queue.put(job(pieces=100))
    queue.require_room(2)
    with pytest.raises(Overloaded):
        queue.require_room(3)


def test_a_refusal_names_what_waits_in_its_own_unit_and_its_wait_and_the_bound() -> None:
    queue = warm(5.0, **{"image to encode": 1.0, "latent to decode": 0.5})
    queue.put(job(pieces=5, count=2000))
    queue.put(job(pieces=4, unit="latent to decode", count=250))
    with pytest.raises(Overloaded) as refusal:
        queue.require_room(8)
    said = refusal.value.detail
    assert said.startswith("2,000 images to encode and 250 latents to decode come before this")
    assert "some 7 seconds" in said
    assert "lets a request wait 5" in said


def refuse(queue: FairQueue, count: int) -> list[int]:
    """Return what so many clients are told by `Retry-After`."""
    found = []
    for _ in range(count):
        with pytest.raises(Overloaded) as refusal:
            queue.require_room(1)
        assert refusal.value.headers
        found.append(int(refusal.value.headers["Retry-After"]))
    return found


def test_who_is_refused_is_told_a_part_of_the_time_to_its_turn_behind_the_refused_before() -> None:
    queue = warm(5.0)
    for _ in range(6):
        queue.put(job(pieces=1))
    told = refuse(queue, 1000)
    for refused_before, pause in enumerate(told):
        about = min((6 + refused_before) / EARLY, LONGEST_PAUSE / 1.5)
        assert about / 2 <= pause <= about * 1.5 + 1
    assert max(told) <= LONGEST_PAUSE
    assert len(set(told[200:])) > 10, "they come together"


def test_who_came_again_is_counted_no_more_among_those_yet_to_come() -> None:
    queue = warm(5.0)
    for _ in range(6):
        queue.put(job(pieces=1))
    refuse(queue, 1000)
    queue.returns = [0.0 for _ in queue.returns]
    (told,) = refuse(queue, 1)
    assert told <= 6 / EARLY * 1.5


def test_a_place_that_is_kept_counts_for_others_and_is_its_jobs_own() -> None:
    queue = warm(max_seconds=2.0)
    with queue.kept(Place(3, 1, "image to encode", 24)) as place:
        with pytest.raises(Overloaded, match="24 images"):
            queue.put(job(pieces=3))
        own = job(pieces=3)
        own.place = place
        queue.put(own)
        assert (queue.waiting, queue.places) == (3, {})
    own.waiter.set_result(None)
    with pytest.raises(ValueError, match="no image"), queue.kept(place):
        raise ValueError("no image")
    queue.put(job(pieces=3))


def test_no_place_is_kept_for_who_would_wait_too_long() -> None:
    queue = warm(max_seconds=2.0)
    queue.put(job(pieces=3))
    with pytest.raises(Overloaded), queue.kept(Place(3, 1, "image to encode", 24)):
        pytest.fail("it was admitted")
    assert queue.places == {}


def test_work_of_one_kind_that_takes_long_says_nothing_of_another_kind() -> None:
    queue = warm(5.0, **{"image to encode": 0.001, "path to find": 4.0})
    queue.put(job(pieces=1, unit="path to find"))
    for _ in range(100):
        queue.put(job(pieces=8))
    queue.require_room(8)


def test_the_pace_follows_how_long_pieces_take_now() -> None:
    pace = Pace(cold=0)
    for seconds in [1.0] * 50 + [3.0] * 50:
        pace.learn(weight=2, seconds=seconds)
    assert pace.of(1) == pytest.approx(1.5, rel=0.01)


def test_the_cold_pieces_of_a_model_just_loaded_tell_nothing_of_the_pace() -> None:
    pace = Pace()
    for _ in range(COLD):
        pace.learn(weight=1, seconds=100.0)
        assert pace.of(100) == 0
    pace.learn(weight=1, seconds=0.01)
    assert pace.of(100) == pytest.approx(1.0)


def test_a_light_piece_that_takes_long_says_little_of_heavy_ones() -> None:
    pace = Pace(cold=0)
    for _ in range(50):
        pace.learn(weight=64, seconds=0.064)
    pace.learn(weight=1, seconds=0.064)
    assert pace.of(1) < 0.0012  # by the mean of the paces it would be 0.009


def test_a_job_whose_waiter_is_done_takes_no_room() -> None:
    queue = warm(max_seconds=2.0)
    leaving = job(pieces=3)
    queue.put(leaving)
    with pytest.raises(Overloaded):
        queue.put(job(pieces=3))
    leaving.waiter.set_result(None)
    queue.put(job(pieces=3))
    assert queue.waiting == 3
