"""A server that follows the checkpoint of its default model, and one that does not."""

from pathlib import Path

import httpx
import numpy as np
from websockets.sync.client import ClientConnection

from app.openapi import MODEL_HASH
from app.settings import Settings
from tests.app import untrained
from tests.app.live_server import serving
from tests.waiting import until

NAME = "growing"
DECODE = f"/api/v1/models/{NAME}/decode.png?z=0.5,-0.5"


def settings(folder: Path, follow: str) -> Settings:
    untrained.write(folder, NAME, seed=1)
    return Settings(checkpoints=folder, default_model=NAME, follow=follow)


def ask(stream: ClientConnection) -> str | bytes:
    stream.send(b"\0\0\0\0" + np.array([0.5, -0.5], "<f4").tobytes())
    return stream.recv(timeout=60)


def sha256(client: httpx.Client) -> str:
    return str(client.get(f"/api/v1/models/{NAME}").json()["sha256"])


def test_a_replaced_default_model_is_taken_anew_also_by_a_stream_that_is_open(
    tmp_path: Path,
) -> None:
    with (
        serving(settings(tmp_path, "on")) as server,
        server.client() as client,
        server.stream(NAME) as stream,
    ):
        old, image, seen = sha256(client), client.get(DECODE).content, ask(stream)
        untrained.write(tmp_path, NAME, seed=2)
        until(lambda: sha256(client) != old, "the new model")
        answer = client.get(DECODE)
        assert answer.headers[MODEL_HASH] == sha256(client)
        assert answer.content != image
        assert ask(stream) != seen
        assert client.get("/api/v1/models").json()["models"][0]["sha256"] != old


def test_a_checkpoint_that_is_damaged_meanwhile_leaves_the_old_model_until_it_is_mended(
    tmp_path: Path,
) -> None:
    with serving(settings(tmp_path, "on")) as server, server.client() as client:
        old, image = sha256(client), client.get(DECODE).content
        untrained.write(tmp_path, NAME, seed=2)
        card = (tmp_path / NAME / "card.json").read_text(encoding="utf-8")
        (tmp_path / NAME / "card.json").write_text("{", encoding="utf-8")
        if sha256(client) == old:  # else it was taken before the damage
            assert client.get(DECODE).content == image
        (tmp_path / NAME / "card.json").write_text(card, encoding="utf-8")
        until(lambda: sha256(client) != old, "the mended model")


def test_a_server_that_does_not_follow_keeps_the_model_of_its_start(tmp_path: Path) -> None:
    with serving(settings(tmp_path, "off")) as server, server.client() as client:
        old, image = sha256(client), client.get(DECODE).content
        untrained.write(tmp_path, NAME, seed=2)
        assert (sha256(client), client.get(DECODE).content) == (old, image)
