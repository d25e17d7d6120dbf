"""Probes, for whoever runs the server."""

import logging

import numpy as np
from fastapi import APIRouter
from pydantic import BaseModel

from app.errors import NotReady, Overloaded
from app.registry import Models

log = logging.getLogger("explorer")
router = APIRouter(tags=["health"])


class Alive(BaseModel):
    """The process answers."""

    status: str = "alive"


class Ready(BaseModel):
    """The default model decodes."""

    status: str = "ready"
    models: list[str]


@router.get("/healthz")
async def alive() -> Alive:
    """Answer without touching a model."""
    return Alive()


@router.get("/readyz")
async def ready(models: Models) -> Ready:
    """Answer once the default model has decoded a latent for this very probe."""
    served = models[models.default]
    try:
        await served.batcher.decode(np.zeros((1, served.card.latent_dim), np.float32))
    except Overloaded:
        raise
    except Exception as error:  # whatever the device does: the probe must hear of it
        log.exception("The default model %s cannot decode", served.card.id)
        raise NotReady(f"The model {served.card.id} cannot decode; the log says why.") from error
    return Ready(models=[served.card.id for served in models])
