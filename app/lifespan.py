"""The lifespan of a server: load and warm the default model, serve, drain."""

import gc
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager

from fastapi import FastAPI
from starlette.types import Message, Send

from app.errors import StartError
from app.serving.following import following
from app.serving.image_cache import ImageCache
from app.serving.loading import batchers, fill, give_memory_back
from app.serving.registry import Registry
from app.settings import Settings
from app.telemetry.counters import Counters

SWITCH_SECONDS = 0.001
"""After which a thread hands on the interpreter: a drag waits for another thread at most so long.
Python's own value is five times as large."""


def lifespan(
    settings: Settings,
    registry: Registry,
    images: ImageCache,
    warm_up: Callable[[], Awaitable[None]],
    counters: Counters,
    *around: Callable[[], AbstractAsyncContextManager[None]],
) -> Callable[[FastAPI], AbstractAsyncContextManager[None]]:
    """Return the lifespan of a server: `registry` is full in it, and `warm_up` is done.

    The contexts `around` last as long as the server is ready.
    """

    @asynccontextmanager
    async def run(_: FastAPI) -> AsyncIterator[None]:
        # One thread for the bulk of all models: beside the loop, one core computes, not three.
        with ThreadPoolExecutor(1, "bulk") as executor:
            batcher = batchers(settings, executor, counters)
            fill(settings, registry, batcher)
            await warm_up()
            sys.setswitchinterval(SWITCH_SECONDS)
            _start_collecting()
            give_memory_back()
            async with AsyncExitStack() as stack:
                for context in around:
                    await stack.enter_async_context(context())
                if settings.follow == "on":
                    await stack.enter_async_context(following(settings, registry, images, batcher))
                yield
            for served in registry.loaded:
                await served.batcher.drain()

    return run


def plain_start_errors(send: Send) -> Send:
    """Return a `send` that reports a `StartError` as its sentence, without a traceback."""
    prefix = f"{StartError.__module__}.{StartError.__name__}: "

    async def send_plainly(message: Message) -> None:
        if message["type"] == "lifespan.startup.failed":
            last = message["message"].strip().split("\n")[-1]
            if last.startswith(prefix):
                message = {**message, "message": last.removeprefix(prefix)}
        await send(message)

    return send_plainly


def _start_collecting() -> None:
    """Turn the garbage collector on if it was off during the start, and leave out what stays."""
    if not gc.isenabled():
        gc.collect()
        gc.freeze()
        gc.enable()
