import httpx
import numpy as np


def test_every_model_has_its_planes_in_the_order_of_its_card(api: httpx.Client) -> None:
    cards = api.get("models").json()["models"]
    for card in (card for card in cards if card["family"] != "vqvae"):
        planes = api.get(f"models/{card['id']}/planes").json()
        assert [plane["id"] for plane in planes] == card["planes"]
        for plane in planes:
            assert list(plane) == ["id", "title", "origin", "axes", "extent"]
            axes = np.array(plane["axes"])
            np.testing.assert_allclose(axes @ axes.T, np.eye(2), atol=1e-6)
            assert len(plane["origin"]) == axes.shape[1] == card["latent_dim"]
            (u0, v0), (u1, v1) = plane["extent"]
            assert u1 > u0
            np.testing.assert_allclose(u1 - u0, v1 - v0)


def test_a_plane_covers_the_codes_of_its_model(api: httpx.Client) -> None:
    for name in ("mnist-vae-2d", "mnist-vae-20d"):
        (plane, *_) = api.get(f"models/{name}/planes").json()
        content = api.get(f"models/{name}/codes?plane={plane['id']}").content
        points = np.frombuffer(content, "<f4", 20_000, offset=8).reshape(-1, 2)
        low, high = np.array(plane["extent"])
        assert ((points >= low - 1e-4) & (points <= high + 1e-4)).all()
