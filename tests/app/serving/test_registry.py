"""Models load on first use within a bound of memory: a real server with small checkpoints."""

import logging
import shutil
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import count
from pathlib import Path
from threading import Event

import httpx
import numpy as np
import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus

from app.serving.loading import memory_needed
from app.settings import ROOT, Settings
from model.engine import Encoding, Engine
from model.inference.encoding import Encoder
from tests.app import untrained
from tests.app.api.test_stream import question
from tests.app.conftest import Refused
from tests.app.live_server import Serving, serving
from tests.app.logged import messages

NAMES = ("alpha", "beta", "gamma", "delta")
"""The first is the default model."""
SHIPPED = [card.parent for card in sorted((ROOT / "checkpoints").glob("*/card.json"))]


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("written")
    for name in NAMES:
        untrained.write(folder, name)
    return folder


@pytest.fixture
def checkpoints(written: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(written, tmp_path / "checkpoints"))


def settings(checkpoints: Path, places: int) -> Settings:
    """Return settings with memory for so many models, including the default one."""
    room = places * memory_needed(checkpoints / "alpha") + 1000
    return Settings(checkpoints=checkpoints, default_model="alpha", model_memory_bytes=room)


@pytest.fixture
def server(checkpoints: Path) -> Iterator[Serving]:
    with serving(settings(checkpoints, places=3)) as running:
        yield running


@pytest.fixture
def client(server: Serving) -> Iterator[httpx.Client]:
    with server.client() as client:
        yield client


fresh = count(start=1)


def decode(client: httpx.Client, name: str) -> httpx.Response:
    """Decode a latent that was not decoded before, so that the model itself is used."""
    return client.get(f"/api/v1/models/{name}/decode.png?z=0,{next(fresh)}")


def loaded(client: httpx.Client) -> set[str]:
    return set(client.get("/readyz").json()["loaded"])


def damage(file: Path) -> bytes:
    content = file.read_bytes()
    file.write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
    return content


def test_at_the_start_only_the_default_model_is_loaded_and_all_are_offered(
    client: httpx.Client,
) -> None:
    ready = client.get("/readyz").json()
    assert ready == {"status": "ready", "models": sorted(NAMES), "loaded": ["alpha"]}


def test_listing_models_and_cards_loads_none(client: httpx.Client) -> None:
    assert len(client.get("/api/v1/models").json()["models"]) == 4
    for name in NAMES:
        assert client.get(f"/api/v1/models/{name}").json()["id"] == name
    assert loaded(client) == {"alpha"}


@pytest.mark.parametrize("action", ["planes", "codes", "decode.png?z=0,0"])
def test_a_model_is_loaded_by_the_first_request_that_uses_it(
    client: httpx.Client, action: str
) -> None:
    assert client.get(f"/api/v1/models/beta/{action}").status_code == 200
    assert loaded(client) == {"alpha", "beta"}


def test_the_least_recently_used_model_makes_room_and_the_default_one_never(
    client: httpx.Client,
) -> None:
    for name in ("beta", "gamma", "beta", "delta"):
        assert decode(client, name).status_code == 200
    assert loaded(client) == {"alpha", "beta", "delta"}
    assert decode(client, "gamma").status_code == 200
    assert loaded(client) == {"alpha", "delta", "gamma"}


def test_a_model_that_was_dropped_and_loaded_again_gives_the_same_bytes(
    client: httpx.Client,
) -> None:
    def drawn() -> bytes:
        answer = client.post("/api/v1/models/beta/decode", json={"latents": [[0.5, -1]]})
        return answer.raise_for_status().content

    before = drawn()
    for name in ("gamma", "delta"):
        decode(client, name)
    assert "beta" not in loaded(client)
    assert drawn() == before


