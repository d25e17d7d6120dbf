import base64
import io
import math
from typing import Any

import httpx
import numpy as np
import pytest
from PIL import Image

from app.formats import png
from model.engine import Engine, LabelledImages
from tests.app.conftest import Refused

INTERPOLATE = "models/mnist-vae-2d/interpolate"


def body(**other: object) -> dict[str, object]:
    return {"start": {"latent": [-1, 0.5]}, "end": {"latent": [1, -0.5]}, "steps": 5, **other}


def read(content: bytes) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(content)))


def test_a_linear_path_goes_in_equal_steps_and_shows_each(
    api: httpx.Client, engine: Engine
) -> None:
    answer = api.post(INTERPOLATE, json=body()).json()
    assert answer["latents"] == [[-1, 0.5], [-0.5, 0.25], [0, 0], [0.5, -0.25], [1, -0.5]]
    assert answer["step_lengths"] == pytest.approx([math.hypot(0.5, 0.25)] * 4)
    assert (answer["model"], answer["path"]) == ("mnist-vae-2d", "linear")
    assert answer["metric"] == "euclidean"
    images = [read(base64.b64decode(image["png"])) for image in answer["images"]]
    assert (np.array(images) == engine.decode(np.array(answer["latents"], np.float32))).all()


def test_a_spherical_path_keeps_to_the_circle_of_its_ends(api: httpx.Client) -> None:
    ends = {"start": {"latent": [2, 0]}, "end": {"latent": [0, 2]}}
    answer = api.post(INTERPOLATE, json=body(path="spherical", **ends)).json()
    angles = [math.atan2(v, u) for u, v in answer["latents"]]
    assert angles == pytest.approx([i * math.pi / 8 for i in range(5)], abs=1e-6)
    assert [math.hypot(*latent) for latent in answer["latents"]] == pytest.approx([2] * 5)


@pytest.mark.slow
def test_a_geodesic_is_no_longer_than_the_straight_path_and_changes_evenly(
    api: httpx.Client, engine: Engine
) -> None:
    ends = {
        "start": {"latent": engine.codes[3].tolist()},
        "end": {"latent": engine.codes[5].tolist()},
    }
    answer = api.post(INTERPOLATE, json=body(path="geodesic", **ends, steps=64)).json()
    assert (answer["path"], answer["metric"]) == ("geodesic", "fisher-rao+density")
    assert len(answer["latents"]) == 64
    assert answer["latents"][0] == pytest.approx(engine.codes[3].tolist())
    assert answer["latents"][-1] == pytest.approx(engine.codes[5].tolist())
    assert 0 < sum(answer["step_lengths"]) <= answer["straight_length"]
    assert answer["step_lengths"] == pytest.approx([answer["step_lengths"][0]] * 63)
    straight = api.post(INTERPOLATE, json=body(path="linear", **ends, steps=64)).json()
    assert straight["straight_length"] is None
    assert sum(answer["seen_lengths"]) < sum(straight["seen_lengths"])
    assert max(answer["seen_lengths"]) < max(straight["seen_lengths"])


def test_the_seen_length_is_the_angle_between_the_roots_of_the_images(
    api: httpx.Client,
) -> None:
    answer = api.post(INTERPOLATE, json=body()).json()
    images = np.array([read(base64.b64decode(image["png"])) for image in answer["images"]])
    angles = 2 * np.arcsin(np.sqrt(images.reshape(5, -1) / 255))
    expected = np.linalg.norm(np.diff(angles, axis=0), axis=1)
    assert answer["seen_lengths"] == pytest.approx(expected.tolist(), rel=0.03)


def test_an_end_given_as_an_image_is_its_code(
    api: httpx.Client, engine: Engine, mnist: LabelledImages
) -> None:
    image = base64.b64encode(png.encode(mnist.images[7])).decode()
    answer = api.post(INTERPOLATE, json=body(end={"image": image})).json()
    assert answer["latents"][-1] == pytest.approx(engine.codes[7].tolist(), abs=1e-4)
    assert answer["latents"][0] == [-1, 0.5]


def test_a_path_as_png_is_a_strip_from_left_to_right(api: httpx.Client, engine: Engine) -> None:
    answer = api.post(INTERPOLATE, json=body(), headers={"accept": "image/png"})
    latents = np.linspace([-1, 0.5], [1, -0.5], 5, dtype=np.float32)
    assert (read(answer.content) == np.hstack(list(engine.decode(latents)))).all()


@pytest.mark.parametrize(("kind", "media_type"), [("GIF", "image/gif"), ("WEBP", "image/webp")])
def test_a_path_as_animation_plays_for_ever(
    api: httpx.Client, engine: Engine, kind: str, media_type: str
) -> None:
    answer = api.post(INTERPOLATE, json=body(), headers={"accept": media_type})
    assert answer.headers["content-type"] == media_type
    latents = np.linspace([-1, 0.5], [1, -0.5], 5, dtype=np.float32)
    with Image.open(io.BytesIO(answer.content)) as film:
        assert (film.format, film.n_frames, film.info["loop"]) == (kind, 5, 0)  # type: ignore[attr-defined]
        for index, image in enumerate(engine.decode(latents)):
            film.seek(index)
            assert (np.asarray(film.convert("L"))[::12, ::12] == image).all()


