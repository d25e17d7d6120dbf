"""The models: a list by what they teach, and the card of each."""

from typing import Any

from fastapi import Response
from pydantic import BaseModel, Field

from app.http.negotiation import JSON
from app.openapi import feature
from app.serving.registry import KnownCard, Models, Registry
from model import card as model_card
from model.card import headings

router = feature("/models", "models")


class ImageShape(BaseModel):
    """Height and width in pixels, and 1 channel for grey or 3 for colour."""

    height: int
    width: int
    channels: int


class Card(BaseModel):
    """What a model says of itself."""

    id: str
    title: str
    summary: str
    group: str = Field(description="Id of the heading under which it stands: what it teaches")
    family: str = Field(description="`vae`, `ae` or `vqvae`")
    dataset: str
    latent_dim: int
    image: ImageShape = Field(description="Of the images that it encodes and decodes")
    likelihood: str
    beta: float | None = Field(description="Weight of the KL term in training; `vae` alone has one")
    planes: list[str] = Field(description="Ids of its planes, the one to open first; may be empty")
    metrics: dict[str, Any] = Field(description="By protocol; `GET /measures` explains the numbers")
    sha256: str = Field(description="Of the stored weights")


class Group(BaseModel):
    """A heading, and the models under it."""

    id: str
    title: str
    about: str = Field(description="One line for a learner; empty under a heading of one's own")
    models: list[str]


class ModelList(BaseModel):
    """All models of this server."""

    default: str = Field(description="The model that the page opens")
    device: str = Field(description="Where they run: `cpu`, `cuda:0`, `mps`")
    groups: list[Group] = Field(description="In the order in which they teach best")
    models: list[Card] = Field(description="In the order of the groups")


@router.get("", response_model=ModelList)
async def list_models(registry: Models) -> Response:
    """All models that this server offers, by what they teach; none is loaded for it."""
    if registry.listing is None:
        registry.listing = _listing(registry).model_dump_json().encode()
    return Response(registry.listing, media_type=JSON)


def _listing(registry: Registry) -> ModelList:
    default = registry.card(registry.default)
    known = headings(card.group for card in registry.cards)
    places = {group.id: place for place, group in enumerate(known)}
    cards = sorted(registry.cards, key=lambda card: (places[card.group], *_order(card, default)))
    groups = [
        Group(**vars(group), models=there)
        for group in known
        if (there := [card.id for card in cards if card.group == group.id])
    ]
    return ModelList(
        default=registry.default,
        device=registry.device,
        groups=groups,
        models=[Card(**card.public()) for card in cards],
    )


@router.get("/{model}")
async def show_model(card: KnownCard) -> Card:
    """One model's card; the model is not loaded for it."""
    return Card(**card.public())


def _order(card: model_card.Card, default: model_card.Card) -> tuple[bool, bool, float, str]:
    """Sort those of a group: the default model first, then those of its data set by `beta`."""
    is_other = card.id != default.id
    is_foreign = card.dataset != default.dataset
    return is_other, is_foreign, card.beta or 0.0, card.id
