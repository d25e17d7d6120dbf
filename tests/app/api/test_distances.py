import httpx
import numpy as np
import pytest

from model.engine import Engine
from tests.app.conftest import Refused

DISTANCES = "models/mnist-vae-2d/distances"


@pytest.mark.slow
def test_distances_grow_from_the_latent_outwards_and_are_those_of_geodesics(
    api: httpx.Client, engine: Engine
) -> None:
    start = engine.codes[3]
    answer = api.get(DISTANCES, params={"z": ",".join(map(str, start.tolist()))}).json()
    found = np.array(answer["distances"])
    assert found.shape == (answer["cells"],) * 2
    centres = engine.planes[0].grid(answer["cells"])
    nearest = np.square(centres - start).sum(1).argmin()
    assert found.ravel()[nearest] == 0 == found.min()
    for index in (5, 40, 77):
        cell = np.square(centres - engine.codes[index]).sum(1).argmin()
        path = engine.interpolate(start, centres[cell].astype(np.float32), 2, "geodesic")
        assert found.ravel()[cell] == pytest.approx(path.step_lengths.sum(), rel=0.4, abs=5)


@pytest.mark.parametrize(
    ("model", "z", "status", "said"),
    [
        ("mnist-vae-2d", "90,0", 422, "outside"),
        ("mnist-vae-2d", "x", 422, "numbers"),
        ("mnist-vae-20d", ",".join(["0"] * 20), 404, "20 dimensions"),
        ("mnist-vqvae", "0,0", 409, "no latent space"),
    ],
)
def test_distances_that_cannot_be_measured_are_refused_with_the_reason(
    api: httpx.Client, refused: Refused, model: str, z: str, status: int, said: str
) -> None:
    assert said in refused(api.get(f"models/{model}/distances", params={"z": z}), status)
