"""Health probes, for the operator of the server."""

import logging

import numpy as np
from fastapi import APIRouter
from pydantic import BaseModel, Field

from app.errors import NotReady, Overloaded
from app.serving.registry import Models

log = logging.getLogger("explorer")
router = APIRouter(tags=["health"])


class Alive(BaseModel):
    """The process answers."""

    status: str = "alive"


class Ready(BaseModel):
    """The default model works."""

    status: str = "ready"
    models: list[str] = Field(description="All that are offered")
    loaded: list[str] = Field(description="Those in memory now; any other loads when it is used")


@router.get("/healthz")
async def alive() -> Alive:
    """Answer without touching a model."""
    return Alive()


@router.get("/readyz")
async def ready(models: Models) -> Ready:
    """Answer once the default model has decoded a latent for this very probe."""
    if models.is_stopping:
        raise NotReady("This server stops. Ask another, or this one again once it has restarted.")
    async with models.lend(models.default) as served:
        try:
            if served.engine.decodes:
                await served.decode(np.zeros((1, served.card.latent_dim), np.float32))
            else:
                await served.encoder.encode(np.zeros((1, *served.engine.image.axes), np.float32))
        except Overloaded:
            raise
        except Exception as error:  # whatever the device does: the probe reports it
            name = served.card.id
            log.exception("The default model %s cannot decode", name)
            raise NotReady(f"The model {name} cannot decode; the log says why.") from error
    return Ready(
        models=[card.id for card in models.cards],
        loaded=[served.card.id for served in models.loaded],
    )
