"""A latent is answered, and anything else that is sent as one is refused with 422."""

import json
import math
from fractions import Fraction

import httpx
from hypothesis import example, given
from hypothesis import strategies as st

from tests.app.conftest import Refused

MODEL = "models/mnist-vae-2d"
SUBNORMAL, HUGE = 5e-324, 10**400

edges = st.sampled_from(
    [0.0, -0.0, SUBNORMAL, 1e-45, 1e-38, 1e4, -1e4, 1e300, HUGE, math.nan, math.inf, -math.inf]
)
numbers = edges | st.floats(-9000, 9000) | st.floats() | st.integers(-8000, 8000) | st.integers()
no_numbers = st.sampled_from([True, False, None, "", "0", "NaN", [], [0.0], {}, {"0": 0}])
pairs = st.lists(numbers, min_size=2, max_size=2)
latents = pairs | st.lists(numbers | no_numbers, max_size=4) | no_numbers | numbers


def is_latent(value: object) -> bool:
    """Return whether a value is two finite numbers of a length up to 10,000, without rounding."""
    if not isinstance(value, list) or len(value) != 2:
        return False
    if not all(type(number) in (int, float) and is_finite(number) for number in value):
        return False
    return sum(Fraction(number) ** 2 for number in value) <= 10**8


def is_finite(number: float) -> bool:
    return isinstance(number, int) or math.isfinite(number)


def post(api: httpx.Client, action: str, body: object) -> httpx.Response:
    headers = {"content-type": "application/json"}
    return api.post(f"{MODEL}/{action}", content=json.dumps(body), headers=headers)


@given(latent=latents)
@example([1e4, 0.0])
@example([math.nextafter(1e4, 2e4), 0.0])
@example([SUBNORMAL, -SUBNORMAL])
@example([HUGE, 0])
def test_anything_but_a_latent_is_refused_by_decode(
    api: httpx.Client, refused: Refused, latent: object
) -> None:
    answer = post(api, "decode", {"latents": [[0, 0], latent]})
    if is_latent(latent):
        assert answer.status_code == 200, answer.text
        assert len(answer.json()["images"]) == 2
    else:
        assert "latents[1]" in refused(answer, 422)


@given(latent=latents, path=st.sampled_from(["linear", "spherical", "geodesic"]))
@example([1e4, 0.0], "geodesic")
@example([-1e4, 0.0], "spherical")
@example([SUBNORMAL, 0.0], "spherical")
@example([0.0, -0.0], "geodesic")
def test_anything_but_a_latent_is_refused_as_an_end_of_a_path(
    api: httpx.Client, refused: Refused, latent: object, path: str
) -> None:
    for ends in ({"start": latent, "end": [0.5, 0]}, {"start": [1, -1], "end": latent}):
        body = {name: {"latent": end} for name, end in ends.items()}
        answer = post(api, "interpolate", {**body, "steps": 3, "path": path})
        if is_latent(latent):
            assert answer.status_code == 200, answer.text
            assert len(answer.json()["latents"]) == 3
        else:
            refused(answer, 422)


@given(latent=pairs | st.lists(numbers, max_size=4))
@example([1e4, 0.0])
@example([HUGE, 0])
def test_anything_but_a_latent_is_refused_in_a_query(
    api: httpx.Client, refused: Refused, latent: list[float]
) -> None:
    query = {"z": ",".join(map(str, latent))}
    picture = api.get(f"{MODEL}/decode.png", params={**query, "size": 28})
    near = api.get(f"{MODEL}/neighbours", params={**query, "k": 3})
    far = api.get(f"{MODEL}/distances", params=query)
    if is_latent(latent):
        assert picture.status_code == near.status_code == 200, picture.text + near.text
        assert len(near.json()["neighbours"]) == 3
        assert far.status_code == 200 or "outside" in refused(far, 422)
    else:
        for answer in (picture, near, far):
            refused(answer, 422)
