"""From start to stop: load models, verify, warm; drain."""

import logging
from collections.abc import AsyncIterator, Callable
from concurrent.futures import Executor, ThreadPoolExecutor
from contextlib import AbstractAsyncContextManager, asynccontextmanager

from fastapi import FastAPI
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.batching import Batcher
from app.registry import Registry, ServedModel
from app.settings import Settings, variable
from model.engine import Engine
from model.errors import ModelError

log = logging.getLogger("explorer")


class StartError(Exception):
    """The server cannot start; the message is a sentence for the operator."""


def lifespan(
    settings: Settings, registry: Registry
) -> Callable[[FastAPI], AbstractAsyncContextManager[None]]:
    """Make the lifespan of a server: `registry` is full within it."""

    @asynccontextmanager
    async def run(_: FastAPI) -> AsyncIterator[None]:
        # One thread for the bulk of all models: beside the loop, one core computes, not three.
        with ThreadPoolExecutor(1, "bulk") as executor:
            load(settings, registry, executor)
            yield
            for served in registry:
                await served.batcher.drain()

    return run


def load(settings: Settings, registry: Registry, executor: Executor) -> None:
    """Load and warm every model that is asked for; a bad one is reported and skipped.

    Raises:
        StartError: the default model cannot be served, or a model asked for by name is missing.
    """
    for name in _names(settings):
        try:
            engine = Engine.load(settings.checkpoints / name, settings.device)
            engine.warm_up()
        except (ModelError, OSError) as error:
            if name == settings.default_model:
                raise StartError(f"The default model {name} cannot be served: {error}") from error
            log.error("Model %s is skipped: %s", name, error)
            continue
        batcher = Batcher(engine.decode, executor, max_queue=settings.max_queue)
        registry.add(ServedModel(engine, batcher))
        log.info("Model %s is ready on %s", name, engine.device)


def _names(settings: Settings) -> list[str]:
    """List the models to load, the default one first."""
    found = sorted(card.parent.name for card in settings.checkpoints.glob("*/card.json"))
    there = f"{settings.checkpoints} holds {', '.join(found) or 'no model'}"
    for name in settings.models:
        if name not in found:
            raise StartError(f"{variable('models')} names {name}; {there}.")
    wanted = list(settings.models) or found
    if settings.default_model not in wanted:
        raise StartError(
            f"{variable('default_model')} is {settings.default_model}; it must be one of "
            f"{', '.join(wanted) or 'the models'} ({there})."
        )
    wanted.remove(settings.default_model)
    return [settings.default_model, *wanted]


class PlainStartError:
    """ASGI middleware that reports a `StartError` as its sentence, without a traceback."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def send_plainly(message: Message) -> None:
            if message["type"] == "lifespan.startup.failed":
                kind, _, sentence = message["message"].strip().split("\n")[-1].partition(": ")
                if kind == f"{StartError.__module__}.{StartError.__name__}":
                    message = {**message, "message": sentence}
            await send(message)

        await self.app(scope, receive, send_plainly if scope["type"] == "lifespan" else send)
