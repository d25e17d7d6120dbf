import asyncio
import struct
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, suppress
from threading import Event

import httpx
import numpy as np
import pytest
from starlette.types import Message
from websockets.exceptions import ConnectionClosed, InvalidStatus

from app.api.stream import Stream
from app.serving.batcher import Batcher
from app.serving.registry import Registry, ServedModel
from app.settings import Settings
from model.engine import Engine
from tests.app.conftest import Refused
from tests.app.live_server import DEFAULT, Serving, serving


def question(sequence: int, *latent: float) -> bytes:
    return struct.pack(f"<I{len(latent)}f", sequence, *latent)


def test_an_answer_is_the_sequence_and_the_image_of_the_latent(
    server: Serving, engine: Engine
) -> None:
    with server.stream() as stream:
        for sequence, latent in enumerate([(0, 0), (0.5, -1.2), (-3, 4)], start=2**32 - 3):
            stream.send(question(sequence, *latent))
            answer = stream.recv()
            assert isinstance(answer, bytes)
            assert len(answer) == 4 + 784
            assert struct.unpack_from("<I", answer) == (sequence,)
            (image,) = engine.decode(np.array([latent], np.float32))
            assert answer[4:] == image.tobytes()


def test_each_model_takes_messages_of_as_many_numbers_as_its_latents_have(server: Serving) -> None:
    with server.stream("mnist-vae-20d") as stream:
        stream.send(question(1, *[0.1] * 20))
        assert len(stream.recv()) == 788


def test_many_streams_are_answered_each_with_its_own_images(
    server: Serving, engine: Engine
) -> None:
    with ExitStack() as stack:
        streams = [stack.enter_context(server.stream()) for _ in range(12)]
        for index, stream in enumerate(streams):
            stream.send(question(index, index / 4, -1))
        for index, stream in enumerate(streams):
            (image,) = engine.decode(np.array([[index / 4, -1]], np.float32))
            assert stream.recv() == struct.pack("<I", index) + image.tobytes()


@pytest.mark.parametrize(
    ("message", "code"),
    [
        ("0,0", 1003),
        ("", 1003),
        (b"", 1007),
        (b"\0" * 8, 1007),
        (b"\0" * 13, 1007),
        (b"\0" * 84, 1007),
        (question(1, float("nan"), 0), 1007),
        (question(1, 0, float("inf")), 1007),
        (question(1, 20_000, 0), 1007),
        (b"\0" * 5000, 1009),
    ],
)
def test_a_message_that_is_no_latent_closes_the_stream_with_its_code(
    server: Serving, message: str | bytes, code: int
) -> None:
    with server.stream() as stream:
        stream.send(question(1, 0, 0))
        assert len(stream.recv()) == 788
        stream.send(message)
        with pytest.raises(ConnectionClosed) as closed:
            stream.recv()
    assert closed.value.rcvd is not None
    assert closed.value.rcvd.code == code
    assert code == 1009 or closed.value.rcvd.reason


def test_a_stream_of_an_unknown_model_is_refused_before_it_opens(server: Serving) -> None:
    with pytest.raises(InvalidStatus) as refusal, server.stream("nobody"):
        pass
    assert refusal.value.response.status_code == 404
    assert refusal.value.response.headers["content-type"] == "application/problem+json"
    assert DEFAULT.encode() in refusal.value.response.body


STREAM = f"models/{DEFAULT}/stream"


def test_a_stream_asked_for_without_an_upgrade_says_that_it_needs_one(
    api: httpx.Client, refused: Refused
) -> None:
    for answer in (api.get(STREAM), api.head(STREAM), api.get(STREAM, headers={"upgrade": "h2c"})):
        assert answer.status_code == 426
        assert answer.headers["upgrade"] == "websocket"
        assert answer.headers["connection"].lower() == "upgrade"
    assert "WebSocket" in refused(api.get(STREAM), 426)
    assert DEFAULT in refused(api.get("models/nobody/stream"), 404)


def why(client: httpx.Client, origin: str, **headers: str) -> str:
    """Return what the server says to a page of this origin whose stream does not open."""
    sent = {name.replace("_", "-"): value for name, value in headers.items()}
    answer = client.get(STREAM, params={"origin": origin}, headers=sent)
    assert answer.status_code == 426
    return str(answer.json()["detail"])


def test_a_page_whose_stream_does_not_open_is_told_what_its_operator_can_set(
    api: httpx.Client, server: Serving
) -> None:
    assert "forward Upgrade and Connection" in why(api, f"http://{server.host}")
    told = why(api, "https://example.org:8443")
    for part in ("changes Host", server.host, "EXPLORER_ALLOWED_ORIGINS=https://example.org:8443."):
        assert part in told
    # This server trusts 127.0.0.1.
    assert "forward Upgrade" in why(api, "https://a.test", x_forwarded_host="a.test")
    assert "sees b.test." in why(api, "https://a.test", forwarded="host=b.test")