@pytest.mark.parametrize(("steps", "side"), [(100, 336), (101, 140)])
def test_a_long_animation_has_smaller_images(api: httpx.Client, steps: int, side: int) -> None:
    answer = api.post(INTERPOLATE, json=body(steps=steps), headers={"accept": "image/gif"})
    with Image.open(io.BytesIO(answer.content)) as film:
        assert film.size == (side, side)


def test_a_path_without_movement_is_an_animation_of_every_step(api: httpx.Client) -> None:
    still = body(end={"latent": [-1, 0.5]}, steps=4)
    answer = api.post(INTERPOLATE, json=still, headers={"accept": "image/gif"})
    assert answer.status_code == 200
    assert api.post(INTERPOLATE, json=still).json()["step_lengths"] == [0, 0, 0]


@pytest.mark.parametrize("steps", [2, 256])
def test_a_path_has_2_to_256_steps(api: httpx.Client, steps: int) -> None:
    answer = api.post(INTERPOLATE, json=body(steps=steps)).json()
    assert len(answer["latents"]) == len(answer["images"]) == steps
    assert len(answer["step_lengths"]) == steps - 1


@pytest.mark.parametrize(
    ("other", "pointer"),
    [
        ({"steps": 1}, "#/steps"),
        ({"steps": 257}, "#/steps"),
        ({"steps": 2.5}, "#/steps"),
        ({"steps": "5"}, "#/steps"),
        ({"path": "shortest"}, "#/path"),
        ({"start": {}}, "#/start"),
        ({"start": {"latent": [0, 0], "image": "x"}}, "#/start"),
        ({"start": {"latent": [0]}}, "#/start/latent"),
        ({"end": {"latent": [0, "0"]}}, "#/end/latent"),
        ({"end": {"latent": 3}}, "#/end/latent"),
        ({"end": {"image": "!"}}, "#/end/image"),
        ({"end": {"image": "QUJD"}}, "#/end/image"),
        ({"end": {"code": [0, 0]}}, "#/end/code"),
        ({"end": None}, "#/end"),
        ({"speed": 1}, "#/speed"),
    ],
)
def test_a_request_that_makes_no_path_is_refused_with_its_field(
    api: httpx.Client, refused: Refused, other: dict[str, object], pointer: str
) -> None:
    response = api.post(INTERPOLATE, json=body(**other))
    refused(response, 422)
    assert response.json()["errors"][0]["pointer"] == pointer


def test_forms_and_bodies_that_are_not_offered_are_refused(
    api: httpx.Client, refused: Refused
) -> None:
    refused(api.post(INTERPOLATE, json=body(), headers={"accept": "video/mp4"}), 406)
    refused(api.post(INTERPOLATE, content=b"x", headers={"content-type": "text/csv"}), 415)


@pytest.mark.parametrize("kind", ["linear", "geodesic"])
def test_a_path_comes_as_numpy_with_all_that_json_says(api: httpx.Client, kind: str) -> None:
    asked = body(path=kind)
    said = api.post(INTERPOLATE, json=asked).json()
    archive = api.post(INTERPOLATE, json=asked, headers={"Accept": "application/x-npz"}).content
    images = api.post(INTERPOLATE, json=asked, headers={"Accept": "application/x-npy"}).content
    with np.load(io.BytesIO(archive)) as found:
        lists = {name: found[name].tolist() for name in found if name != "images"}
        assert found["images"].shape == (5, 28, 28)
        assert (found["images"] == np.load(io.BytesIO(images))).all()
    kept = {name: value for name, value in said.items() if name != "images" and value is not None}
    assert lists == kept


@pytest.mark.slow
def test_without_the_density_a_geodesic_is_the_path_on_which_the_image_changes_least(
    api: httpx.Client,
) -> None:
    codes = api.get(
        "models/mnist-vae-2d/codes?count=2", headers={"Accept": "application/json"}
    ).json()["codes"]
    ends = {"start": {"latent": codes[0]}, "end": {"latent": codes[1]}, "steps": 64}

    def walked(**asked: object) -> dict[str, Any]:
        answer = api.post(INTERPOLATE, json={**ends, **asked}).raise_for_status()
        found: dict[str, Any] = answer.json()
        return found

    straight, both = walked(), walked(path="geodesic")
    seen = walked(path="geodesic", density=False)
    assert (both["metric"], seen["metric"]) == ("fisher-rao+density", "fisher-rao")
    least = sum(seen["seen_lengths"])
    assert least <= 1.001 * min(sum(straight["seen_lengths"]), sum(both["seen_lengths"]))
    assert sum(seen["step_lengths"]) == pytest.approx(least, rel=0.02)
