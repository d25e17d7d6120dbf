"""The models this server offers, by name; `shelf` holds those that are loaded."""

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from functools import cached_property, partial
from typing import Annotated

from fastapi import Depends, Path, Request

from app.errors import NotFound, Undecodable
from app.serving import encode_batcher
from app.serving.batcher import Batcher
from app.serving.encode_batcher import Encodes, Found, Pixels, encoded
from app.serving.model_cache import Shelf
from model.card import Card
from model.engine import Code, Encoding, Engine


@dataclass(frozen=True)
class ServedModel:
    """One loaded model and the one way to its engine."""

    engine: Engine
    batcher: Batcher

    @property
    def card(self) -> Card:
        return self.engine.card

    async def encode(self, images: Pixels) -> list[Encoding]:
        """Encode images, a few at a time, behind the drags of the moment; one answer a piece.

        Few are encoded together with those of others.

        Raises:
            Overloaded: too much is waiting.
        """
        if len(images) <= encode_batcher.MOST:
            return [await encoded(self.encodes, images, Encoding)]
        return await self._by_pieces(self.engine.encode, images)

    async def code(self, images: Pixels) -> list[Code]:
        """The same, for who wants no more than the code and its covariance."""
        if len(images) <= encode_batcher.MOST:
            return [await encoded(self.encodes, images, Code)]
        return await self._by_pieces(self.engine.code, images)

    async def _by_pieces(self, encode: Callable[[Pixels], Found], images: Pixels) -> list[Found]:
        starts = range(0, len(images), encode_batcher.MOST)
        calls = [partial(encode, images[i : i + encode_batcher.MOST]) for i in starts]
        weight = encode_batcher.MOST * self.engine.decodes_to_encode
        return await self.batcher.run(calls, weight=weight)

    @cached_property
    def encodes(self) -> Encodes:
        """Where a few images wait to be encoded with those of others."""
        return Encodes(self.engine, self.batcher)

    def require_latents(self) -> None:
        """Raise Undecodable if the model has no latents that could be given as numbers."""
        if not self.engine.decodes:
            name = self.card.id
            raise Undecodable(
                f"{name} has no latent space of plain numbers: there is no plane and nothing to "
                "decode, sample or drag. It encodes an image and shows its reconstruction: "
                f"POST /api/v1/models/{name}/encode."
            )


@dataclass(frozen=True)
class Offer:
    """A model that may be loaded: its card, the bytes that it will take, and how it comes."""

    card: Card
    size: int
    load: Callable[[], ServedModel]


class Registry:
    """What `lifespan` fills and the routes read.

    Args:
        default: Name of the model that the page opens.
        memory_bytes: What all loaded models may take together.

    Attributes:
        stopping: The server goes soon, though it answers still: nobody new should ask it.
    """

    def __init__(self, default: str, memory_bytes: int) -> None:
        self.default = default
        self.stopping = False
        self._offers: dict[str, Offer] = {}
        self._shelf: Shelf[ServedModel] = Shelf(memory_bytes)

    def offer(self, offer: Offer) -> None:
        """Let a model be asked for."""
        self._offers[offer.card.id] = offer

    def keep(self, served: ServedModel, size: int = 0) -> None:
        """Offer a model that is loaded, and hold it for good."""
        self.offer(Offer(served.card, size, lambda: served))
        self._shelf.keep(served.card.id, served, size)

    def lend(self, name: str) -> AbstractAsyncContextManager[ServedModel]:
        """Give the model of that name for as long as the context lasts; load it if need be.

        Raises:
            NotFound: there is none; the message names those there are.
            Overloaded: the models in use leave no room for it.
            Unavailable: it cannot be loaded.
        """
        offer = self._offer(name)
        return self._shelf.lend(name, offer.size, offer.load)

    def at_hand(self, name: str) -> ServedModel | None:
        """Give the model of that name for work that ends at once, if it is in memory."""
        return self._shelf.at_hand(name)

    def hold(self, name: str) -> Callable[[], None]:
        """Use a model that is in memory for longer than that, until what this gives is called."""
        return self._shelf.hold(name)

    def card(self, name: str) -> Card:
        """Give the card of that name, without loading its model; raises NotFound."""
        return self._offer(name).card

    @property
    def cards(self) -> list[Card]:
        """The cards of all models that are offered."""
        return [offer.card for offer in self._offers.values()]

    @property
    def loaded(self) -> list[ServedModel]:
        """The models that are in memory now; the default one always is."""
        return list(self._shelf.items.values())

    @property
    def sizes(self) -> dict[str, int]:
        """The bytes that each of them takes, by name."""
        return {name: self._offers[name].size for name in self._shelf.items}

    @property
    def device(self) -> str:
        """Where the models run: `cpu`, `cuda:0`, `mps`."""
        return self._shelf.items[self.default].engine.device

    def _offer(self, name: str) -> Offer:
        offer = self._offers.get(name)
        if offer is None:
            raise NotFound(
                f"There is no model of this name. There are {', '.join(self._offers)}. "
                "See GET /api/v1/models"
            )
        return offer


async def _registry(request: Request) -> Registry:
    registry = request.app.state.registry
    assert isinstance(registry, Registry)
    return registry


Models = Annotated[Registry, Depends(_registry)]
"""A route's parameter: all models."""


_Name = Annotated[str, Path(description="Id of a model", examples=["mnist-vae-2d"])]


# Each asks for the registry itself: a dependency of a dependency costs as much as a small decode.


async def _card(model: _Name, request: Request) -> Card:
    return (await _registry(request)).card(model)


async def _served(model: _Name, request: Request) -> AsyncIterator[ServedModel]:
    async with (await _registry(request)).lend(model) as served:
        yield served


async def _decoding(model: _Name, request: Request) -> AsyncIterator[ServedModel]:
    async with (await _registry(request)).lend(model) as served:
        served.require_latents()
        yield served


KnownCard = Annotated[Card, Depends(_card)]
"""A route's parameter: the card of the model that `{model}` in its path names; loads nothing."""
Served = Annotated[ServedModel, Depends(_served, scope="function")]
"""A route's parameter: the model itself, lent until the route has its answer."""
Decoding = Annotated[ServedModel, Depends(_decoding, scope="function")]
"""A route's parameter: the same, for a route that is about latents; others are refused (409)."""
