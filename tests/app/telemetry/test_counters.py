import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from app.telemetry.counters import SECONDS, Histogram, Tally


@given(st.lists(st.one_of(st.floats(0, 40), st.sampled_from(SECONDS))))
def test_a_histogram_counts_what_lies_up_to_each_bound(values: list[float]) -> None:
    histogram = Histogram(SECONDS)
    for value in values:
        histogram.add(value)
    up_to = [sum(value <= bound for value in values) for bound in SECONDS]
    assert np.cumsum(histogram.counts).tolist() == [*up_to, len(values)]
    assert np.isclose(histogram.sum, sum(values))


def test_a_tally_that_is_off_counts_nothing() -> None:
    tally = Tally(on=False)
    tally.request("/", "GET", 200, 0.1)
    tally.frames.add(0.1)
    tally.small.add(8, 0.1)
    assert not tally.requests
    assert not tally.seconds
    assert sum(tally.frames.counts) + sum(tally.small.images.counts) == 0


def test_requests_are_counted_by_class_of_status() -> None:
    tally = Tally()
    for status in (200, 204, 304, 404, 500, 503):
        tally.request("/", "GET", status, 0.1)
    tally.request("/stream", "STREAM", 101, None)
    counted = {key[2]: count for key, count in tally.requests.items()}
    assert counted == {"1xx": 1, "2xx": 2, "3xx": 1, "4xx": 1, "5xx": 2}
    assert list(tally.seconds) == ["/"]
