"""Following: the default model is reloaded whenever its checkpoint is replaced.

So `python -m model map` shows a map that grows while its model is trained.
"""

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

from app.serving.image_cache import ImageCache
from app.serving.loading import MakeBatcher, read_default, serve_default
from app.serving.registry import Registry
from app.settings import Settings
from model.errors import ModelError

PAUSE_SECONDS = 1.0
"""Between two looks at the card."""

log = logging.getLogger("explorer")


@asynccontextmanager
async def following(
    settings: Settings, registry: Registry, images: ImageCache, batcher: MakeBatcher
) -> AsyncIterator[None]:
    """Follow the default model's checkpoint within the context."""
    task = asyncio.create_task(_follow(settings, registry, images, batcher))
    try:
        yield
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


async def _follow(
    settings: Settings, registry: Registry, images: ImageCache, batcher: MakeBatcher
) -> None:
    while True:
        await asyncio.sleep(PAUSE_SECONDS)
        try:
            card = await asyncio.to_thread(read_default, settings)
            if card != registry.card(settings.default_model):
                served, size = await asyncio.to_thread(serve_default, settings, batcher)
                registry.keep(served, size)
                images.forget_targets()
                log.info("Model %s was replaced and is reloaded", card.id)
        except (ModelError, OSError) as error:  # it is being written; the old one is served on
            log.info("The new %s cannot be taken yet: %s", settings.default_model, error)
