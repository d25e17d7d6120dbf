"""The second source is the files of the checkpoint, read with json and NumPy alone."""

import base64
import io
import json

import httpx
import numpy as np
import pytest
from PIL import Image

from app.settings import ROOT, Settings
from tests.app.live_server import serving


@pytest.mark.parametrize(
    ("model", "teacher"),
    [
        ("mnist-vae-2d", "mnist-vae-2d-best"),
        ("mnist-vae-20d", None),
        ("mnist-stacked-denoising-ae-2d", None),
    ],
)
def test_a_history_holds_what_the_checkpoint_and_its_teachers_hold(
    api: httpx.Client, model: str, teacher: str | None
) -> None:
    folder = ROOT / "checkpoints" / model
    written = []
    for name in filter(None, (teacher, model)):
        card = json.loads((ROOT / "checkpoints" / name / "card.json").read_text())
        written += card["training"]["history"]
    answer = api.get(f"models/{model}/history").json()
    assert (answer["model"], answer["dataset"]) == (model, "mnist")
    assert [epoch["epoch"] for epoch in answer["epochs"]] == list(range(1, len(written) + 1))
    for epoch, entry in zip(answer["epochs"], written, strict=True):
        told = {**epoch, **epoch["more"]}
        known = {name: value for name, value in entry.items() if name not in ("epoch", "seconds")}
        assert {name: told[name] for name in known} == known
        assert [name for name in ("kl", "elbo") if epoch[name] is None] == [
            name for name in ("kl", "elbo") if name not in entry
        ]

    with np.load(folder / "atlas.npz") as atlas:
        arrays = {name: atlas[f"moments.{name}"] for name in ("epoch", "codes", "origin", "grid")}
    assert [moment["epoch"] for moment in answer["moments"]] == arrays["epoch"].tolist()
    assert answer["moments"][-1]["epoch"] == answer["epochs"][-1]["epoch"]
    for moment, codes, origin, grid in zip(
        answer["moments"], arrays["codes"], arrays["origin"], arrays["grid"], strict=True
    ):
        assert moment["count"] == 2000
        points = np.frombuffer(base64.b64decode(moment["codes"]), "<f4").reshape(2000, -1)
        np.testing.assert_array_equal(points, codes)
        assert moment["origin"] == origin.tolist()
        sheet = np.asarray(Image.open(io.BytesIO(base64.b64decode(moment["grid"]["png"]))))
        assert sheet.shape == (12 * 28, 12 * 28)
        for row, column in ((0, 0), (0, 11), (7, 2)):
            cell = sheet[28 * row : 28 * row + 28, 28 * column : 28 * column + 28]
            np.testing.assert_array_equal(cell, grid[row, column])


def test_projected_codes_are_coordinates_on_the_moments_own_plane(api: httpx.Client) -> None:
    whole = api.get("models/mnist-vae-20d/history").json()["moments"][3]
    flat = api.get("models/mnist-vae-20d/history?projected=true").json()["moments"][3]
    codes = np.frombuffer(base64.b64decode(whole["codes"]), "<f4").reshape(2000, 20)
    points = np.frombuffer(base64.b64decode(flat["codes"]), "<f4").reshape(2000, 2)
    for code, point in zip(codes[:20].tolist(), points.tolist(), strict=False):
        offset = [number - zero for number, zero in zip(code, whole["origin"], strict=True)]
        expected = [sum(a * b for a, b in zip(axis, offset, strict=True)) for axis in whole["axes"]]
        assert point == pytest.approx(expected, abs=1e-5)
    (u0, v0), (u1, v1) = flat["extent"]
    assert (points > [u0 - 0.01, v0 - 0.01]).all()
    assert (points < [u1 + 0.01, v1 + 0.01]).all()


def test_a_history_is_cached_by_its_version_and_not_sent_again(api: httpx.Client) -> None:
    (plane,) = api.get("models/mnist-vae-2d/planes").json()
    first = api.get("models/mnist-vae-2d/history")
    assert first.headers["cache-control"] == "no-cache"
    assert first.headers["content-type"] == "application/json"
    known = {"if-none-match": first.headers["etag"]}
    again = api.get(f"models/mnist-vae-2d/history?v={plane['version']}", headers=known)
    assert (again.status_code, again.content) == (304, b"")
    assert "immutable" in again.headers["cache-control"]
    other = api.get("models/mnist-vae-2d/history?projected=true", headers=known)
    assert other.status_code == 200


def test_a_model_without_its_teacher_returns_its_own_epochs() -> None:
    with serving(Settings(models=("mnist-vae-2d",))) as running, running.client() as client:
        epochs = client.get("/api/v1/models/mnist-vae-2d/history").json()["epochs"]
    assert epochs[0]["stage"] == "distil"
    assert epochs[0]["epoch"] > 1
