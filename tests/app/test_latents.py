import numpy as np
import pytest

from app.errors import InvalidRequest
from app.latents import read_latents
from model.engine import Engine


def test_rows_of_numbers_become_float32_latents_in_their_order(engine: Engine) -> None:
    latents = read_latents([[0, 1.5], [-2.0, 3]], engine.card)
    assert latents.dtype == np.float32
    assert latents.tolist() == [[0, 1.5], [-2, 3]]


@pytest.mark.parametrize(
    ("row", "fault"),
    [
        ([1.0] * 20, "has 20 numbers; mnist-vae-2d takes 2"),
        ([], "has 0 numbers"),
        ([float("nan"), 0], "holds NaN"),
        ([float("inf"), 0], "has the length inf; at most 10000"),
        ([0, -10_001], "has the length 10001; at most 10000"),
        ([9000, 9000], "at most 10000"),
        ([10**400, 0], "has the length inf"),
        (["1", "2"], "is not a list of numbers"),
        ([True, False], "is not a list of numbers"),
        ([None, 0], "is not a list of numbers"),
        ([[1, 2], 0], "is not a list of numbers"),
        ("12", "is not a list of numbers"),
        ({"0": 1, "1": 2}, "is not a list of numbers"),
        (7, "is not a list of numbers"),
    ],
)
def test_a_row_that_is_no_latent_is_named_with_its_fault(
    engine: Engine, row: object, fault: str
) -> None:
    with pytest.raises(InvalidRequest) as refusal:
        read_latents([[0, 0], row], engine.card)
    assert refusal.value.detail.startswith("latents[1] ")
    assert fault in refusal.value.detail
    assert refusal.value.detail.endswith("See GET /api/v1/models/mnist-vae-2d")
    assert refusal.value.errors == [{"pointer": "#/latents/1", "detail": refusal.value.detail}]


def test_the_length_of_a_latent_counts_up_to_its_limit(engine: Engine) -> None:
    assert read_latents([[10_000, 0], [-6000, 8000]], engine.card).shape == (2, 2)
