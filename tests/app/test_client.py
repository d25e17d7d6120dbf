"""The client of examples/, against a real server: arrays in and out, batches, patience."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import httpx
import numpy as np
import pytest

from examples import client as client_module
from examples.client import AsyncExplorer, Explorer, Model, Refused
from model.engine import Engine, LabelledImages
from tests.app.live_server import DEFAULT, Serving


@pytest.fixture(scope="module")
def model(server: Serving) -> Iterator[Model]:
    with Explorer(f"http://{server.host}") as explorer:
        yield explorer.model(DEFAULT)


def test_more_images_than_a_request_takes_are_encoded_in_their_order(
    model: Model, mnist: LabelledImages, engine: Engine
) -> None:
    codes = model.encode(mnist.images[:150])
    assert codes.shape == (150, 2)
    expected = engine.encode(mnist.images[:150].astype(np.float32) / 255).mean
    assert expected is not None
    np.testing.assert_allclose(codes, expected, atol=1e-5)
    np.testing.assert_array_equal(model.encode(mnist.images[:2] / 255), codes[:2])


def test_more_latents_than_a_request_takes_are_decoded_in_their_order(
    model: Model, engine: Engine
) -> None:
    latents = np.random.default_rng(0).standard_normal((1500, 2)).astype(np.float32)
    images = model.decode(latents)
    assert images.dtype == np.uint8
    np.testing.assert_array_equal(images, engine.decode(latents))
    np.testing.assert_array_equal(model.decode(np.asfortranarray(latents)), images)


def test_a_walk_a_draw_and_the_codes_come_as_arrays(
    model: Model, engine: Engine, mnist: LabelledImages
) -> None:
    path = model.walk([-1, 0], [1, 0], steps=5)
    assert path.latents.tolist() == [[-1, 0], [-0.5, 0], [0, 0], [0.5, 0], [1, 0]]
    np.testing.assert_array_equal(path.images, model.decode(path.latents))
    assert path.step_lengths.tolist() == [0.5] * 4
    assert len(path.seen_lengths) == 4
    drawn = model.sample(3)
    again = model.sample(3, seed=drawn.seed)
    np.testing.assert_array_equal(drawn.images, again.images)
    np.testing.assert_array_equal(drawn.latents, again.latents)
    found = model.codes()
    np.testing.assert_array_equal(found.codes, engine.codes)
    np.testing.assert_array_equal(found.labels, mnist.labels)
    assert model.card()["id"] == model.explorer.models()["default"] == DEFAULT


def test_a_refusal_is_raised_with_the_words_of_the_server(model: Model) -> None:
    with pytest.raises(Refused, match=r"takes \(N, 2\)") as refusal:
        model.decode(np.zeros((3, 5)))
    assert (refusal.value.status, refusal.value.problem["title"]) == (422, "Invalid request")
    with pytest.raises(Refused, match="no model of this name"):
        model.explorer.model("nope").card()


def test_the_same_can_be_awaited(server: Serving, model: Model, mnist: LabelledImages) -> None:
    async def scenario() -> None:
        async with AsyncExplorer(f"http://{server.host}") as explorer:
            other = explorer.model(DEFAULT)
            codes = await other.encode(mnist.images[:150])
            np.testing.assert_array_equal(codes, model.encode(mnist.images[:150]))
            images, path, drawn, found, card = await asyncio.gather(
                other.decode(codes),
                other.walk(codes[0], codes[1], path="spherical"),
                other.sample(2, seed=1),
                other.codes(),
                other.card(),
            )
            assert images.shape == (150, 28, 28)
            assert len(path.images) == 16
            np.testing.assert_array_equal(drawn.images, model.sample(2, seed=1).images)
            assert len(found.codes) == 10_000
            assert card == model.card()
            assert (await explorer.models())["default"] == DEFAULT

    asyncio.run(scenario())


@pytest.mark.parametrize("awaited", [False, True])
def test_a_busy_server_is_asked_again(awaited: bool) -> None:
    asked = 0

    async def busy_then_free(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal asked
        for answer in BUSY, BUSY, FREE:
            await reader.readuntil(b"\r\n\r\n")
            asked += 1
            writer.write(answer)
        await writer.drain()
        writer.close()

    async def scenario() -> dict[str, object]:
        server = await asyncio.start_server(busy_then_free, "127.0.0.1", 0)
        async with server:
            url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
            if awaited:
                async with AsyncExplorer(url) as explorer:
                    return await explorer.model("any").card()
            with Explorer(url) as explorer:
                return await asyncio.to_thread(explorer.model("any").card)

    assert asyncio.run(scenario()) == {"id": "any"}
    assert asked == 3


JSON_HEAD = b"\r\nContent-Type: application/json\r\n\r\n"
BUSY = b"HTTP/1.1 503 Busy\r\nRetry-After: 0\r\nContent-Length: 2" + JSON_HEAD + b"{}"
FREE = b"HTTP/1.1 200 OK\r\nContent-Length: 12" + JSON_HEAD + b'{"id":"any"}'


def test_a_pause_is_as_long_as_the_server_tells() -> None:
    busy = httpx.Response(503, headers={"Retry-After": "7"})
    assert client_module._pause(busy, 20.0) == 7
    assert client_module._pause(httpx.Response(200), 0.0) is None
    with pytest.raises(Refused):
        client_module._pause(httpx.Response(503), 0.0)


def test_a_server_that_stays_busy_is_given_up() -> None:
    waited = client_module.PATIENCE_SECONDS
    with pytest.raises(Refused):
        client_module._pause(httpx.Response(503, headers={"Retry-After": "1"}), waited)


def test_the_client_is_one_file_that_needs_httpx_and_numpy_alone() -> None:
    text = Path(client_module.__file__).read_text()
    imported = {
        line.split()[1].partition(".")[0]
        for line in text.splitlines()
        if line.startswith(("import ", "from "))
    }
    there = {"__future__", "asyncio", "collections", "dataclasses", "io", "struct", "time"}
    assert imported == {*there, "types", "typing", "httpx", "numpy"}
