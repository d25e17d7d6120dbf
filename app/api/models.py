"""Which models there are, and what each says of itself."""

from typing import Any

from fastapi import APIRouter
from pydantic import BaseModel, Field

from app.registry import Models, Served

router = APIRouter(prefix="/models", tags=["models"])


class Card(BaseModel):
    """What a model says of itself."""

    id: str
    title: str
    summary: str
    family: str = Field(description="`vae` or `ae`")
    dataset: str
    latent_dim: int
    likelihood: str
    beta: float | None = Field(description="Weight of the KL term in training; null for `ae`")
    planes: list[str] = Field(description="Ids of its planes, the one to open first")
    metrics: dict[str, Any] = Field(description="Measured on the test images, in nats per image")
    sha256: str = Field(description="Of the stored weights")


class ModelList(BaseModel):
    """All models of this server."""

    default: str = Field(description="The model that the page opens")
    device: str = Field(description="Where they run: `cpu`, `cuda:0`, `mps`")
    models: list[Card]


@router.get("")
async def list_models(models: Models) -> ModelList:
    """All models that this server holds, the default one first."""
    cards = [Card(**served.card.public()) for served in models]
    device = models[models.default].engine.device
    return ModelList(default=models.default, device=device, models=cards)


@router.get("/{model}")
async def show_model(served: Served) -> Card:
    """One model's card."""
    return Card(**served.card.public())
