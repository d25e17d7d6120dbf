"""The model registry: the models this server offers, by name."""

from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Annotated, Any, TypeVar

from fastapi import Depends, Path, Request

from app.errors import NotFound, Undecodable
from app.openapi import MODEL_HASH
from app.serving.batcher import Batcher, Images, Latents
from app.serving.encode_batcher import EncodeBatcher
from app.serving.model_cache import ModelCache
from model.card import Card
from model.engine import Engine

Result = TypeVar("Result")


@dataclass(frozen=True)
class ServedModel:
    """One loaded model, and the way to its engine."""

    engine: Engine
    batcher: Batcher

    @property
    def card(self) -> Card:
        return self.engine.card

    @cached_property
    def encoder(self) -> EncodeBatcher:

        return EncodeBatcher(self.engine, self.batcher)

    async def run(
        self, calls: Sequence[Callable[[], Result]], *, weight: int, **kind: Any
    ) -> list[Result]:
        """Run calls of the engine as `Batcher.calls_job` describes, and return their results."""
        job = self.batcher.calls_job(calls, weight=weight, **kind)
        results: list[Result] = await self.batcher.run(job)
        return results

    async def decode(self, latents: Latents) -> Images:
        """Decode latents; raises Overloaded when too much is waiting."""
        images: Images = await self.batcher.run(self.batcher.decode_job(latents))
        return images

    def require_latents(self) -> None:
        """Raise Undecodable if the model has no latents that are vectors."""
        if self.engine.decodes:
            return
        name = self.card.id
        raise Undecodable(
            f"{name} has no latent space of plain numbers: there is no plane and nothing to "
            "decode, sample or drag. It encodes an image and shows its reconstruction: "
            f"POST /api/v1/models/{name}/encode."
        )


@dataclass(frozen=True)
class Offer:
    """A model that may be loaded: its card, the bytes that it will take, and how to load it."""

    card: Card
    size: int
    load: Callable[[], ServedModel]


class Registry:
    """What `lifespan` fills and the routes read.

    Args:
        default: Name of the model that the page opens.
        memory_bytes: What all loaded models may take together.

    Attributes:
        is_stopping: The server stops soon, though it still answers: nobody new should ask it.
        get: `ModelCache.get`.
        lend: `ModelCache.lend`. Besides Overloaded it raises NotFound, and Unavailable for a model
            that cannot be loaded.
        listing: All cards as `GET /models` answers them, once that has been asked for.
        hashes: The header with the hash of a model's weights, by its name and by those of its
            halves in the Open Inference Protocol.
    """

    def __init__(self, default: str, memory_bytes: int) -> None:
        self.default = default
        self.is_stopping = False
        self.listing: bytes | None = None
        self.hashes: dict[str, tuple[bytes, bytes]] = {}
        self._offers: dict[str, Offer] = {}
        self._cache: ModelCache[ServedModel] = ModelCache(memory_bytes, self._size_and_load)
        self.get, self.lend = self._cache.get, self._cache.lend

    def offer(self, offer: Offer) -> None:

        name = offer.card.id
        self._offers[name] = offer
        header = (MODEL_HASH.lower().encode(), offer.card.sha256.encode())
        self.hashes.update(dict.fromkeys((name, f"{name}.decoder", f"{name}.encoder"), header))
        self.listing = None

    def keep(self, served: ServedModel, size: int = 0) -> None:
        """Offer a model that is loaded, and keep it for good."""
        self.offer(Offer(served.card, size, lambda: served))
        self._cache.keep(served.card.id, served, size)

    def card(self, name: str) -> Card:
        """Return the card of that name, without loading its model; raises NotFound."""
        return self._offer(name).card

    @property
    def cards(self) -> list[Card]:
        """The cards of all models that are offered."""
        return [offer.card for offer in self._offers.values()]

    @property
    def loaded(self) -> list[ServedModel]:
        """The models that are in memory now; the default one always is."""
        return list(self._cache.items.values())

    @property
    def sizes(self) -> dict[str, int]:
        """The bytes that each loaded model takes, by name."""
        return {name: self._offers[name].size for name in self._cache.items}

    @property
    def device(self) -> str:
        """Where the models run: `cpu`, `cuda:0`, `mps`."""
        return self._cache.items[self.default].engine.device

    def _size_and_load(self, name: str) -> tuple[int, Callable[[], ServedModel]]:
        offer = self._offer(name)
        return offer.size, offer.load

    def _offer(self, name: str) -> Offer:
        offer = self._offers.get(name)
        if offer is None:
            raise NotFound(
                f"There is no model of this name. There are {', '.join(self._offers)}. "
                "See GET /api/v1/models"
            )
        return offer


async def _registry(request: Request) -> Registry:
    registry: Registry = request.app.state.registry
    return registry


Models = Annotated[Registry, Depends(_registry)]
"""A route's parameter: all models."""
_Name = Annotated[str, Path(description="Id of a model", examples=["mnist-vae-2d"])]

# Each takes the registry itself: a dependency of a dependency costs as much as a small decode.


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
"""A route's parameter: the model itself, lent until the route has answered."""
Decoding = Annotated[ServedModel, Depends(_decoding, scope="function")]
"""A route's parameter: the same, for a route about latents; models without are refused (409)."""
