"""Probes, for whoever runs the server."""

import numpy as np
from fastapi import APIRouter
from pydantic import BaseModel

from app.registry import Models

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
    await served.batcher.decode(np.zeros((1, served.card.latent_dim), np.float32))
    return Ready(models=[served.card.id for served in models])
