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


def test_a_get_of_a_stream_is_not_found(api: httpx.Client) -> None:
    assert api.get(f"models/{DEFAULT}/stream").status_code == 404


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