def test_a_model_is_loaded_once_for_many_requests_at_once(
    client: httpx.Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    loads: list[str] = []
    begin, released = Event(), Event()
    load = Engine.load

    def slow(folder: Path, device: str = "auto") -> Engine:
        loads.append(folder.name)
        begin.set()
        assert released.wait(30)
        return load(folder, device)

    monkeypatch.setattr(Engine, "load", slow)
    with ThreadPoolExecutor(12) as threads:
        answers = [threads.submit(decode, client, "beta") for _ in range(12)]
        assert begin.wait(30)
        assert decode(client, "alpha").status_code == 200, "the event loop goes on meanwhile"
        released.set()
        assert {answer.result().status_code for answer in answers} == {200}
    assert loads == ["beta"]


def test_a_model_is_refused_for_the_moment_while_those_in_use_fill_the_memory(
    checkpoints: Path, refused: Refused, monkeypatch: pytest.MonkeyPatch
) -> None:
    busy, released = Event(), Event()
    encode = Encoder.encode

    def slow(encoder: Encoder, images: np.ndarray) -> Encoding:
        busy.set()
        assert released.wait(30)
        return encode(encoder, images)

    body = {"images": [np.eye(28).tolist()]}
    with (
        serving(settings(checkpoints, places=2)) as server,
        server.client() as client,
        ThreadPoolExecutor(1) as threads,
    ):
        decode(client, "beta")
        with monkeypatch.context() as patch:
            patch.setattr(Encoder, "encode", slow)
            user = threads.submit(client.post, "/api/v1/models/beta/encode", json=body)
            assert busy.wait(30)
            refusal = decode(client, "gamma")
            with pytest.raises(InvalidStatus) as stream, server.stream("gamma"):
                pass
            assert decode(client, "alpha").status_code == 200
            released.set()
        assert user.result().status_code == 200
        assert decode(client, "gamma").status_code == 200
    detail = refused(refusal, 503)
    assert "gamma" in detail
    assert "EXPLORER_MODEL_MEMORY_BYTES" in detail
    assert refusal.headers["retry-after"] == "5"
    assert stream.value.response.status_code == 503


@pytest.mark.parametrize("file", ["model.safetensors", "atlas.npz"])
def test_a_checkpoint_with_a_wrong_hash_is_refused_by_name_and_the_others_go_on(
    client: httpx.Client,
    checkpoints: Path,
    refused: Refused,
    caplog: pytest.LogCaptureFixture,
    file: str,
) -> None:
    whole = damage(checkpoints / "beta" / file)
    with caplog.at_level(logging.ERROR):
        refusal = decode(client, "beta")
    detail = refused(refusal, 503)
    assert "beta" in detail
    assert "operator must restore" in detail
    assert str(checkpoints) not in detail, "where files lie is the operator's affair"
    (record,) = caplog.records
    assert record.getMessage().startswith("Model beta cannot be loaded: ")
    assert str(checkpoints / "beta" / file) in record.getMessage()
    assert not record.exc_info, "the sentence says it all"
    assert decode(client, "gamma").status_code == 200
    assert client.get("/api/v1/models/beta").status_code == 200
    (checkpoints / "beta" / file).write_bytes(whole)
    assert decode(client, "beta").status_code == 200, "once restored it is served"


def test_an_atlas_that_was_truncated_before_the_start_affects_no_other_model(
    checkpoints: Path, refused: Refused
) -> None:
    atlas = checkpoints / "beta" / "atlas.npz"
    atlas.write_bytes(atlas.read_bytes()[:1000])
    with serving(settings(checkpoints, places=3)) as server, server.client() as client:
        assert "beta" in refused(decode(client, "beta"), 503)
        assert decode(client, "gamma").status_code == 200


def test_a_checkpoint_that_was_removed_is_refused_by_name_too(
    client: httpx.Client, checkpoints: Path, refused: Refused
) -> None:
    shutil.rmtree(checkpoints / "beta")
    body = {"latents": [[0, 0]]}
    for answer in (
        client.post("/api/v1/models/beta/decode", json=body),
        client.post("/api/v1/models/beta/sample", json={"count": 1}),
        client.get("/api/v1/models/beta/planes"),
        client.get("/api/v1/models/beta/codes"),
    ):
        assert "beta" in refused(answer, 503)


def test_any_failure_of_a_device_while_a_model_loads_is_answered_503_and_logged(
    client: httpx.Client,
    refused: Refused,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    def fail(_: Engine) -> None:
        raise RuntimeError("CUDA out of memory")

    with monkeypatch.context() as patch, caplog.at_level(logging.ERROR):
        patch.setattr(Engine, "warm_up", fail)
        assert "beta" in refused(decode(client, "beta"), 503)
    (record,) = caplog.records
    assert record.exc_info, "with its traceback"
    assert decode(client, "beta").status_code == 200


def test_a_stream_loads_its_model_before_it_opens(server: Serving, client: httpx.Client) -> None:
    with server.stream("beta") as stream:
        assert "beta" in loaded(client)
        stream.send(question(7, 0, 0))
        assert len(stream.recv()) == 788


def test_a_stream_of_a_damaged_model_is_refused_before_it_opens(
    server: Serving, checkpoints: Path
) -> None:
    damage(checkpoints / "beta" / "model.safetensors")
    with pytest.raises(InvalidStatus) as refusal, server.stream("beta"):
        pass
    assert refusal.value.response.status_code == 503
    assert b"beta" in (refusal.value.response.body or b"")


def test_a_silent_stream_keeps_no_model_in_memory_and_goes_on_with_the_next_message(
    server: Serving, client: httpx.Client
) -> None:
    with server.stream("beta") as stream:
        stream.send(question(1, 0.5, 0))
        first = stream.recv()
        for name in ("gamma", "delta"):
            assert decode(client, name).status_code == 200
        assert "beta" not in loaded(client)
        stream.send(question(1, 0.5, 0))
        assert stream.recv() == first


def test_a_stream_whose_model_was_damaged_meanwhile_closes_with_the_reason(
    server: Serving, client: httpx.Client, checkpoints: Path
) -> None:
    with server.stream("beta") as stream:
        for name in ("gamma", "delta"):
            decode(client, name)
        damage(checkpoints / "beta" / "model.safetensors")
        stream.send(question(1, 0, 0))
        with pytest.raises(ConnectionClosed) as closed:
            stream.recv()
    assert closed.value.rcvd is not None
    assert closed.value.rcvd.code == 1011
    assert "beta" in closed.value.rcvd.reason


def test_with_too_little_memory_the_default_model_is_served_alone(
    checkpoints: Path, refused: Refused, caplog: pytest.LogCaptureFixture
) -> None:
    tight = Settings(checkpoints=checkpoints, default_model="alpha", model_memory_bytes=1)
    with caplog.at_level(logging.WARNING), serving(tight) as server, server.client() as client:
        assert decode(client, "alpha").status_code == 200
        refusal = decode(client, "beta")
        assert "EXPLORER_MODEL_MEMORY_BYTES" in refused(refusal, 503)
        assert refusal.headers["retry-after"]
    assert "EXPLORER_MODEL_MEMORY_BYTES" in messages(caplog)[0]


@pytest.mark.slow
def test_the_memory_of_each_shipped_model_is_known_before_it_is_loaded() -> None:
    for folder in SHIPPED:
        arrays = Engine.load(folder, "cpu").memory_bytes
        least = 0.35 if folder.name == "mnist-vqvae" else 0.5  # a codebook's is not packed anew
        assert least < arrays / memory_needed(folder) < 1.1, folder.name


def test_all_shipped_models_fit_into_the_memory_that_is_the_default() -> None:
    assert sum(map(memory_needed, SHIPPED)) <= Settings().model_memory_bytes