def test_a_page_of_an_origin_that_may_open_streams_is_not_told_to_have_it_allowed() -> None:
    settings = Settings(models=(DEFAULT,), allowed_origins=("https://a.test",), trusted_proxies=())
    with serving(settings) as running, running.client() as client:
        client.base_url = client.base_url.join("/api/v1/")
        assert "forward Upgrade" in why(client, "https://a.test")
        assert f"sees {running.host}." in why(client, "https://b.test", x_forwarded_host="b.test")


@pytest.mark.parametrize(
    "origin",
    [
        *("", "null", "a.test", "https://", "https://a.test/", "https://a.test:", "//a.test"),
        *("https://a.test\n", "https://a b", "javascript:alert(1)", "https://<b>", "https://u@a"),
        *("https://a.test:123456", "https://" + 254 * "a", "ws://a.test", "https://é.test"),
    ],
)
def test_an_origin_that_is_none_is_refused_and_not_repeated(
    api: httpx.Client, refused: Refused, origin: str
) -> None:
    answer = api.get(STREAM, params={"origin": origin})
    detail = refused(answer, 422)
    assert answer.json()["errors"][0]["pointer"] == "?origin"
    assert detail == "origin is not of the form https://example.org:8000."


def converse(engine: Engine, questions: list[bytes], max_queue: int) -> list[Message]:
    """Send all messages while the engine is busy, and return all that the server sent."""
    sent: list[Message] = []

    async def run() -> None:
        held, released = asyncio.Event(), Event()
        loop = asyncio.get_running_loop()

        def hold() -> None:
            loop.call_soon_threadsafe(held.set)
            released.wait()

        with ThreadPoolExecutor(1) as executor:
            batcher = Batcher(engine.decode, executor, max_queue=max_queue)
            registry = Registry(DEFAULT, memory_bytes=1)
            registry.keep(ServedModel(engine, batcher))
            incoming: asyncio.Queue[Message] = asyncio.Queue()
            incoming.put_nowait({"type": "websocket.connect"})
            for content in questions:
                incoming.put_nowait({"type": "websocket.receive", "bytes": content})
            holder = asyncio.create_task(batcher.run(batcher.calls_job([hold], weight=1)))
            await held.wait()
            other = asyncio.create_task(batcher.run(np.zeros((1, 2), np.float32)))
            await asyncio.sleep(0)

            async def receive() -> Message:
                if incoming.empty():
                    released.set()
                return await incoming.get()

            async def send(message: Message) -> None:
                sent.append(message)
                if message.get("bytes", b"")[:4] == questions[-1][:4]:
                    incoming.put_nowait({"type": "websocket.disconnect"})
                if message["type"] == "websocket.close":
                    incoming.put_nowait({"type": "websocket.disconnect"})

            scope = {"type": "websocket", "path_params": {"model": DEFAULT}}
            await Stream(registry, 1, 60)(scope, receive, send)
            await asyncio.gather(holder, other)

    asyncio.run(run())
    return sent


def test_the_newest_message_is_answered_and_older_ones_that_wait_are_skipped(
    engine: Engine,
) -> None:
    asked = [question(sequence, sequence / 10, 0) for sequence in range(1, 9)]
    accept, *answers = converse(engine, asked, max_queue=100)
    assert accept["type"] == "websocket.accept"
    numbers = [struct.unpack_from("<I", answer["bytes"])[0] for answer in answers]
    assert numbers[-1] == 8
    assert len(numbers) <= 2, "the one in flight, and the newest"
    (image,) = engine.decode(np.array([[0.8, 0]], np.float32))
    assert answers[-1]["bytes"][4:] == image.tobytes()


def test_a_stream_closes_with_try_again_later_when_too_much_waits(engine: Engine) -> None:
    _, close = converse(engine, [question(1, 0, 0)], max_queue=1)
    assert (close["type"], close["code"]) == ("websocket.close", 1013)


@pytest.fixture
def few() -> Iterator[Serving]:
    with serving(Settings(max_streams=2, stream_idle_seconds=3)) as running:
        yield running


def test_a_silent_stream_is_closed_and_makes_room(few: Serving) -> None:
    with few.stream() as busy, few.stream() as idle:
        with pytest.raises(InvalidStatus) as refusal:
            few.stream()
        assert refusal.value.response.status_code == 503
        assert refusal.value.response.headers["retry-after"]
        while idle.close_code is None:  # one that is dragged stays
            busy.send(question(1, 0, 0))
            assert busy.recv(timeout=20)
            with suppress(TimeoutError, ConnectionClosed):
                idle.recv(timeout=0.05)
        assert idle.close_code == 1000
        busy.send(question(2, 0, 0))
        assert busy.recv(timeout=20)
        with few.stream() as third:
            third.send(question(3, 0, 0))
            assert third.recv(timeout=20)
