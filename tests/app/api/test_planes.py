import base64
from typing import Any

import httpx
import numpy as np
import pytest

from tests.app.conftest import Refused

FIELDS = ["id", "title", "origin", "axes", "extent", "cells", "version"]


def named(*rows: np.ndarray) -> str:
    """Return the name of the plane of this origin and these axes."""
    return "at-" + base64.urlsafe_b64encode(np.stack(rows).astype("<f4").tobytes()).decode()


def assert_is_a_plane(plane: dict[str, Any], latent_dim: int) -> None:
    assert list(plane) == FIELDS
    axes = np.array(plane["axes"])
    np.testing.assert_allclose(axes @ axes.T, np.eye(2), atol=1e-6)
    assert np.shape(plane["origin"]) == (latent_dim,)
    assert axes.shape == (2, latent_dim)
    (u0, v0), (u1, v1) = np.array(plane["extent"])
    assert u1 - u0 >= 8
    np.testing.assert_allclose(u1 - u0, v1 - v0)


@pytest.mark.slow
def test_the_first_plane_of_every_model_is_the_one_of_its_card(api: httpx.Client) -> None:
    cards = api.get("models").json()["models"]
    for card in (card for card in cards if card["family"] != "vqvae"):
        planes = api.get(f"models/{card['id']}/planes").json()
        assert [planes[0]["id"]] == card["planes"]
        assert (len(planes) == 1) == (card["latent_dim"] == 2)
        for plane in planes:
            assert_is_a_plane(plane, card["latent_dim"])


def test_every_listed_plane_can_be_requested_by_its_name(api: httpx.Client) -> None:
    planes = api.get("models/mnist-vae-20d/planes").json()
    names = [plane["id"] for plane in planes]
    assert names[0] == "pca-0-1"
    assert [f"digits-{a}-{b}" for a in range(10) for b in range(a + 1, 10)] == names[-45:]
    for plane in planes[:7]:
        assert api.get(f"models/mnist-vae-20d/planes/{plane['id']}").json() == plane


def test_a_plane_covers_the_codes_of_its_model(api: httpx.Client) -> None:
    tilted = named(np.array([1.0, 2.0]), np.array([0.6, 0.8]), np.array([0.8, -0.6]))
    for model, name in (
        ("mnist-vae-2d", "latent"),
        ("mnist-vae-2d", tilted),
        ("mnist-vae-20d", "pca-0-1"),
        ("mnist-vae-20d", "digits-9-4"),
        ("mnist-vae-20d", "dims-19-3"),
    ):
        plane = api.get(f"models/{model}/planes/{name}").json()
        assert plane["id"] == name
        assert_is_a_plane(plane, len(plane["origin"]))
        content = api.get(f"models/{model}/codes?plane={name}").content
        points = np.frombuffer(content, "<f4", 20_000, offset=8).reshape(-1, 2)
        low, high = np.array(plane["extent"])
        assert ((points >= low - 1e-4) & (points <= high + 1e-4)).all()


def test_a_plane_named_by_its_numbers_is_the_plane_of_those_numbers(api: httpx.Client) -> None:
    dice = np.random.default_rng(1)
    axes, _ = np.linalg.qr(dice.normal(size=(20, 2)))
    origin = dice.normal(size=20)
    plane = api.get(f"models/mnist-vae-20d/planes/{named(origin, *axes.T)}").json()
    np.testing.assert_allclose(plane["origin"], origin, atol=1e-6)
    np.testing.assert_allclose(plane["axes"], axes.T, atol=1e-6)


E = np.eye(2)
NAN = np.full(2, np.nan)


@pytest.mark.parametrize(
    "name",
    [
        "nowhere",
        "at-",
        "at-AAAA",
        "pca-0-1",  # two latents have no other axes than their own
        named(E[0], E[0], E[1], E[0]),
        named(NAN, E[0], E[1]),
        named(E[0], E[0], E[0]),
        named(E[0], 2 * E[0], E[1]),
        named(E[0], np.array([1.0, 2e-3]), E[1]),
        named(E[0], np.array([np.inf, 0]), E[1]),
        named(E[0], np.array([3e38, 0]), E[1]),
        named(np.array([0, 3e38]), E[0], E[1]),
        named(E[0], E[0], E[1])[:-1] + "*",
        "%E2%88%9E",
        "digits-0-1",
    ],
)
def test_an_unknown_name_of_a_plane_is_refused_with_the_known_ones(
    api: httpx.Client, refused: Refused, name: str
) -> None:
    for path in (f"planes/{name}", f"codes?plane={name}"):
        detail = refused(api.get(f"models/mnist-vae-2d/{path}"), 404)
        assert "It has latent and at-<base64url of origin" in detail
        assert "6 little-endian float32" in detail


@pytest.mark.parametrize(
    "name", ["pca-0-0", "pca-0-20", "dims-1", "dims-01-2", "digits-3-10", "digits-3-3", "latent"]
)
def test_a_name_that_means_no_plane_in_twenty_dimensions_is_refused_with_the_known_ones(
    api: httpx.Client, refused: Refused, name: str
) -> None:
    detail = refused(api.get(f"models/mnist-vae-20d/planes/{name}"), 404)
    for part in ("pca-i-j and dims-i-j", "from 0 to 19", "digits-a-b", "60 little-endian"):
        assert part in detail
