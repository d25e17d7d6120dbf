import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from app.telemetry.counters import SECONDS, Counters, Histogram


@given(st.lists(st.one_of(st.floats(0, 40), st.sampled_from(SECONDS))))
def test_a_histogram_counts_the_values_up_to_each_bound(values: list[float]) -> None:
    histogram = Histogram(SECONDS)
    for value in values:
        histogram.add(value)
    up_to = [sum(value <= bound for value in values) for bound in SECONDS]
    assert np.cumsum(histogram.counts).tolist() == [*up_to, len(values)]
    assert np.isclose(histogram.sum, sum(values))


def test_counters_that_are_off_count_nothing() -> None:
    counters = Counters(on=False)
    counters.request("/", "GET", 200, 0.1)
    counters.frames.add(0.1)
    counters.small.add(8, 0.1)
    assert not counters.requests
    assert not counters.seconds
    assert sum(counters.frames.counts) + sum(counters.small.images.counts) == 0


def test_requests_are_counted_by_class_of_status() -> None:
    counters = Counters()
    for status in (200, 204, 304, 404, 500, 503):
        counters.request("/", "GET", status, 0.1)
    counters.request("/stream", "STREAM", 101, None)
    counted = {key[2]: count for key, count in counters.requests.items()}
    assert counted == {"1xx": 1, "2xx": 2, "3xx": 1, "4xx": 1, "5xx": 2}
    assert list(counters.seconds) == ["/"]
